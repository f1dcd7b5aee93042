/*
 * deadline.h - when the next update of the time is due.
 *
 * A deadline is a point on CLOCK_MONOTONIC, zeroed at the start, which means now. It moves on
 * by whole periods (timekeeper_period()), so that an update that came late does not make all
 * later ones late.
 */
#ifndef KERNEL_TIME_DEADLINE_H
#define KERNEL_TIME_DEADLINE_H

#include <stdbool.h>
#include <time.h>
#include <vdso/types.h>

/* Moves it on by one period, and leaves out the periods that are past. */
void deadline_next(struct timespec *deadline, u64 period_ns);

/* Is it past? */
bool deadline_is_due(const struct timespec *deadline);

/*
 * How long it is until then, for a call that waits; zero if it is past. Never longer than
 * TIMELINE_PERIOD_NS, the longest period, which it would be after a clock that has failed.
 */
struct timespec deadline_wait(const struct timespec *deadline);

#endif
