/*
 * bases.h - from one look at the kernel's clocks to the next bases, purely.
 *
 * A base is what the data page says of a clock: its time at one counter value. There are two
 * groups of them, CS_HRES_COARSE and CS_RAW, and all follow from two lines and three distances:
 * the lines (timeline.h) of MONOTONIC, and of MONOTONIC_RAW, which has a rate of its own; the
 * other clocks are MONOTONIC plus a distance that only changes when a clock is set, the machine
 * is suspended, or a second leaps.
 *
 * Who is who in this room:
 *
 *   sampler      measures: reads the kernel's clocks, and gives a look at all of them
 *   timeline     the arithmetic of one line: how fast it runs, and where the next one begins
 *   bases        all clocks: from a look to the memory of the data page
 *   timekeeper   the loop around these: when to look, and how to publish
 *
 * Nothing in bases or timeline reads a clock or makes a system call. So a suspended machine,
 * a leap second or a clock that is set can be had in a test.
 *
 * Not thread-safe; belongs to the timekeeper.
 */
#ifndef KERNEL_TIME_BASES_H
#define KERNEL_TIME_BASES_H

#include <vdso/datapage.h>

#include "kernel/time/own.h"
#include "kernel/time/timeline.h"

/* A distance in ns, known to lie between the two. */
struct interval {
	s64 low, high;
};

/* One look at all the kernel's clocks. Distances are from MONOTONIC. */
struct clocks_look {
	struct timeline_sample mono, raw;
	struct interval real, boot, tai;
};

struct bases {
	struct timeline mono, raw;
	s64 real, boot, tai; /* distances from MONOTONIC, in ns */
	struct own own;      /* what is written of all that, if not the kernel's clocks */
};

/*
 * Starts from two looks, a hundred microseconds apart. Returns false if they make no sense
 * (timeline_start()).
 */
bool bases_start(struct bases *bases, u64 mask, const struct clocks_look *first,
		 const struct clocks_look *second);

/* Decides on the next lines and distances; takes effect with the next write. */
void bases_steer(struct bases *bases, const struct clocks_look *look);

/* Is a line so far ahead that the kernel's answer would be a step back for its readers? */
bool bases_ahead(const struct bases *bases);

/* Readers were sent to the kernel: both lines begin anew (timeline_restart()). */
void bases_restart(struct bases *bases);

/* Is the rate of the counter unknown, so that readers must ask the kernel? */
bool bases_lost(const struct bases *bases);

/* How long it may be until the next look, in ns. */
u64 bases_period(const struct bases *bases);

/*
 * Write what holds from counter value now on: the clocks of CS_HRES_COARSE, and MONOTONIC_RAW
 * into CS_RAW. The caller holds the sequence counter of that base. May be called again with a
 * later now.
 */
void bases_write(struct bases *bases, struct vdso_data *vd, u64 now);
void bases_write_raw(struct bases *bases, struct vdso_data *vd, u64 now);

/* Sends the readers of MONOTONIC_RAW to the kernel until it is written again. */
void bases_close_raw(struct bases *bases, struct vdso_data *vd);

/*
 * Writes what does not need a counter into CS_HRES_COARSE: the coarse clocks, and the base of
 * REALTIME, whose seconds time() reads.
 */
void bases_write_coarse(struct bases *bases, struct vdso_data *vd, u64 real_ns, u64 mono_ns);

/* The second copy of the coarse clocks: the first one as it stands, into CS_RAW. */
void bases_copy_coarse(struct vdso_data data[CS_BASES]);

#endif
