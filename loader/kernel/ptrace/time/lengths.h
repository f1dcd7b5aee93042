/*
 * lengths.h - system calls that name a length of time, in a tree all of whose clocks have a
 * rate.
 *
 * There a second of the program's is no second of the kernel's: what waits, waits accordingly,
 * and is told accordingly how much is left. How long is converted when the call begins. A later
 * change of the rate is for the next one.
 */
#ifndef KERNEL_PTRACE_LENGTHS_H
#define KERNEL_PTRACE_LENGTHS_H

#include <regs.h>

#include "kernel/ptrace/time/time_stop.h"

struct length {
	s64 begun; /* by the kernel's MONOTONIC */
	s64 takes; /* of the kernel's nanoseconds; CLOCK_LATEST_NS: it has no end */
};

/*
 * Whether there is something to be converted; if so, to what: words, which are to be put in a
 * slot, or a value for the register itself.
 */
enum length_kind { LENGTH_AS_IT_IS, LENGTH_IN_WORDS, LENGTH_IN_REGISTER };
enum length_kind length_convert(const struct time_stop *stop, struct time_words *words,
				long *value, struct length *length);

/*
 * At the end of such a call: what is left is told in the program's time. Returns the result
 * that it is to have.
 */
long length_end(const struct time_stop *stop, const struct length *length, long result);

/* What the kernel says of a timer, its interval and what is left, in the program's time. */
void length_tell_left(const struct time_stop *stop, unsigned arg, enum time_layout layout,
		      int with);

#endif
