/*
 * timekeeper.h - the kernel's part of the clocks: measure, decide, publish.
 *
 * One process keeps the time: it has the only writable mapping of the data page. Every
 * TIMELINE_PERIOD_NS it looks at the real kernel's clocks and writes new bases, as the kernel's
 * update_vsyscall() does from its tick (kernel/time/vsyscall.c).
 *
 * Measuring is in sampler.h, deciding in bases.h, when the next update is due in deadline.h,
 * and what is published is described in vdso/datapage.h.
 */
#ifndef KERNEL_TIME_TIMEKEEPER_H
#define KERNEL_TIME_TIMEKEEPER_H

#include "kernel/foreign/mirror.h"
#include "kernel/time/bases.h"
#include "kernel/time/counter.h"
#include "kernel/time/rng.h"
#include "kernel/time/sampler.h"

struct timekeeper {
	struct vdso_data *data; /* the writable data page, CS_BASES of them */
	struct counter counter;
	const char *why_no_counter; /* mode NONE and why; NULL while the counter is used */
	const char *leaving;        /* why it will not be used any more, or NULL */
	unsigned trial; /* it comes back: which look of the trial is due, from 1 on */
	bool retry;     /* its rate was lost: try again now and then */
	struct bases bases;
	struct clocks_ahead ahead;
	struct clocks_look first; /* where the calibration began */
	unsigned updates;
	struct rng rng;       /* published along with the time, once rng_start() was called */
	struct mirror mirror; /* written along with the data page, if it has a layout */
};

/*
 * Starts to calibrate the counter. data must be zeroed and must outlive tk. With COUNTER_NEVER,
 * or without a usable counter, the mode will be NONE; tk->why_no_counter says why.
 */
void timekeeper_start(struct timekeeper *tk, struct vdso_data *data,
		      enum counter_choice choice);

/*
 * Ends the calibration, a tenth of a millisecond after its start or whenever it is called
 * later, and writes the first bases.
 */
void timekeeper_first(struct timekeeper *tk);

/* Measures once more and publishes new bases. Does not sleep; takes some microseconds. */
void timekeeper_update(struct timekeeper *tk);

/* The kernel's clock was set: as an update, but of nothing else than the clocks, at once. */
void timekeeper_clock_was_set(struct timekeeper *tk);

/*
 * For the watchdog: what readers of the mirror are to see as long as nobody keeps the time, to
 * be called at least as often as an update. Without a mirror it does nothing.
 */
void timekeeper_stand_in(struct timekeeper *tk);

/*
 * How long it may be until the next update, in ns: TIMELINE_PERIOD_NS, but less in the first
 * milliseconds, while the rate of the counter is known for a short time only; and for a clock
 * that is fast.
 */
u64 timekeeper_period(const struct timekeeper *tk);

/*
 * Prepares the calling process for keeping time punctually, also for a program that keeps its
 * CPU to itself: the finest timer slack, all CPUs that there are, and, where that is permitted,
 * a real-time priority one step above the caller's. It is not inherited by children.
 *
 * A SCHED_DEADLINE program has a CPU for a part of the time only, and its children are ordinary
 * processes; they get the lowest real-time priority, as those of ordinary programs do.
 */
void timekeeper_prioritise(void);

#endif
