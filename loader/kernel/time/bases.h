/*
 * bases.h - from one look at the kernel's clocks to the next bases, purely.
 *
 * The timekeeper measures, decides, and publishes. The deciding and the layout of what is
 * published are here, without a clock, a process or a system call: what goes in is a look,
 * what comes out is memory in the format of the data page. So a suspended machine, a leap
 * second or a clock that somebody sets can be had in a test.
 *
 * There are two lines (timeline.h): MONOTONIC, and MONOTONIC_RAW, which has a rate of its
 * own. The other clocks are MONOTONIC plus a distance that only changes when somebody sets
 * a clock, suspends the machine, or lets a second leap.
 *
 * Not thread-safe; belongs to the timekeeper.
 */
#ifndef KERNEL_TIME_BASES
#define KERNEL_TIME_BASES

#include <vdso/datapage.h>

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

struct timekeeping {
	struct timeline mono, raw;
	s64 real, boot, tai; /* distances from MONOTONIC, in ns */
};

/*
 * Starts from two looks, some milliseconds apart. Returns false if they make no sense
 * (timeline_start()).
 */
bool timekeeping_start(struct timekeeping *tk, u64 mask, const struct clocks_look *first,
		       const struct clocks_look *second);

/* Decides on the next lines and distances; takes effect with the next write. */
void timekeeping_look(struct timekeeping *tk, const struct clocks_look *look);

/*
 * After a look: readers were sent to the kernel meanwhile, so the next lines begin at the
 * kernel's clocks, not where the old ones would have come to. Unless these are ahead.
 */
void timekeeping_restart(struct timekeeping *tk);

/*
 * Write what holds from counter value now on: the clocks of CS_HRES_COARSE, and MONOTONIC_RAW
 * into CS_RAW. The caller holds the sequence counter of that base. May be called again with a
 * later now.
 */
void timekeeping_write(struct timekeeping *tk, struct vdso_data *vd, u64 now);
void timekeeping_write_raw(struct timekeeping *tk, struct vdso_data *vd, u64 now);

/*
 * Writes what does not need a counter into CS_HRES_COARSE: the coarse clocks, and the base of
 * REALTIME, whose seconds time() reads.
 */
void timekeeping_write_coarse(struct vdso_data *vd, u64 real_ns, u64 mono_ns);

/* The second copy of the coarse clocks: the first one as it stands, into CS_RAW. */
void timekeeping_copy_coarse(struct vdso_data data[CS_BASES]);

#endif
