/*
 * data_pages.h - how data pages are made: the one recipe, for `run` and uvdso_boot() alike.
 *
 *   data_pages_make()    1  data pages, zeroed, with one writable mapping      vvar.c
 *                        2  the offsets of the time namespace                  timens.c
 *                        3  the first bases, after calibrating the counter     timekeeper.c
 *                        4  what is known of the kernel's random numbers       rng.c
 *                        5  the seal: never another writable mapping           vvar.c
 *
 *   data_pages_guard()   6  the watchdog, over the process that keeps the time
 *                        7  the writable mapping is not inherited any more (MADV_DONTFORK)
 *
 * Written before sealed, sealed before any reader maps it, guarded before it is given out. The
 * first part runs in the caller; the second in the process that will keep the time, which is
 * the same one for `run`, and a child of the caller for uvdso_boot(). In this order that child
 * and the watchdog still inherit the mapping, and nothing that they fork later does. The caller
 * of uvdso_boot() gives its own mapping up as soon as the child has said that it is ready.
 */
#ifndef KERNEL_MAP_DATA_PAGES_H
#define KERNEL_MAP_DATA_PAGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/base/error.h"
#include "kernel/map/timens.h"
#include "kernel/map/vvar.h"
#include "kernel/time/timekeeper.h"

struct data_pages {
	struct vvar vvar;
	struct timekeeper tk;
	pid_t watchdog; /* -1 while there is none */
};

/* What data_pages_end() has nothing to do for. */
#define DATA_PAGES_NONE                            \
	{                                          \
		.vvar = {.fd = -1}, .watchdog = -1 \
	}

/*
 * The first part. Takes a tenth of a millisecond, for calibration, unless use_counter is false.
 * Returns 0, or -errno with error filled; data_pages_end() is to be called either way.
 */
int data_pages_make(struct data_pages *pages, const struct timens *timens, bool use_counter,
		    struct error *error);

/* The second part. Returns as the first. */
int data_pages_guard(struct data_pages *pages, struct error *error);

/* Ends the watchdog, and gives up mapping and descriptor. May be called twice. */
void data_pages_end(struct data_pages *pages);

#endif
