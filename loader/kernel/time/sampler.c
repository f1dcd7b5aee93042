/*
 * sampler.c - see sampler.h.
 */
#include <machine.h>
#include <stdint.h>

#include "kernel/time/sampler.h"

u64 sampler_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static struct timeline_sample sample_clock(clockid_t clock, int tries)
{
	struct timeline_sample best = {.width = ~0ull};

	while (tries-- > 0) {
		u64 before = arch_counter();
		u64 ns = sampler_clock(clock);
		u64 width = arch_counter() - before;

		if (width < best.width)
			best = (struct timeline_sample){before + width / 2, ns, width};
	}
	return best;
}

/* The distance of a clock from MONOTONIC: where all the brackets overlap. */
static struct interval sample_distance(clockid_t clock, int tries)
{
	struct interval all = {INT64_MIN, INT64_MAX};

	while (tries-- > 0) {
		u64 before = sampler_clock(CLOCK_MONOTONIC);
		u64 ns = sampler_clock(clock);
		u64 after = sampler_clock(CLOCK_MONOTONIC);
		struct interval one = {(s64)(ns - after), (s64)(ns - before)};

		/* No overlap: the clock was set in between, and only the last one counts. */
		if (one.low > all.high || one.high < all.low)
			all = one;
		if (one.low > all.low)
			all.low = one.low;
		if (one.high < all.high)
			all.high = one.high;
	}
	return all;
}

void sampler_look(struct clocks_look *look, int tries)
{
	look->mono = sample_clock(CLOCK_MONOTONIC, tries);
	look->raw = sample_clock(CLOCK_MONOTONIC_RAW, tries);
	look->real = sample_distance(CLOCK_REALTIME, tries);
	look->boot = sample_distance(CLOCK_BOOTTIME, tries);
	look->tai = sample_distance(CLOCK_TAI, 2);
}
