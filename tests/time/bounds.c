/*
 * bounds.c - each rule of the timeline, on both sides of the number where it begins.
 *
 * timeline.c, beside this, asks what readers see in the long run, and forgives a rule that is
 * off by a little. Here a line of a nanosecond per cycle gets one sample, and what it decides
 * was calculated by hand.
 */
#include <math.h>

#include "kernel/time/bases.h"
#include "kernel/time/timeline.h"
#include "tap.h"

#define MASK64 (~0ull)
#define ONE    (1u << 30) /* mult of a nanosecond per cycle */

static bool starts(struct timeline *line, u64 mask, u64 cycles, u64 ns, u64 width)
{
	return timeline_start(
		line, mask, (struct timeline_sample){1000, 5000, width},
		(struct timeline_sample){(1000 + cycles) & mask, 5000 + ns, width});
}

static void test_start(void)
{
	struct timeline line;

	ok(starts(&line, MASK64, 16000000, 1000000, 60), "16 GHz is a counter");
	ok(!starts(&line, MASK64, 16000001, 1000000, 60), "a little more is none");
	ok(starts(&line, MASK64, 1000, 1000000, 60), "1 MHz is a counter");
	ok(!starts(&line, MASK64, 1000, 1000001, 60), "a little less is none");
	ok(!starts(&line, 0xffffffff, 0xffffff9c, 0xffffff9c, 60),
	   "a counter of 32 bits that goes back is none, though the numbers would fit");

	ok(starts(&line, MASK64, 50000, 50000, 0) && line.period == TIMELINE_FIRST_PERIOD_NS,
	   "the first period is not shorter than a young line's");
	ok(starts(&line, MASK64, 1000000, 1000000, 0) && line.period == 1000000,
	   "a line is looked at again after as long as it was observed");
	ok(starts(&line, MASK64, 10000000, 10000000, 0) && line.period == TIMELINE_PERIOD_NS,
	   "... and not after more than a period");

	/* (50 + 100 / 2) ns of room, and a rate that is 100 / 50e6 + 1e-6 too fast at most. */
	ok(starts(&line, MASK64, 50000000, 50000000, 100), "a line of 50 ms");
	is(line.max_cycles, 33333333, "it may be followed until it could be too far ahead");
	ok(starts(&line, MASK64, 1000000, 1000000, 100), "a line of 1 ms");
	is(line.max_cycles, 2000000, "it may be followed for two periods in any case");
	ok(starts(&line, MASK64, 200000000, 200000000, 0), "a line of 200 ms");
	cmp_ok(line.max_cycles, <=, 50000000, "none may be followed for more than 50 ms");
	ok(starts(&line, 0xffff, 30000, 30000, 0), "a line of 30 us and 16 bits");
	is(line.max_cycles, 0x7fff, "it may be followed through half of the counter");

	ok(starts(&line, MASK64, 1000000, 3960000, 0) && line.shift == 30 &&
		   starts(&line, MASK64, 1000000, 3961000, 0) && line.shift == 29,
	   "the shift leaves a hundredth of its 32 bits to mult");
}

/* A nanosecond per cycle for 100 ms, at 1000000 in everything; a period later comes a sample.
 */
static struct timeline plain(void)
{
	return (struct timeline){
		.cycle_last = 1000000,
		.ns = 1000000,
		.mask = MASK64,
		.max_cycles = 50000000,
		.mult = ONE,
		.shift = 30,
		.rate = 1,
		.age = 100e6,
		.best_width = 60,
		.last = {1000000, 1000000, 60},
		.next_mult = ONE,
		.next_shift = 30,
		.period = TIMELINE_PERIOD_NS,
	};
}

static struct timeline_sample after(u64 cycles, u64 ns)
{
	return (struct timeline_sample){1000000 + cycles, 1000000 + ns, 60};
}

static bool about(double a, double b)
{
	return fabs(a - b) < 1e-10;
}

/* The slew that a line decides on when the kernel's clock is ahead by so much. */
static double slew(struct timeline *line, s64 error)
{
	line->ns -= (u64)error;
	timeline_steer(line, after(4000000, 4000000));
	return line->next_mult / (double)ONE - 1;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 2e-9;
}

static void test_steer(void)
{
	struct timeline line = plain();

	ok(near(slew(&line, 100), 12.5e-6), "half of an error is slewed away in a period");
	line = plain();
	ok(near(slew(&line, -100), -12.5e-6), "... in both directions");
	line = plain();
	line.followed_ns = 8000000;
	ok(near(slew(&line, 100), 6.25e-6), "... or in as long as readers follow the line");
	line = plain();
	ok(near(slew(&line, 310), 38.75e-6) && !line.restart,
	   "an error of 250 ns and the doubt of the sample is slewed away");
	line = plain();
	ok(near(slew(&line, 311), 0) && line.restart, "more is a new beginning");
	line = plain();
	line.age = 0;
	line.last = after(3900000, 3900000);
	ok(near(slew(&line, 300), 500e-6), "nothing is slewed away faster than by 500 ppm");
	line = plain();
	line.age = 0;
	line.last = after(3900000, 3900000);
	ok(near(slew(&line, -300), -500e-6), "... in both directions");
	line = plain();
	ok(near(slew(&line, -1060), -132.5e-6), "1000 ns and the doubt ahead is not far");
	line = plain();
	ok(near(slew(&line, -1061), -265.25e-6), "more is, and waits for the kernel's clock");
	line = plain();
	ok(near(slew(&line, -3000000), -0.5), "... at half speed at least");

	line = plain();
	timeline_steer(&line, after(50000000, 50000000));
	ok(!line.restart, "readers at max_cycles are not past it");
	line = plain();
	timeline_steer(&line, after(50000001, 50000001));
	ok(line.restart, "readers past max_cycles have asked the kernel");

	/* best_width grows by a 64th and by 1, to 61. */
	line = plain();
	line.next_mult = 0;
	timeline_steer(&line, (struct timeline_sample){5000000, 5000000, 8 * 61});
	is(line.last.cycles, 5000000, "a sample eight times as wide as usual is a sample");
	line = plain();
	line.next_mult = 0;
	timeline_steer(&line, (struct timeline_sample){5000000, 5000000, 8 * 61 + 1});
	ok(line.last.cycles == 1000000 && line.next_mult == ONE, "a wider one is worthless");
	is(line.best_width, 61, "what is usual fades");
	timeline_steer(&line, (struct timeline_sample){5000000, 5000000, 40});
	is(line.best_width, 40, "... and a better sample replaces it");
}

static void test_rate(void)
{
	struct timeline line = plain();
	unsigned n;

	line.age = 1e6;
	timeline_steer(&line, after(1000000, 1000500));
	ok(about(line.rate, 1 + 0.0005 * 1000500 / 2000500) && line.age == 2000500,
	   "a young rate is the mean of all there is");
	line = plain();
	timeline_steer(&line, after(4000000, 4002000));
	ok(about(line.rate, 1 + 0.0005 * 4002000 / 1e8) && line.age == 1e8,
	   "an old one that of the last 100 ms");
	line = plain();
	timeline_steer(&line, after(200000000, 200010000));
	ok(about(line.rate, 1.00005) && line.age == 1e8, "... or of one long look");

	for (int later = 0; later < 2; later++) {
		line = plain();
		timeline_steer(&line,
			       later ? after(4000000, (u64)-5) : after((u64)-5, 4000000));
		ok(line.rate == 1 && !line.strange, "nothing is learnt where the %s went back",
		   later ? "clock" : "counter");
	}
	line = plain();
	timeline_steer(&line, after(0, 4000000));
	ok(line.rate == 1 && !line.strange, "... or where the counter stood still");
	line = plain();
	timeline_steer(&line, after(4000000, 0));
	ok(line.rate == 1 && !line.strange, "... or the clock");

	/* The doubt is (60 + 60) / 1000, and a thousandth. */
	line = plain();
	timeline_steer(&line, after(1000, 1120));
	ok(!line.strange && line.rate != 1,
	   "a rate is believed within the doubt of two samples");
	line = plain();
	timeline_steer(&line, after(1000, 1122));
	ok(line.strange == 1 && line.rate == 1 && line.period == TIMELINE_FIRST_PERIOD_NS,
	   "beyond that it is strange, and there is another look soon");
	timeline_steer(&line, after(2000, 2122));
	ok(!line.strange && line.rate == 1, "a rate as before ends that");

	line = plain();
	for (n = 1; n < 8; n++) {
		timeline_steer(&line, after(n * 4000000, n * 32000000));
		if (line.strange != n || line.rate != 1)
			break;
	}
	is(n, 8, "seven strange rates in a row are accidents");
	line.restart = false;
	timeline_steer(&line, after(8 * 4000000, 8 * 32000000));
	ok(line.rate == 8 && !line.strange && line.restart && line.age == 32e6,
	   "the eighth is that of another counter");
	is(line.next_shift, 28, "... whose mult gets the room that it needs");
	line = plain();
	line.rate = 8;
	line.shift = line.next_shift = 28;
	for (n = 1; n <= 8; n++)
		timeline_steer(&line, after(n * 4000000, n * 4000000));
	ok(line.rate == 1 && line.next_shift == 30, "... or the precision that it allows");
	line = plain();
	line.rate = 8;
	line.ns += 300;
	for (n = 1; n < 8; n++)
		timeline_steer(&line, after(n * 4000000, n * 4000000));
	ok(!line.restart, "ahead, seven of them leave the line as it is");
	timeline_steer(&line, after(8 * 4000000, 8 * 4000000));
	ok(line.restart, "... and the eighth begins another one");
	line = plain();
	for (n = 1; n < 20; n++)
		timeline_steer(&line, after(n * 4000, n * 8000000));
	ok(line.rate == 1 && line.strange == 19, "... but not one that no counter has");

	line = plain();
	timeline_steer(&line, after(4000000, 8000000));
	ok(line.lost && line.restart, "with a strange rate there is no next line");
	line = plain();
	line.ns += 4000250;
	timeline_steer(&line, after(4000000, 8000000));
	ok(line.lost, "... of one that is 250 ns ahead");
	line = plain();
	line.ns += 4000251;
	timeline_steer(&line, after(4000000, 8000000));
	ok(!line.lost && !line.restart, "one that is further ahead must be kept");

	line = plain();
	line.rate = 3.97;
	timeline_steer(&line, after(1000000, 3970000));
	is(line.next_shift, 30, "a rate that has crept up a little keeps its shift");
	line = plain();
	line.rate = 3.99;
	timeline_steer(&line, after(1000000, 3990000));
	ok(line.next_shift == 29 && line.restart, "a further one gets another, and a new line");
}

static void test_ready(void)
{
	struct timeline line = plain();

	ok(timeline_ready(&line, 51000000) && !line.restart, "a line at max_cycles goes on");
	line.cycle_last = 2000000;
	timeline_ready(&line, 1999999);
	ok(line.restart, "one from before which a counter fell back begins anew");
	line = plain();
	line.last.cycles = 51000000;
	line.best_width = 0;
	ok(timeline_ready(&line, 51000001) && line.restart, "past it, it begins anew");
	line.last.cycles = 1000000;
	ok(timeline_ready(&line, 2000000), "a look of a millisecond ago says where");
	ok(!timeline_ready(&line, 2000001), "... and an older one does not");
	ok(!timeline_ready(&line, 999999), "... or one that is to come");
	line.mask = 0xffff;
	line.cycle_last = 0;
	line.last.cycles = 1000;
	ok(timeline_ready(&line, 1001) && !timeline_ready(&line, 999),
	   "... also where the counter soon wraps");
	line = plain();
	line.restart = true;
	/* 55 / 2 ns of room, and a rate that is 10 / 1e5 + 1e-6 too fast at most. */
	line.best_width = 10;
	line.age = 1e5;
	ok(timeline_ready(&line, 1000000 + 272277), "a doubtful rate says it for a while");
	ok(!timeline_ready(&line, 1000000 + 272278), "... and no longer");
}

static void test_advance(void)
{
	struct timeline line = plain();

	is(timeline_at(&line, 1000001), 1000001, "a line shows a nanosecond more each cycle");
	is(timeline_at(&line, 999999), 1000000, "... and before it begins, its beginning");

	timeline_advance(&line, 51000000);
	is(line.ns, 51000000, "the next line begins at the end of the last");
	line = plain();
	timeline_advance(&line, 51000001);
	is(line.ns, 51000000, "... and not past what readers followed");
	line = plain();
	timeline_advance(&line, 999999);
	ok(line.ns == 1000000 && line.cycle_last == 999999, "... or before its beginning");
	line = plain();
	line.mask = 0xfffff;
	line.cycle_last = 0xffff0;
	timeline_advance(&line, 0x100010);
	ok(line.ns == 1000032 && line.cycle_last == 0x10, "a counter that wraps is masked");

	/* The counter has jumped by so much since the kernel's clock showed the line's
	 * beginning. */
	line = plain();
	line.last.cycles = 1020000;
	timeline_restart(&line);
	timeline_advance(&line, 1020000);
	ok(line.ns == 1020000 && line.error_at_start == -20000 && !line.restart,
	   "20 us ahead of the kernel's clock, readers can have been there");
	line = plain();
	line.last.cycles = 1020001;
	timeline_restart(&line);
	timeline_advance(&line, 1020001);
	is(line.ns, 1000000, "further ahead, no reader has been there");
	line = plain();
	line.last = (struct timeline_sample){2000000, 1000500, 60};
	timeline_restart(&line);
	line.error_at_start = 100;
	timeline_advance(&line, 2000000);
	ok(line.ns == 1000500 && line.error_at_start == 0,
	   "... and the next line begins at the kernel's clock");
	line = plain();
	line.last = (struct timeline_sample){2000000, 1000500, 60};
	timeline_restart(&line);
	line.error_at_start = -100;
	timeline_advance(&line, 2000000);
	is(line.ns, 1000600, "... or where readers of a line that was ahead have been");
	line = plain();
	line.last.ns = 999000;
	line.frac = 1;
	line.next_mult = ONE + 1000;
	timeline_restart(&line);
	is(line.next_mult, ONE, "a new beginning has the rate for its slope");
	timeline_advance(&line, 1000000);
	ok(line.ns == 1000000 && line.frac == 1 && line.error_at_start == -1000,
	   "a line ahead of the kernel's clock begins where it was");

	for (u64 frac = 0; frac < 2; frac++) {
		line = plain();
		line.frac = frac;
		line.next_shift = 29;
		timeline_advance(&line, 1000000);
		ok(line.ns == 1000000 + frac && line.frac == 0 && line.shift == 29,
		   "with another shift %s",
		   frac ? "a part of a nanosecond is a whole one" : "what is whole stays");
	}

	/* At half speed from 10 ms ahead: 2 * 10e6 / (0.5 - 1e-6) ns. */
	line = plain();
	line.best_width = 0;
	line.ns += 10000000;
	line.next_mult = ONE / 2;
	timeline_advance(&line, 1000000);
	is(line.max_cycles, 40000080, "a line that waits is followed until it is behind");
}

static void test_offset(void)
{
	ok(timeline_offset(0, 100, 110) == 100 && timeline_offset(0, -110, -100) == -100,
	   "100 ns out, an offset moves to the nearer end");
	ok(timeline_offset(0, 101, 111) == 106 && timeline_offset(0, -111, -101) == -106,
	   "further out, to the middle");
}

static void test_closed(void)
{
	struct bases bases = {.raw = plain()};
	struct vdso_data vd = {.max_cycles = 50000000};

	bases_close_raw(&bases, &vd);
	ok(!vd.max_cycles && !bases.raw.max_cycles,
	   "a line of RAW that is closed is followed by nobody");
}

static s64 tai_of(s64 real, s64 tai)
{
	struct clocks_look first = {.mono = {1000, 5000, 60}, .raw = {1000, 5000, 60}};
	struct clocks_look second = {
		.mono = {1001000, 1005000, 60},
		.raw = {1001000, 1005000, 60},
		.real = {real - 5, real + 5},
		.tai = {tai - 5, tai + 5},
	};
	struct bases bases = {0};

	return bases_start(&bases, MASK64, &first, &second) ? bases.tai : 0;
}

static void test_bases(void)
{
	struct bases bases = {.mono = {.period = 5}, .raw = {.period = 3}};

	is(tai_of(1000, 37000001400), 37000001000, "TAI is whole seconds from REALTIME");
	is(tai_of(1000, 37600000000), 38000001000, "... the next ones");
	is(bases_period(&bases), 3, "the next look is when RAW wants it");
	bases.mono.period = 2;
	is(bases_period(&bases), 2, "... or MONOTONIC, if that is sooner");
}

int main(void)
{
	test_start();
	test_steer();
	test_rate();
	test_ready();
	test_advance();
	test_offset();
	test_closed();
	test_bases();
	return done_testing();
}
