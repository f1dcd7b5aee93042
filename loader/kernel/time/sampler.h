/*
 * sampler.h - measures: what the kernel's clocks show, against the counter and each other.
 *
 * How can two clocks be compared that cannot be read at once? Read one, the other, and the
 * first again: whatever the other showed, it showed it in between. The shorter the time between
 * the outer two, the less is left to doubt, so that is tried several times, and the tightest
 * counts.
 *
 * Reads clocks by way of the C library, so by the vDSO of this process. No state.
 */
#ifndef KERNEL_TIME_SAMPLER_H
#define KERNEL_TIME_SAMPLER_H

#include <time.h>

#include "kernel/time/bases.h"

/* What a clock of the kernel shows, in ns; 0 where the kernel does not have it. */
u64 sampler_clock(clockid_t clock);

/* All clocks, each with that many tries. */
void sampler_look(struct clocks_look *look, int tries);

#endif
