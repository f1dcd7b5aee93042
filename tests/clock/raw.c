/*
 * raw.c - MONOTONIC_RAW goes with MONOTONIC, by a line of its own.
 *
 * The kernel's two have been apart since it was started, and a rate is not to count that: so
 * what RAW shows is as continuous at a change as MONOTONIC, and only an offset moves both.
 */
#include <time.h>

#include "kernel/clock/wish.h"
#include "tap.h"

#define SECOND 1000000000ll
#define DAY    (86400 * SECOND)

/* After a day of uptime, and some more. */
static struct clock_now now_after(s64 ns)
{
	struct clock_now now = {.raw = DAY - SECOND / 4 + ns + ns / 100000};

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		now.ns[i] = DAY + ns;
	return now;
}

static s64 raw(const struct own_clocks *clocks, const struct clock_now *now)
{
	return clock_map_shown(own_clocks_map(clocks, CLOCK_MONOTONIC_RAW), now->raw);
}

static s64 mono(const struct own_clocks *clocks, const struct clock_now *now)
{
	return clock_map_shown(own_clocks_map(clocks, CLOCK_MONOTONIC),
			       now->ns[TIMENS_MONOTONIC]);
}

static void test_start(void)
{
	struct clock_wish wish = {.has_rate = true, .rate_all = true, .rate = 1000 * SECOND};
	struct clock_now now = now_after(0), later = now_after(SECOND);
	struct own_clocks clocks;

	clock_wish_start(&wish, &now, &clocks);
	is(raw(&clocks, &now), now.raw,
	   "at a rate of its own RAW begins where the kernel's is");
	is(raw(&clocks, &later) - now.raw, (later.raw - now.raw) * 1000,
	   "... and goes at that rate");
	wish.offset[TIMENS_MONOTONIC] = 5 * SECOND;
	now.ahead[TIMENS_MONOTONIC] = 7 * SECOND;
	clock_wish_start(&wish, &now, &clocks);
	is(raw(&clocks, &now), now.raw + 12 * SECOND, "... ahead by as much as MONOTONIC");
	wish.rate_all = false;
	clock_wish_start(&wish, &now, &clocks);
	is(raw(&clocks, &later), later.raw + 12 * SECOND,
	   "a rate of the wall clocks is none of RAW's");
}

static void test_change(void)
{
	static const u64 rates[] = {1000000, 1000000000, 1000000000000, 2500000000, 1000000000};
	struct clock_wish wish = {.has_rate = true, .rate_all = true, .rate = 1000 * SECOND};
	struct clock_now now = now_after(0);
	struct own_clocks clocks;
	unsigned jumps = 0;

	clock_wish_start(&wish, &now, &clocks);
	for (int i = 0; i < 50; i++) {
		s64 was;

		now = now_after((i + 1) * 10 * SECOND);
		was = raw(&clocks, &now);
		wish.rate = rates[i % 5];
		clock_wish_change(&wish, &now, &clocks);
		jumps += raw(&clocks, &now) != was;
	}
	is(jumps, 0, "at a change of the rate RAW does not jump");
}

static void test_offset(void)
{
	struct clock_wish wish = {.has_rate = true, .rate_all = true, .rate = SECOND};
	struct clock_wish offset = {.has_offset[TIMENS_MONOTONIC] = true,
				    .offset[TIMENS_MONOTONIC] = 100 * DAY};
	struct clock_wish wall = {.has_moment = true, .moment = 5 * SECOND};
	struct clock_now now = now_after(0);
	struct own_clocks clocks, before;
	s64 raw_was, mono_was;

	clock_wish_start(&wish, &now, &clocks);
	now = now_after(10 * SECOND);
	clock_wish_change(&offset, &now, &clocks);
	is(raw(&clocks, &now), now.raw + 100 * DAY, "an offset of MONOTONIC shifts RAW");
	wish.rate = 3 * SECOND;
	clock_wish_change(&wish, &now, &clocks);
	now = now_after(20 * SECOND);
	raw_was = raw(&clocks, &now);
	mono_was = mono(&clocks, &now);
	offset.offset[TIMENS_MONOTONIC] = 101 * DAY;
	clock_wish_change(&offset, &now, &clocks);
	ok(raw(&clocks, &now) > raw_was &&
		   raw(&clocks, &now) - raw_was == mono(&clocks, &now) - mono_was,
	   "... by as much as MONOTONIC goes forward, and so it never goes back");
	before = clocks;
	raw_was = raw(&clocks, &now);
	clock_wish_change(&wall, &now, &clocks);
	is(raw(&clocks, &now), raw_was, "a step of REALTIME is none of RAW's");
	clocks = before;
	ok(own_clocks_agree(&clocks, &before), "clocks agree with themselves");
	clocks.raw.shown_ns++;
	ok(!own_clocks_agree(&clocks, &before), "... and not where only RAW is another");
}

int main(void)
{
	test_start();
	test_change();
	test_offset();
	return done_testing();
}
