/*
 * lengths.h - system calls that name a length of time, in a tree all of whose clocks have a
 * rate.
 *
 * There a second of the program is not a second of the kernel. So a length of time is converted
 * when its call begins, and the rest of it is converted back when the call reports that. A
 * change of the rate applies to later calls only.
 *
 * alarm(2) knows whole seconds alone, which at a high rate would be minutes of the program. It
 * sets the timer of setitimer(2), so it is made that call. What was left of the timer it has to
 * report itself: so it is known of each process until when that runs.
 */
#ifndef KERNEL_PTRACE_LENGTHS_H
#define KERNEL_PTRACE_LENGTHS_H

#include <regs.h>

#include "kernel/ptrace/time/time_stop.h"

struct length {
	s64 begun; /* by the kernel's MONOTONIC */
	s64 takes; /* of the kernel's nanoseconds; CLOCK_LATEST_NS: it has no end */
};

/* ITIMER_REAL of a process. */
struct real_timer {
	s64 until;    /* by the kernel's MONOTONIC; 0: it is stopped */
	s64 interval; /* of the kernel's nanoseconds; 0: it expires once */
};

/*
 * Converts the length, if there is one that needs it: to words, which are to be put in a slot,
 * or to a value for the register itself; or to words for another call, setitimer(2).
 */
enum length_kind { LENGTH_AS_IT_IS, LENGTH_IN_WORDS, LENGTH_IN_REGISTER, LENGTH_IN_TIMER };
enum length_kind length_convert(const struct time_stop *stop, struct time_words *words,
				long *value, struct length *length);

/*
 * At the end of such a call: converts the time that is left to the program's. Returns the
 * result that the call is to have.
 */
long length_end(const struct time_stop *stop, const struct length *length, long result);

/* Is it alarm(2), or setitimer(2) of that timer? */
bool length_sets_real_timer(const struct time_stop *stop);

/* What it sets it to. */
struct real_timer length_real_timer(const struct time_words *words,
				    const struct length *length);

/* What alarm(2) reports of a timer that runs: seconds of the program. */
long length_of_alarm(const struct time_stop *stop, const struct real_timer *timer);

/* The number and the arguments of the call that is made in place of alarm(2). */
void length_make_timer(enum time_form form, struct user_regs_struct *regs, uintptr_t words);

/* Converts what the kernel reports of a timer, its interval and the time that is left. */
void length_tell_left(const struct time_stop *stop, unsigned arg, enum time_layout layout,
		      int with);

#endif
