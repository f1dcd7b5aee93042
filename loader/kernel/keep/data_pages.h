/*
 * data_pages.h - how data pages are made and kept: the one recipe, for `run` and uvdso_boot()
 * alike.
 *
 *	in the owner       1  data pages, zeroed, which nobody has mapped yet      vvar.c
 *	                   2  the timekeeper                                       keeper.c
 *	in the timekeeper  3  the one writable mapping                             vvar.c
 *	                   4  the offsets of the time namespace                    timens.c
 *	                   5  the first look at the counter, to calibrate it       timekeeper.c
 *	                   6  what is known of the kernel's random numbers         rng.c
 *	                   7  the seal: never another writable mapping             vvar.c
 *	                   8  the watchdog, which inherits the mapping             watchdog.c
 *	                   9  the first bases, after a second look                 timekeeper.c
 *	                      (and more looks, for the image of a kernel)
 *	in the owner      10  the readers' mapping, once all of this is done       place.c
 *
 * Sealed, guarded and written before any reader maps it. The watchdog is made while the counter
 * is measured. This is the part in the timekeeper.
 */
#ifndef KERNEL_KEEP_DATA_PAGES_H
#define KERNEL_KEEP_DATA_PAGES_H

#include <stdbool.h>

#include "kernel/keep/rest.h"
#include "kernel/keep/watchdog.h"
#include "kernel/map/timens.h"
#include "kernel/map/vvar.h"
#include "kernel/time/timekeeper.h"

struct data_pages {
	struct vvar *vvar;
	struct timekeeper tk;
	struct timekeeper wall;  /* of the wall clocks, if these are clocks of their own */
	struct control *control; /* which says what they show; or NULL */
	struct watchdog watchdog;
	struct rest rest;
	int settings; /* a timer that ends when the kernel's clock is set, or -1 */
};

/*
 * Takes as long as the calibration does, unless counter is COUNTER_NEVER. control is that of
 * timens->own, else NULL. owner is a pidfd of the owner, whom the watchdog must outlive, or -1.
 * Returns 0; or -errno and in *step, a literal, which step failed.
 */
int data_pages_make(struct data_pages *pages, struct vvar *vvar, const struct timens *timens,
		    struct control *control, enum counter_choice counter, int owner,
		    pid_t owner_pid, const char **step);

/* Updates everything, which also publishes what has been changed in control. */
void data_pages_update(struct data_pages *pages);

/* The kernel's clock was set. */
void data_pages_clock_was_set(struct data_pages *pages);

/* How long it may be until the next update, in ns. */
u64 data_pages_period(const struct data_pages *pages);

#endif
