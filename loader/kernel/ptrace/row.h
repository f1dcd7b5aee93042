/*
 * row.h - calls that a traced process makes in a row, with one stop at the end or none
 * (arch/calls.h).
 *
 * Code, list and all that the calls read lie in the first page of the kernel's vDSO, which is
 * about to go: nothing is left of them. They get there by /proc/PID/mem, which like ptrace(2)
 * writes where the process itself may not.
 *
 * Between row_begin() and row_run() process_call() on the process only notes a call, and
 * answers what it will return: 0, or for mmap(2) the address that is asked for. Files to be
 * mapped are ours, by our numbers: the process is sent a copy of each when its turn comes. It
 * receives them by one of two sockets, one at a time, and each in place of the one before. So
 * all numbers there are known beforehand: that of the other socket is free, and the lowest that
 * is.
 */
#ifndef KERNEL_PTRACE_ROW_H
#define KERNEL_PTRACE_ROW_H

#include <host.h>

#include "kernel/arch/calls.h"
#include "kernel/base/mm_map.h"
#include "kernel/map/place.h"
#include "kernel/ptrace/traced.h"

/* An injection makes twenty. */
#define ROW_MAX 24

/* The block, as it lies in the process. */
struct row_block {
	unsigned char code[CALLS_CODE_SIZE];

	/* For row_find(), which finds the process at the breakpoint. */
	uint64_t secret, mask;
	struct user_regs_struct saved;
	struct placement vdso;
	int32_t pair[2];

	struct mm_map map;
	struct host_frame frame;
	struct listed_call call[ROW_MAX + 1];
};

struct row {
	int mem;        /* /proc/PID/mem */
	uintptr_t at;   /* of the block; 0: it has gone */
	bool random;    /* its addresses are: nobody has to be asked */
	const int *own; /* what the process has open by our numbers, */
	unsigned owned; /* and how many these are */
	int turn;       /* the file that it has received last, by our number, or -1 */
	int send[TRACED_FDS];
	unsigned count, sends;
	struct row_block block;
};

/*
 * On machines with HOST_CALLS. The image is that of the kernel's vDSO in the process. SIGTRAP
 * must not be ignored in the process (traced.h). Returns 0 or -errno, and nothing has changed.
 */
int row_open(struct traced *traced, struct row *row, uintptr_t image);

/* Two sockets in the process, row->block.pair. Room is as for traced_send_fds(). */
int row_make_sockets(struct traced *traced, struct row *row, uintptr_t room);

/* From here on calls are noted. */
void row_begin(struct traced *traced, struct row *row);

/* One more, which nothing else could note: no call, but bytes that become zero. */
void row_clear(struct row *row, uintptr_t at, size_t size);

/* Sends the files that are to be mapped; room as above. Returns 0 or -errno. */
int row_send(const struct traced *traced, const struct row *row, uintptr_t room);

/*
 * Makes the calls. Returns how many of row->count have returned what was expected, or -errno if
 * nobody can tell.
 */
int row_run(struct traced *traced, struct row *row);

/* One more call, which may unmap what the code lies in. Its result, or -errno. */
long row_last(struct traced *traced, struct row *row, long nr, const long arg[6]);

/*
 * Everything is ready for the process to make the calls by itself, then to unmap gone, and to
 * be the program that it was, without a stop. To be continued; traced_release() leaves it as it
 * is. If a call returns something else it stops with a SIGTRAP (row_find()), and at a fault
 * with that. Returns 0, or -errno, and nothing has changed.
 */
int row_leave(struct traced *traced, struct row *row, const struct placement *vdso,
	      uintptr_t gone, size_t size);

/* Is a process in a row that has been left to it? Returns how many calls it has made, or -1. */
int row_find(pid_t pid, struct row_block *block, uintptr_t *at);

/*
 * Puts back page, the bytes that were there before the block. From then on calls are made one
 * by one.
 */
void row_end(struct traced *traced, struct row *row, const void *page);

#endif
