/*
 * deadline.h - when the next update of the time is due.
 *
 * A deadline is a point on CLOCK_MONOTONIC, zeroed at the start, which means now. It moves on
 * by whole periods (TIMELINE_PERIOD_NS), so that an update that came late does not make all
 * later ones late.
 */
#ifndef KERNEL_TIME_DEADLINE_H
#define KERNEL_TIME_DEADLINE_H

#include <stdbool.h>
#include <time.h>

/* Moves it on by one period, and leaves out the periods that are past. */
void deadline_next(struct timespec *deadline);

/* Is it past? */
bool deadline_is_due(const struct timespec *deadline);

/* How long it is until then, for a call that waits; zero if it is past. */
struct timespec deadline_wait(const struct timespec *deadline);

#endif
