/*
 * lengths.h - system calls that name a length of time, in a tree all of whose clocks have a
 * rate.
 *
 * There a second of the program is not a second of the kernel. So a length of time is converted
 * when its call begins, and the rest of it is converted back when the call reports that. A
 * change of the rate applies to later calls only.
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
 * Converts the length, if there is one that needs it: to words, which are to be put in a slot,
 * or to a value for the register itself.
 */
enum length_kind { LENGTH_AS_IT_IS, LENGTH_IN_WORDS, LENGTH_IN_REGISTER };
enum length_kind length_convert(const struct time_stop *stop, struct time_words *words,
				long *value, struct length *length);

/*
 * At the end of such a call: converts the time that is left to the program's. Returns the
 * result that the call is to have.
 */
long length_end(const struct time_stop *stop, const struct length *length, long result);

/* Converts what the kernel reports of a timer, its interval and the time that is left. */
void length_tell_left(const struct time_stop *stop, unsigned arg, enum time_layout layout,
		      int with);

#endif
