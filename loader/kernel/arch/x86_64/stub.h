/*
 * x86_64/stub.h - the stub of a function whose calls are counted (image/counted.h).
 *
 * stub_write() writes it. All three places are offsets into the image: the stub, the counter
 * of 64 bits that it adds one to, and the function that it goes on to, which finds all
 * registers that may hold arguments as they were.
 *
 * stub_refuse_call() lets the system call at whose beginning a process is stopped fail with
 * ENOSYS, as soon as the process has the registers: the kernel skips a call without a number.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/user.h>

#define STUB_SIZE 16 /* bytes at most, a multiple of 16 */

static inline void stub_distance(unsigned char *at, uint64_t to, uint64_t from)
{
	int32_t distance = (int32_t)(to - from);

	memcpy(at, &distance, sizeof(distance));
}

/* lock incq counter(%rip); jmp function. Distances count from the end of an instruction. */
static inline void stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	static const unsigned char code[] = {0xf0, 0x48, 0xff, 0x05, 0, 0, 0,
					     0,    0xe9, 0,    0,    0, 0};

	_Static_assert(sizeof(code) <= STUB_SIZE, "a stub has room for its code");
	memcpy(bytes + stub, code, sizeof(code));
	stub_distance(bytes + stub + 4, counter, stub + 8);
	stub_distance(bytes + stub + 9, function, stub + 13);
}

static inline void stub_refuse_call(pid_t pid, struct user_regs_struct *regs)
{
	(void)pid;
	regs->orig_rax = ~0ul;
	regs->rax = (unsigned long)-ENOSYS;
}

#endif
