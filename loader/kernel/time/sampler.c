/*
 * sampler.c - see sampler.h.
 */
#include <machine.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/time/sampler.h"

static u64 in_ns(struct timespec ts)
{
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

u64 sampler_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return in_ns(ts);
}

/* With 64 bits of seconds on a 32-bit machine, too. */
static bool ask_kernel(clockid_t clock, struct timespec *ts)
{
#ifdef SYS_clock_gettime64
	return syscall(SYS_clock_gettime64, clock, ts) == 0;
#else
	return syscall(SYS_clock_gettime, clock, ts) == 0;
#endif
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

unsigned sampler_slower(void)
{
	u64 called = ~0ull, asked = ~0ull;
	struct timespec ts;

	/* The best of some: we may lose the CPU meanwhile. */
	for (int tries = 0; tries < 4; tries++) {
		u64 begun = sampler_clock(CLOCK_MONOTONIC), middle;

		for (int i = 0; i < 16; i++)
			clock_gettime(CLOCK_MONOTONIC, &ts);
		middle = sampler_clock(CLOCK_MONOTONIC);
		for (int i = 0; i < 16; i++)
			ask_kernel(CLOCK_MONOTONIC, &ts);
		called = least(called, middle - begun);
		asked = least(asked, sampler_clock(CLOCK_MONOTONIC) - middle);
	}
	return called ? (unsigned)((asked + called / 2) / called) : 0;
}

static bool nested;

void sampler_is_nested(bool is)
{
	nested = is;
}

/* Tries, of which the one counts in which the least time passed; and what that is at best. */
#define TRIES   8
#define EXACTLY 10000

s64 sampler_ahead(clockid_t clock)
{
	s64 ahead = 0, unit = EXACTLY;
	u64 width = ~0ull;

	for (int i = 0; nested && i < TRIES; i++) {
		struct timespec before, here, after;
		u64 took;

		if (!ask_kernel(clock, &before) || clock_gettime(clock, &here) ||
		    !ask_kernel(clock, &after))
			return 0;
		took = in_ns(after) - in_ns(before);
		if (took >= width)
			continue;
		width = took;
		ahead = (s64)(in_ns(here) - in_ns(before) - took / 2);
	}
	if (width == ~0ull)
		return 0;
	/* An offset is a round number, mostly; what is smaller than that is not known. */
	while (unit < (s64)width && unit < (s64)NSEC_PER_SEC)
		unit *= 10;
	return (ahead + (ahead < 0 ? -unit : unit) / 2) / unit * unit;
}

void sampler_find_ahead(struct clocks_ahead *ahead)
{
	ahead->mono = sampler_ahead(CLOCK_MONOTONIC);
	ahead->raw = sampler_ahead(CLOCK_MONOTONIC_RAW);
	ahead->real = sampler_ahead(CLOCK_REALTIME);
	ahead->boot = sampler_ahead(CLOCK_BOOTTIME);
	ahead->tai = sampler_ahead(CLOCK_TAI);
}

/*
 * Where a clock takes microseconds to read (acpi_pm, hpet), many tries cost more than they
 * tell. Two are made in any case.
 */
#define ENOUGH_NS 20000

static struct timeline_sample sample_clock(clockid_t clock, int tries)
{
	struct timeline_sample best = {.width = ~0ull};
	u64 begun = 0;

	for (int i = 0; i < tries; i++) {
		u64 before = arch_counter();
		u64 ns = sampler_clock(clock);
		u64 width = arch_counter() - before;

		if (width < best.width)
			best = (struct timeline_sample){before + width / 2, ns, width};
		if (i == 0)
			begun = ns;
		else if (ns - begun > ENOUGH_NS)
			break;
	}
	return best;
}

/* The distance of a clock from MONOTONIC: where all the brackets overlap. */
static struct interval sample_distance(clockid_t clock, int tries)
{
	struct interval all = {INT64_MIN, INT64_MAX};
	u64 begun = sampler_clock(CLOCK_MONOTONIC);

	for (int i = 0; i < tries; i++) {
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
		if (i > 0 && after - begun > ENOUGH_NS)
			break;
	}
	return all;
}

static struct interval shifted(struct interval i, s64 by)
{
	return (struct interval){i.low + by, i.high + by};
}

void sampler_look(struct clocks_look *look, const struct clocks_ahead *ahead, int tries)
{
	look->real = sample_distance(CLOCK_REALTIME, tries);
	look->boot = sample_distance(CLOCK_BOOTTIME, tries);
	look->tai = sample_distance(CLOCK_TAI, 2);
	/* Last: what is extrapolated is fresh. */
	look->raw = sample_clock(CLOCK_MONOTONIC_RAW, tries);
	look->mono = sample_clock(CLOCK_MONOTONIC, tries);
	look->mono.ns -= (u64)ahead->mono;
	look->raw.ns -= (u64)ahead->raw;
	look->real = shifted(look->real, ahead->mono - ahead->real);
	look->boot = shifted(look->boot, ahead->mono - ahead->boot);
	look->tai = shifted(look->tai, ahead->mono - ahead->tai);
}
