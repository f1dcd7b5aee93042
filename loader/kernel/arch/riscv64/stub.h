/*
 * riscv64/stub.h - the stub of a function whose calls are counted. What each function promises
 * is at the top of x86_64/stub.h.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <asm/ptrace.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define STUB_SIZE 32 /* bytes at most, a multiple of 16 */

/*
 * t0 and t1 are nobody's during a call.
 *
 *	auipc	t0, upper part of the distance
 *	addi	t0, t0, lower part, which has a sign
 *	li	t1, 1
 *	amoadd.d	zero, t1, (t0)
 *	j	function
 */
static inline void stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	uint32_t to = (uint32_t)(counter - stub), j = (uint32_t)(function - (stub + 16));
	const uint32_t code[] = {
		0x00000297 | ((to + 0x800) & 0xfffff000),
		0x00028293 | (to & 0xfff) << 20,
		0x00100313,
		0x0062b02f,
		0x0000006f | (j >> 20 & 1) << 31 | (j >> 1 & 0x3ff) << 21 |
			(j >> 11 & 1) << 20 | (j >> 12 & 0xff) << 12,
	};

	_Static_assert(sizeof(code) <= STUB_SIZE, "a stub has room for its code");
	memcpy(bytes + stub, code, sizeof(code));
}

/*
 * The number is in the program's own register, and there is no other place for it: a7 is -1
 * after the call. A program that keeps its number there, for the same call in a loop, gets
 * ENOSYS for that, too.
 */
static inline void stub_refuse_call(pid_t pid, struct user_regs_struct *regs)
{
	(void)pid;
	regs->a7 = ~0ul;
	regs->a0 = (unsigned long)-ENOSYS;
}

#endif
