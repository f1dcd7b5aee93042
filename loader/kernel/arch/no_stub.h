/*
 * no_stub.h - for the stub.h of a port that has no stub yet: calls cannot be counted there, and
 * `uvdso trace` says so. x86_64/stub.h is one that has.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <stdbool.h>
#include <stdint.h>

#define STUB_SIZE 16 /* bytes at most, a multiple of 16 */

/* Both return false: there is no such code for the machine. */
static inline bool stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	(void)bytes, (void)stub, (void)counter, (void)function;
	return false;
}

struct user_regs_struct;

static inline bool stub_refuse_call(struct user_regs_struct *regs)
{
	(void)regs;
	return false;
}

#endif
