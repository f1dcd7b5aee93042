/*
 * row.h - calls that a traced process makes in a row, with one stop at the end (arch/calls.h).
 *
 * Between row_begin() and row_run() process_call() on the process only notes a call, and
 * answers what it will return: 0, or for mmap(2) the address that is asked for.
 */
#ifndef KERNEL_PTRACE_ROW_H
#define KERNEL_PTRACE_ROW_H

#include "kernel/arch/calls.h"
#include "kernel/ptrace/traced.h"

/* An injection makes ten. */
#define ROW_MAX 16

struct row {
	uintptr_t code; /* where it lies in the process; 0: nowhere */
	unsigned char was[CALLS_CODE_SIZE];
	unsigned count;
	struct listed_call call[ROW_MAX + 1];
};

/*
 * On machines with HOST_CALLS. Puts the code at an address of the process that may be executed,
 * in place of what is there for a while. Returns 0, or -errno, and nothing has changed. SIGTRAP
 * must not be ignored in the process (traced.h).
 */
int row_begin(struct traced *traced, struct row *row, uintptr_t code);

/*
 * Makes them. Returns how many of row->count have returned what was expected, or -errno if
 * nobody can tell.
 */
int row_run(struct traced *traced);

/* One more call, which may unmap what the code lies in. Its result, or -errno. */
long row_last(struct traced *traced, struct row *row, long nr, const long arg[6]);

/* What was there before the code is there again, and calls are made one by one. */
void row_end(struct traced *traced, struct row *row);

#endif
