/*
 * jump.h - the last steps of becoming another program.
 *
 * Code that unmaps the old program cannot be part of it. So the last system calls are written
 * down as a list, and a few instructions, copied together with the list to a mapping of their
 * own, carry it out and jump to the program's entry. They use no stack, because the stack is
 * what they overwrite.
 *
 * One thing is left then: the mapping that they run in. Code cannot unmap itself and go on. So
 * the jump goes to a landing of a few instructions behind the image, which stays: there
 * munmap(2) is called, the registers are cleared that it took, and the program begins.
 *
 * The first program of a process finds all registers as they are after a reset, and so does
 * this one. On x86 the kernel itself can be asked for that: rt_sigreturn(2) from a frame
 * without floating point state leaves none of the old one, whatever registers the CPU has.
 *
 * arch/ARCH/jump.S has the instructions; exec/exec.c writes the list, and map/place.c the
 * landing.
 */
#ifndef KERNEL_ARCH_JUMP_H
#define KERNEL_ARCH_JUMP_H

/* Offsets into struct jump, for jump.S; pinned by assertions in exec.c. */
#define JUMP_STACK_TO   0
#define JUMP_STACK_FROM 8
#define JUMP_STACK_SIZE 16
#define JUMP_SP         24
#define JUMP_ENTRY      32
#define JUMP_LANDING    40
#define JUMP_SELF       48
#define JUMP_SELF_SIZE  56
#define JUMP_FRAME      64
#define JUMP_CALLS      72

/* Offsets into struct jump_call. */
#define CALL_NR   0
#define CALL_ARGS 8
#define CALL_SKIP 56
#define CALL_SIZE 64

/* What there is room for; the landing is at the end of the last page of the image. The
 * assembler stops where jump.S has more. */
#define JUMP_CODE_SIZE 1024
#define LANDING_SIZE   32

/* Numbers that are not system calls. */
#define CALL_END        (-1) /* the list is done: go */
#define CALL_COPY_STACK (-2) /* copy the new stack to its place */

#ifndef __ASSEMBLER__
#	include <stddef.h>
#	include <stdint.h>

/*
 * Enough for every mapping of a process that has just started, and for the holes between the
 * segments of an odd program.
 */
#	define JUMP_CALLS_MAX 3000

struct jump_call {
	int64_t nr;
	uint64_t arg[6];
	uint64_t skip; /* how many of the following to leave out if this one succeeds */
};

struct jump {
	uint64_t stack_to, stack_from, stack_size;
	uint64_t sp, entry;
	uint64_t landing;         /* its address */
	uint64_t self, self_size; /* the mapping that all of this lies in */
	uint64_t frame;           /* the stack pointer for rt_sigreturn(2), on x86 */
	struct jump_call call[JUMP_CALLS_MAX];
};

/* Adds a system call of up to four arguments to the list, at *at. */
static inline void jump_add_call(struct jump *jump, size_t *at, uint64_t skip, long nr,
				 uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	jump->call[(*at)++] = (struct jump_call){nr, {a, b, c, d, 0, 0}, skip};
}

extern const unsigned char jump_code_start[JUMP_CODE_SIZE], landing_code_start[LANDING_SIZE];
#endif

#endif
