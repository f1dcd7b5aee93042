/*
 * control.h - the clocks of a tree of processes, on which its timekeeper and its tracer agree.
 *
 * Memory that the timekeeper and the tracer of a tree share, and nobody else. The timekeeper
 * fills it at the start, since it looks at the kernel's clocks; from then on the tracer alone
 * changes it, when a user asks for another time (`uvdso clock`), and the timekeeper says which
 * change it has published: until then readers of the data pages are shown the old time.
 */
#ifndef KERNEL_CLOCK_CONTROL_H
#define KERNEL_CLOCK_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "kernel/clock/clock_map.h"

/*
 * How a rate is changed without a jump. Readers go on with the old rate until the timekeeper
 * has published the new clocks, some milliseconds later, and by then have passed a line that
 * begins now. So the tracer first holds the clocks, with hold set and the rate 0 from now on;
 * once that is published, no reader has seen more than the old clocks show at that moment, and
 * there the new ones begin. MONOTONIC and BOOTTIME are never set back: that is refused
 * (wish.h), and the timekeeper would not do it, with hold or without.
 */

struct control {
	_Atomic(u32) seq;       /* odd while it is changed */
	_Atomic(u32) published; /* the last seq whose clocks are in the data pages */
	bool steady; /* MONOTONIC and BOOTTIME may be changed: calls that name them are stopped
		      */
	bool rate_all; /* ... and may have a rate, which all waits have, too */
	bool files;    /* the times of files are shown by REALTIME */
	bool fixed;    /* readers have the offsets of the start, in a kernel's image */
	struct own_clocks clocks;
};

/*
 * Memory for one, which forked processes share; all clocks are the kernel's. NULL with errno
 * set (ENOMEM).
 */
struct control *control_create(void);

/*
 * A consistent copy; returns its seq, an even one. Bounded: if a writer has died halfway it
 * returns 1, and *clocks is unchanged.
 */
u32 control_read(struct control *control, struct own_clocks *clocks);

/*
 * Until the timekeeper has published the last change, for some updates at most. False if it has
 * not: readers may be shown the old time, or, if it is dead, ask by system call.
 */
bool control_wait(const struct control *control);

/* One writer at a time. */
void control_write(struct control *control, const struct own_clocks *clocks);

#endif
