/*
 * i386/stub.h - the stub of a function whose calls are counted. What each function promises is
 * at the top of x86_64/stub.h.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/user.h>

#define STUB_SIZE 32 /* bytes at most, a multiple of 16 */

static inline void stub_distance(unsigned char *at, uint64_t to, uint64_t from)
{
	int32_t distance = (int32_t)(to - from);

	memcpy(at, &distance, sizeof(distance));
}

/*
 * No instruction adds to memory at a distance from itself, nor to 64 bits. All arguments are on
 * the stack, so eax is free. A reader between the two additions would be wrong once in 2^32
 * calls.
 *
 *	call	1f
 * 1:	pop	%eax
 *	lock addl	$1, counter - 1b(%eax)
 *	lock adcl	$0, counter + 4 - 1b(%eax)
 *	jmp	function
 */
static inline void stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	static const unsigned char code[] = {0xe8, 0, 0, 0, 0,    0x58, 0xf0, 0x83, 0x80,
					     0,    0, 0, 0, 1,    0xf0, 0x83, 0x90, 0,
					     0,    0, 0, 0, 0xe9, 0,    0,    0,    0};

	_Static_assert(sizeof(code) <= STUB_SIZE, "a stub has room for its code");
	memcpy(bytes + stub, code, sizeof(code));
	stub_distance(bytes + stub + 9, counter, stub + 5);
	stub_distance(bytes + stub + 17, counter + 4, stub + 5);
	stub_distance(bytes + stub + 23, function, stub + 27);
}

static inline void stub_refuse_call(pid_t pid, struct user_regs_struct *regs)
{
	(void)pid;
	regs->orig_eax = -1;
	regs->eax = -ENOSYS;
}

#endif
