/*
 * shown-line.c - from the line of the kernel's clock to that of a clock of one's own:
 * shown_line().
 */
#include "../../tutorial/run/shown_line.h"
#include "tap.h"

#define START_NS    UINT64_C(5000000000)
#define ANCHOR_NS   ((s64)START_NS - 1000000000)
#define SHOWN_NS    INT64_C(1700000000000000000)
#define RATE(times) (u64)((times)*CLOCK_RATE_ONE)

typedef unsigned __int128 u128;

/* 2.6 GHz, and a clock that showed SHOWN_NS a second ago. */
static struct timeline kernel_line(void)
{
	return (struct timeline){.ns = START_NS, .mult = 412977625, .shift = 30};
}

static struct clock_map map_of(u64 rate)
{
	return clock_map_from(ANCHOR_NS, SHOWN_NS, rate);
}

/* Parts of a nanosecond, << 32, so that lines of any shift can be compared. */
static u128 parts(u64 ns, u64 frac, u32 shift, u128 more)
{
	return (((u128)ns << shift | frac) + more) << (32 - shift);
}

static u128 shows(const struct shown_line *line, u64 cycles)
{
	return parts(line->ns, line->frac, line->shift, (u128)cycles * line->mult);
}

static double since(u128 shown)
{
	return (double)(s64)((u64)(shown >> 32) - (u64)SHOWN_NS) +
	       (double)(u32)shown / 4294967296.0;
}

/* Both within a hundredth of a nanosecond, or as near as asked for. */
static bool compare(u128 got, u128 want, u128 doubt, const char *what)
{
	u128 apart = got > want ? got - want : want - got;

	if (ok(apart <= doubt, "%s", what))
		return true;
	expected("the anchor + %.3f ns", since(want));
	but_got("the anchor + %.3f ns", since(got));
	return false;
}

static void test_one(void)
{
	struct timeline kernel = kernel_line();
	struct clock_map none = CLOCK_MAP_NONE;
	struct shown_line line;

	line = shown_line(&kernel, SHOWN_NS, &none);
	if (!ok(line.ns == START_NS + (u64)SHOWN_NS && line.mult == kernel.mult &&
			line.shift == kernel.shift,
		"a clock that nobody has changed is the kernel's"))
		because("a rate of CLOCK_RATE_ONE is once as fast");
}

static void test_two(void)
{
	struct timeline kernel = kernel_line();
	struct clock_map map = map_of(RATE(2));
	struct shown_line line = shown_line(&kernel, 0, &map);
	u128 begins = parts((u64)SHOWN_NS + 2000000000, 0, 0, 0);

	if (!compare(shows(&line, 0), begins, 0,
		     "at double speed a second after the anchor is two"))
		because("a line is a place and a slope. With another slope alone it is right "
			"until the next update, and that begins at the kernel's clock");
	if (!compare(shows(&line, 2600000) - shows(&line, 0) + parts((u64)SHOWN_NS, 0, 0, 0),
		     parts((u64)SHOWN_NS, 0, 30, 2 * (u128)2600000 * kernel.mult), 1 << 26,
		     "... and of the next millisecond it makes two"))
		because("readers multiply the cycles since the line began by mult");
}

static void test_fraction(void)
{
	struct timeline kernel = kernel_line();
	struct clock_map map = map_of(RATE(2));
	struct shown_line line;

	kernel.frac = 3 << 28;
	line = shown_line(&kernel, 0, &map);
	if (!compare(shows(&line, 0), parts((u64)SHOWN_NS + 2000000001, 1 << 29, 30, 0), 1,
		     "three quarters of a nanosecond become one and a half"))
		because("the line before this one has counted them twice. If this one does "
			"not, it begins lower, and a reader sees the clock go back");
}

static void test_shift(void)
{
	struct timeline kernel = kernel_line();
	struct clock_map map = map_of(RATE(1000));
	struct shown_line line;
	u128 want;

	/* 10 MHz. */
	kernel.mult = 3355443200;
	kernel.shift = 25;
	line = shown_line(&kernel, 0, &map);
	want = parts((u64)SHOWN_NS + 1000000000000 + 1000 * 100, 0, 0, 0);
	if (!compare(shows(&line, 1), want, 1 << 26,
		     "a slope that takes more than 32 bits gets a smaller shift"))
		because("mult has 32 bits on the data page. Half of mult with a shift that "
			"is one less is the same slope; and the base has that shift, too");
}

static u64 random_below(u64 limit)
{
	static u64 state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % limit;
}

static void test_many(void)
{
	static const u64 rates[] = {RATE(2), RATE(1) / 3, RATE(1000), RATE(0.7)};
	int back = 0;
	u64 by = 0;

	for (int i = 0; i < 4; i++) {
		struct timeline kernel = kernel_line();
		struct clock_map map = map_of(rates[i]);

		for (int update = 0; update < 2500; update++) {
			struct shown_line old = shown_line(&kernel, 0, &map), new;
			u64 cycles = random_below(2600000000);
			u128 sum = (u128)cycles * kernel.mult + kernel.frac;
			u64 last = (u64)(shows(&old, cycles) >> 32);

			kernel.ns += (u64)(sum >> 30);
			kernel.frac = (u64)sum & ((1 << 30) - 1);
			kernel.mult = 412977625 + (u32)random_below(200000);
			new = shown_line(&kernel, 0, &map);
			if (new.ns < last && ++back && last - new.ns > by)
				by = last - new.ns;
		}
	}
	if (is(back, 0, "ten thousand lines at four rates: none ends ahead of the next"))
		return;
	diag("by %lu ns at most", (unsigned long)by);
	because("a mult that is rounded up gains a part of a nanosecond with each cycle, and "
		"the next line begins without it. Rounded down, it is the next line that is "
		"ahead, by less than anybody sees");
}

int main(void)
{
	test_one();
	test_two();
	test_fraction();
	test_shift();
	test_many();
	return done_testing();
}
