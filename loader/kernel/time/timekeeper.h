/*
 * timekeeper.h - the kernel's part of the clocks: measure, decide, publish.
 *
 * One process keeps the time: it has the only writable mapping of the data page.
 * Every TIMELINE_PERIOD_NS it looks at the real kernel's clocks and writes a new
 * base, as the kernel's update_vsyscall() does from its tick (kernel/time/vsyscall.c).
 *
 * The measuring is here, the deciding is in bases.h, and what is published is
 * described in vdso/datapage.h.
 */
#ifndef KERNEL_TIME_TIMEKEEPER
#define KERNEL_TIME_TIMEKEEPER

#include <time.h>

#include "kernel/time/rng.h"
#include "kernel/time/bases.h"

struct timekeeper {
	struct vdso_data *data;     /* the writable data page, CS_BASES of them */
	const char *why_no_counter; /* mode NONE and why; NULL while the counter is used */
	struct timekeeping time;
	unsigned updates;
	struct rng rng; /* published along with the time, once rng_start() was called */
};

/*
 * Calibrates the counter (about three milliseconds) and writes the first bases to
 * data, which must be zeroed and must outlive tk. With use_counter false, or without
 * a usable counter, the mode is NONE; tk->why_no_counter says why.
 */
void timekeeper_start(struct timekeeper *tk, struct vdso_data *data, bool use_counter);

/* Measures once more and publishes new bases. Does not sleep; takes some microseconds. */
void timekeeper_update(struct timekeeper *tk);

/*
 * Prepares the calling process for keeping time punctually: the finest timer slack,
 * and a real-time priority where that is permitted (it is not inherited by children).
 */
void timekeeper_prioritise(void);

/*
 * When the next update is due, on CLOCK_MONOTONIC. Starts with a zeroed deadline, which
 * means now; each call moves it on by one period, leaving out periods that are past.
 */
void timekeeper_next(struct timespec *deadline);

/* Is it past? */
bool timekeeper_is_due(const struct timespec *deadline);

/* How long it is until then, for a call that waits; zero if it is past. */
struct timespec timekeeper_wait(const struct timespec *deadline);

#endif
