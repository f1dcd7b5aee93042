/*
 * aarch64/stub.h - the stub of a function whose calls are counted. What each function promises
 * is at the top of x86_64/stub.h.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STUB_SIZE 32 /* bytes at most, a multiple of 16 */

/*
 * In pairs of exclusive accesses, which every CPU has. x15 to x17 are nobody's during a call.
 *
 *	adr	x16, counter
 * 1:	ldxr	x17, [x16]
 *	add	x17, x17, #1
 *	stxr	w15, x17, [x16]
 *	cbnz	w15, 1b
 *	b	function
 */
static inline void stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	uint32_t adr = (uint32_t)(counter - stub), b = (uint32_t)(function - (stub + 20));
	const uint32_t code[] = {
		0x10000010 | (adr & 3) << 29 | (adr >> 2 & 0x7ffff) << 5,
		0xc85f7e11,
		0x91000631,
		0xc80f7e11,
		0x35ffffaf,
		0x14000000 | (b >> 2 & 0x3ffffff),
	};

	_Static_assert(sizeof(code) <= STUB_SIZE, "a stub has room for its code");
	memcpy(bytes + stub, code, sizeof(code));
}

/* The number is not among the registers: it has been taken from x8 already. */
static inline void stub_refuse_call(pid_t pid, struct user_regs_struct *regs)
{
	int nr = -1;
	struct iovec iov = {&nr, sizeof(nr)};

	ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &iov);
	regs->regs[0] = (unsigned long)-ENOSYS;
}

#endif
