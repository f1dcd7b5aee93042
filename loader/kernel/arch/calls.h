/*
 * calls.h - system calls that a stopped process makes in a row.
 *
 * Each call that is made for a tracer stops twice, and each stop is two changes of processes.
 * Most calls of an injection are known beforehand, with their results. So they are written down
 * as a list, and a few instructions make one after the other, up to the first that does not
 * return what is expected. There they stop, with a breakpoint.
 *
 * arch/ARCH/calls.S has the instructions, where they are worth it (HOST_CALLS in host.h): they
 * lie in the kernel's vDSO meanwhile, which must be about to go. ptrace/row.c writes the list.
 */
#ifndef KERNEL_ARCH_CALLS_H
#define KERNEL_ARCH_CALLS_H

/* Offsets into struct listed_call, for calls.S; pinned by assertions in row.c. */
#define LISTED_NR     0
#define LISTED_ARGS   8
#define LISTED_RESULT 56
#define LISTED_SIZE   64

/* Numbers that are not system calls: the end, and to clear arg[2] bytes at arg[0]. */
#define LISTED_END   (-1)
#define LISTED_CLEAR (-2)

/* What there is room for: the assembler stops where calls.S has more. Whole words. */
#define CALLS_CODE_SIZE 96

#ifndef __ASSEMBLER__
#	include <stdint.h>

struct listed_call {
	int64_t nr;
	int64_t arg[6];
	int64_t result; /* as expected */
};

extern const unsigned char calls_code_start[CALLS_CODE_SIZE];
#endif

#endif
