/*
 * jump.h - the last steps of becoming another program.
 *
 * Whoever unmaps the old program cannot be part of it. So the last system calls are
 * written down as a list, and a few instructions that belong to nobody, copied to a
 * page of their own together with the list, work it off and jump to the program's
 * entry. They use no stack, because the stack is what they overwrite.
 *
 * One thing is left then: the page that they run on. A piece of code cannot unmap
 * itself and return. But our image has a system call and a return in a row in it, which
 * stay: with the numbers for munmap(2) in the registers and the entry as the return
 * address, that is where the jump goes.
 */
#ifndef KERNEL_ARCH_JUMP
#define KERNEL_ARCH_JUMP

/* Offsets into struct jump, for jump.S; pinned by assertions in exec.c. */
#define JUMP_STACK_TO    0
#define JUMP_STACK_FROM  8
#define JUMP_STACK_SIZE  16
#define JUMP_SP          24
#define JUMP_ENTRY       32
#define JUMP_SYSCALL_RET 40
#define JUMP_SELF        48
#define JUMP_SELF_SIZE   56
#define JUMP_FP_CONTROL  64
#define JUMP_CALLS       72

/* Offsets into struct jump_call. */
#define CALL_NR   0
#define CALL_ARGS 8
#define CALL_SKIP 56
#define CALL_SIZE 64

/* Numbers that are no system calls. */
#define CALL_END        -1 /* the list is done: go */
#define CALL_COPY_STACK -2 /* copy the new stack to its place */

#ifndef __ASSEMBLER__
#	include <stddef.h>
#	include <stdint.h>

/* Enough for every mapping of a process that has just started. */
#	define JUMP_CALLS_MAX 250

struct jump_call {
	int64_t nr;
	uint64_t arg[6];
	uint64_t skip; /* how many of the following to leave out if this one succeeds */
};

struct jump {
	uint64_t stack_to, stack_from, stack_size;
	uint64_t sp, entry;
	uint64_t syscall_ret;     /* the address of such instructions in the image, or 0 */
	uint64_t self, self_size; /* the mapping that all of this lies in */
	uint64_t fp_control;      /* what floating point starts with */
	struct jump_call call[JUMP_CALLS_MAX];
};

/* Adds a system call of up to four arguments to the list, at *at. */
static inline void jump_add_call(struct jump *jump, size_t *at, uint64_t skip, long nr,
				 uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	jump->call[(*at)++] = (struct jump_call){nr, {a, b, c, d, 0, 0}, skip};
}

extern const unsigned char exec_jump_start[], exec_jump_end[];
#endif

#endif
