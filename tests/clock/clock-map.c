/*
 * clock-map.c - a clock of one's own as a function of the kernel's, against the same in 128
 * bits.
 *
 * What goes by it must agree to the nanosecond: the timekeeper, in parts of one, and the
 * tracer, both ways. So each result is held against its definition: the line, rounded down; the
 * first moment at which it shows a time; and at the ends of time the end.
 */
#include <inttypes.h>

#include "kernel/clock/clock_map.h"
#include "tap.h"

typedef __int128 s128;

#define DAY 86400000000000ll
#define NOW 1800000000123456789ll

static const u64 rates[] = {0,
			    1000000,
			    1234567,
			    333333333,
			    999999999,
			    1000000000,
			    1000000001,
			    1500000000,
			    59999999937ull,
			    60000000000ull,
			    999999999999ull,
			    1000000000000ull};
#define RATES ((int)(sizeof(rates) / sizeof(rates[0])))

static u64 seed = 1;

static u64 chance(u64 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 11) % below;
}

/* Towards minus infinity. */
static s128 divided(s128 a, s128 by)
{
	return a / by - (a % by < 0);
}

static s64 within(s128 ns)
{
	return ns < 0 ? 0 : ns > CLOCK_LATEST_NS ? CLOCK_LATEST_NS : (s64)ns;
}

static s128 line(const struct clock_map *map, s64 kernel_ns)
{
	s128 since = (s128)kernel_ns - map->kernel_ns;

	return map->shown_ns + divided(since * (s128)map->rate, 1000000000);
}

/* Some are from the beginning of time to its end, others around now. */
static struct clock_map any_map(int i)
{
	s64 now = i % 3 ? NOW : (s64)chance(INT64_MAX);
	s64 shown = i % 5 ? NOW + (s64)chance(2000 * DAY) - 1000 * DAY : (s64)chance(INT64_MAX);

	return clock_map_from(now, shown, rates[i % RATES]);
}

static void test_shown(void)
{
	unsigned wrong = 0, wrong_parts = 0, early = 0, late = 0;

	for (int i = 0; i < 200000; i++) {
		struct clock_map map = any_map(i);
		s64 at = i % 7 ? map.kernel_ns + (s64)chance(2 * DAY) - DAY
			       : (s64)chance(INT64_MAX);
		u32 shift = (u32)chance(31);
		u64 frac = chance(1ull << shift), was = frac;
		s64 shown, first;

		if (at < 0)
			at = 0;
		shown = clock_map_shown(&map, at);
		if (shown != within(line(&map, at)) && !wrong++)
			diag("rate %" PRIu64 ", %" PRId64 ": %" PRId64, map.rate,
			     at - map.kernel_ns, shown);
		shown = clock_map_shown_parts(&map, at, &frac, shift);
		if (at - map.kernel_ns < DAY && at - map.kernel_ns > -DAY && shown &&
		    shown < CLOCK_LATEST_NS) {
			s128 since = ((s128)(at - map.kernel_ns) << shift) + (s128)was;
			s128 parts = divided(since * (s128)map.rate, 1000000000);

			wrong_parts +=
				((s128)(shown - map.shown_ns) << shift) + (s128)frac != parts;
		}
		/* The first moment at which that is shown, or more. */
		shown = within(map.shown_ns + (s128)chance(DAY) - DAY / 2);
		first = clock_map_kernel(&map, shown);
		if (!map.rate)
			continue;
		late += first > 0 && within(line(&map, first - 1)) >= shown;
		early += first < CLOCK_LATEST_NS && within(line(&map, first)) < shown;
	}
	is(wrong, 0, "what is shown is the line, rounded down, and at an end of time the end");
	is(wrong_parts, 0, "... and so it is to parts of a nanosecond");
	is(early, 0, "nobody is woken before the clock shows the time");
	is(late, 0, "... and nobody later");
}

static void test_waits(void)
{
	unsigned wrong = 0, longer = 0;

	for (int i = 0; i < 50000; i++) {
		struct clock_map map = any_map(i);
		s64 ns = (s64)chance(DAY), wait = clock_map_wait(&map, ns);

		if (!map.rate) {
			wrong += wait != (ns ? CLOCK_LATEST_NS : 0);
			continue;
		}
		wrong += (s128)wait * (s128)map.rate < (s128)ns * 1000000000 ||
			 (s128)(wait - 1) * (s128)map.rate >= (s128)ns * 1000000000;
		longer += clock_map_left(&map, wait) < ns ||
			  clock_map_left(&map, wait) > ns + (s64)(map.rate / 1000000000) + 1;
	}
	is(wrong, 0, "a wait is as long as the clock takes for it, rounded up");
	is(longer, 0, "... and what is left of it at first is all of it");
}

static void test_ends(void)
{
	struct clock_map stands = clock_map_from(NOW, 5, 0);
	struct clock_map shift = clock_map_shift(-NOW);

	cmp_ok(clock_map_kernel(&stands, 6), >=, CLOCK_NEVER_NS,
	       "a clock that stands still never shows a later time");
	is(clock_map_deadline(&stands, clock_map_kernel(&stands, 60)), 60,
	   "... and what is waited for can be told from that");
	is(clock_map_kernel(&stands, 5), 0, "... and what it shows, it has always shown");
	is(clock_map_shown(&shift, NOW - 1), 0, "no clock shows a time before 1970");
	ok(clock_map_is_none(&(struct clock_map)CLOCK_MAP_NONE) && !clock_map_is_none(&shift) &&
		   !clock_map_is_none(&stands),
	   "the kernel's own clock is none of one's own, and no other is");
	ok(timens_clock_of(5) == TIMENS_REALTIME && timens_clock_of(4) == TIMENS_MONOTONIC &&
		   timens_clock_of(9) == TIMENS_BOOTTIME && timens_clock_of(2) == -1 &&
		   timens_clock_of(-3) == -1 && timens_clock_of(1ll << 32) == -1,
	   "coarse clocks and alarms go with their clock, and CPU time with none");
}

int main(void)
{
	test_shown();
	test_waits();
	test_ends();
	return done_testing();
}
