/*
 * other-rate.c - a clock of one's own gets another rate while it is looked at: other_rate().
 */
#include "../../tutorial/run/shown_line.h"
#include "tap.h"

#define AHEAD       INT64_C(1700000000000000000)
#define RATE(times) (u64)((times)*CLOCK_RATE_ONE)

static struct timeline line_at(u64 ns, u64 frac)
{
	return (struct timeline){.ns = ns, .frac = frac, .mult = 412977625, .shift = 30};
}

/* What is shown where the line begins, since the clock was the kernel's. */
static s64 shown(const struct timeline *kernel, const struct clock_map *map)
{
	return (s64)shown_line(kernel, AHEAD, map).ns - AHEAD;
}

static void test_change(void)
{
	struct timeline at = line_at(5000, 0), later = line_at(7000, 0);
	struct clock_map two = clock_map_from(AHEAD + 1000, AHEAD + 1000, RATE(2)), three;

	/* 4000 ns at double speed, from 1000 on. */
	three = other_rate(&at, AHEAD, &two, RATE(3));
	if (!is(shown(&at, &three), (s64)9000,
		"where the rate changes, the clock shows what it has shown"))
		because("a new rate holds from now on. For what is past somebody has seen the "
			"old one, and whoever measures across the change would measure a jump");
	if (!is(shown(&later, &three) - shown(&at, &three), (s64)6000,
		"... and from there on it goes at the new one"))
		because("2000 ns of the kernel's have passed since, at rate 3");
}

static void test_stop(void)
{
	struct timeline at = line_at(5000, 0), later = line_at(105000, 0),
			last = line_at(106000, 0);
	struct clock_map two = clock_map_from(AHEAD + 1000, AHEAD + 1000, RATE(2)), map;

	map = other_rate(&at, AHEAD, &two, 0);
	if (!is(shown(&later, &map), (s64)9000, "stopped, it stands where it was"))
		because("rate 0 is a rate as well: the line is level, at the height of now");
	map = other_rate(&later, AHEAD, &map, RATE(1));
	if (!is(shown(&last, &map), (s64)10000, "... and goes on from there"))
		because("the time for which it has stood is not made up for");
}

static u64 random_below(u64 limit)
{
	static u64 state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % limit;
}

static void test_many(void)
{
	static const u64 rates[] = {0, RATE(0.001), RATE(1), RATE(2), RATE(7.5), RATE(1000)};
	struct clock_map map = clock_map_from(AHEAD, AHEAD, RATE(1000));
	struct timeline kernel = line_at(0, 0);
	s64 back = 0, jump = 0;

	for (int i = 0; i < 10000; i++) {
		s64 before, step;

		kernel.ns += random_below(100);
		kernel.frac = random_below(1 << 30);
		before = shown(&kernel, &map);
		map = other_rate(&kernel, AHEAD, &map, rates[random_below(6)]);
		step = shown(&kernel, &map) - before;
		if (-step > back)
			back = -step;
		if (step > jump)
			jump = step;
		kernel.ns++;
	}
	if (!is(back, (s64)0, "ten thousand changes: the clock never goes back"))
		because("the line begins at no whole nanosecond, and at rate 1000 the rest of "
			"one is up to 999 that readers have seen. shown_line() knows them, the "
			"map "
			"with a whole number does not");
	if (!cmp_ok(jump, <, (s64)1000,
		    "... nor ahead by a nanosecond of the kernel's or more"))
		because("that is a jump");
}

int main(void)
{
	test_change();
	test_stop();
	test_many();
	return done_testing();
}
