/*
 * sampler.h - measures: what the kernel's clocks show, against the counter and each other.
 *
 * How can two clocks be compared that cannot be read at once? Read one, the other, and the
 * first again: whatever the other showed, it showed it in between. The shorter the time between
 * the outer two, the less is left to doubt, so that is tried several times, and the tightest
 * counts.
 *
 * Reads clocks by way of the C library, so by the vDSO of this process: a system call would be
 * ten times as wide a bracket. That vDSO may be one of ours, with clocks that are shifted (a
 * `run` inside of a `run --offset`). But where our readers fall back to system calls they are
 * told the kernel's own time, and so the bases must be that, too: what is shifted is found out
 * at the start, taken off here, and added to the offsets of the new data pages (map/timens.h).
 *
 * No state but that, and nothing that is not safe in a signal handler.
 */
#ifndef KERNEL_TIME_SAMPLER_H
#define KERNEL_TIME_SAMPLER_H

#include <time.h>

#include "kernel/time/bases.h"

/* By how much the C library's clocks are ahead of the kernel's, in ns: whole seconds. */
struct clocks_ahead {
	s64 mono, raw, real, boot, tai;
};

/* What a clock shows here, in ns; 0 where the kernel does not have it. */
u64 sampler_clock(clockid_t clock);

/*
 * Does this process run on another vDSO than the kernel's? If not, nothing is shifted, and no
 * system call asks.
 */
void sampler_is_nested(bool is);

/*
 * By how many ns it is ahead of the kernel's own, to some ten thousand: 0 unless a vDSO of ours
 * shifts it.
 */
s64 sampler_ahead(clockid_t clock);

/*
 * How many times as long a system call for a fine clock takes as the C library's way, which is
 * a fast vDSO or not. Takes some tens of microseconds.
 */
unsigned sampler_slower(void);

/* That of all clocks. */
void sampler_find_ahead(struct clocks_ahead *ahead);

/*
 * All clocks of the kernel, each with that many tries; fewer where a clock is slow to read. The
 * sample of MONOTONIC is the last.
 */
void sampler_look(struct clocks_look *look, const struct clocks_ahead *ahead, int tries);

#endif
