/*
 * advance.c - one line ends and the next one begins, and no reader notices.
 *
 * timeline.c lets simulated machines run into every accident. Here it is the one step that all
 * of that rests on, timeline_advance(), in the order in which it is written: where the new line
 * begins, what is below a nanosecond, the slope, and the two cases in which the kernel's clock
 * is somewhere else altogether.
 */
#include <inttypes.h>
#include <math.h>
#include <vdso/cycles.h>

#include "kernel/time/timeline.h"
#include "tap.h"

#define START_CYCLES 1000000
#define START_NS     UINT64_C(5000000000)

/* A line of 2.6 GHz, and a decision to go on with another slope. */
static struct timeline line_of(double slew)
{
	struct timeline_sample a = {START_CYCLES - 26000000, START_NS - 10000000, 60};
	struct timeline_sample b = {START_CYCLES, START_NS, 60};
	struct timeline line;

	if (!timeline_start(&line, ~0ull, a, b))
		bail_out("a line through two good samples was refused");
	line.next_mult = (u32)(line.mult * (1 + slew));
	return line;
}

/* What the line shows, in parts of a nanosecond, << shift. */
static unsigned __int128 shows(const struct timeline *line, u64 cycles)
{
	unsigned __int128 base = ((unsigned __int128)line->ns << line->shift) | line->frac;

	return base + (unsigned __int128)(cycles - line->cycle_last) * line->mult;
}

static double in_ns(unsigned __int128 parts, const struct timeline *line)
{
	return (double)(s64)(parts >> line->shift) - (double)START_NS +
	       (double)(u32)(parts & ((1u << line->shift) - 1)) / (double)(1u << line->shift);
}

static void tell(const struct timeline *line, unsigned __int128 want, unsigned __int128 got)
{
	expected("the start + %.6f ns", in_ns(want, line));
	but_got("the start + %.6f ns", in_ns(got, line));
}

static void test_beginning(void)
{
	static const double slews[] = {0, 400e-6, -400e-6};
	unsigned __int128 want = 0, got = 0;
	struct timeline line;
	bool right = true;

	for (int i = 0; i < 3 && right; i++) {
		u64 now = START_CYCLES + 10400001;

		line = line_of(slews[i]);
		/* The sample says that the kernel's clock is not where the line is. */
		line.last.ns += i == 1 ? 700 : -700;
		want = shows(&line, now);
		timeline_advance(&line, now);
		got = shows(&line, now);
		right = got == want;
	}
	if (ok(right, "the new line begins where the old one ends"))
		return;
	tell(&line, want, got);
	because("%s",
		(got > want ? got - want : want - got) >> line.shift
			? "some reader has just been on the old line, and is on the new one "
			  "now. If it begins lower the clock has gone back; if higher, it has "
			  "jumped"
			: "where the line ends is no whole nanosecond. What is below one "
			  "goes into frac, and with the new line it goes on from there");
}

static void test_pieces(void)
{
	struct timeline whole = line_of(0), pieces = whole;
	unsigned __int128 want, got;

	for (u64 i = 1; i <= 100000; i++)
		timeline_advance(&pieces, START_CYCLES + i * 37);
	want = shows(&whole, START_CYCLES + 3700000);
	got = shows(&pieces, START_CYCLES + 3700000);
	if (ok(got == want, "a line in a hundred thousand pieces ends where it does in one"))
		return;
	tell(&whole, want, got);
	because("what is below a nanosecond is small, and lost with each update");
}

static void test_slope(void)
{
	struct timeline line = line_of(400e-6);
	u64 now = START_CYCLES + 10400001, later = now + 2600000;
	unsigned __int128 want, got;

	want = shows(&line, now) + (unsigned __int128)2600000 * line.next_mult;
	timeline_advance(&line, now);
	got = shows(&line, later);
	if (ok(got == want, "the new line has the new slope, from its beginning on"))
		return;
	tell(&line, want, got);
	because("the slope is what was decided for the time from now on. Cycles that are past "
		"have been shown with the old one");
}

static void test_error(void)
{
	u64 now = START_CYCLES + 10400001;
	struct timeline line = line_of(0);

	line.error = -123;
	timeline_advance(&line, now);
	if (ok(line.error_at_start == -123,
	       "the error that the sample found is the one that the new line begins with"))
		return;
	expected("error_at_start -123");
	but_got("error_at_start %.0f", line.error_at_start);
	because("it says how far the kernel's clock was ahead of the line where it began. "
		"After "
		"a jump of the counter the next update reckons with it how long this line can "
		"have been followed");
}

/* ---- ten thousand updates ------------------------------------------------------------- */

static double true_ns, kernel_ns, ppm;

static double chance(void)
{
	static unsigned seed = 1;

	return (double)(seed = seed * 1103515245 + 12345) / 4294967296.0;
}

static void pass(double ns)
{
	true_ns += ns;
	kernel_ns += ns * (1 + ppm * 1e-6);
}

static u64 counter(void)
{
	return (u64)(true_ns * 2.6);
}

static struct timeline_sample sample(void)
{
	return (struct timeline_sample){counter(), (u64)(kernel_ns + chance() * 20 - 10), 60};
}

static void test_many(void)
{
	struct timeline_sample first;
	struct timeline line;
	u64 before, after, last = 0;
	int backwards = 0, worst_at = 0;
	double worst = 0;

	true_ns = 1e9;
	kernel_ns = 5e9;
	first = sample();
	pass(2.5e6);
	if (!timeline_start(&line, ~0ull, first, sample()))
		bail_out("a line through two good samples was refused");
	for (int i = 0; i < 10000; i++) {
		/* The rate wanders as NTP makes it, and the updates come when they come. */
		ppm = 15 * sin(i / 300.0);
		pass(TIMELINE_PERIOD_NS * (0.5 + chance()));
		timeline_steer(&line, sample());
		pass(150);
		before = timeline_at(&line, counter());
		timeline_advance(&line, counter());
		after = timeline_at(&line, counter());
		backwards += before < last || after < before;
		last = after;
		if (fabs((double)after - kernel_ns) > worst && i >= 100) {
			worst = fabs((double)after - kernel_ns);
			worst_at = i;
		}
	}
	if (!is(backwards, 0,
		"ten thousand updates, early and late: the clock never goes back"))
		because("a program that takes the time twice, and subtracts, gets a negative "
			"number, or in unsigned arithmetic a very large one");
	if (!cmp_ok(worst, <, 100, "... and stays within 100 ns of the kernel's")) {
		diag("at update %d", worst_at);
		because("a line that begins right and has the right slope is right; a small "
			"error that is made with each update is steered against for ever");
	}
}

/* ---- the kernel's clock is elsewhere -------------------------------------------------- */

/* The place is right; what else? */
static const char *after_restart(const struct timeline *line, double error)
{
	if (line->error_at_start != error)
		return "the place is right, and error_at_start is not. After a restart it is "
		       "the "
		       "distance from where the line begins to the kernel's clock, below 0 if "
		       "that one is behind, and 0 where the line begins at it";
	return "the place is right, but restart is still set: the next update would do it "
	       "again";
}

static void test_ahead(void)
{
	u64 now = START_CYCLES + 10400000;
	struct timeline line = line_of(0);
	u64 want;

	/* The machine was stopped for an hour, and nobody was on our line. */
	line.last = (struct timeline_sample){now, START_NS + 3600 * UINT64_C(1000000000), 60};
	line.restart = true;
	want = line.last.ns;
	timeline_advance(&line, now);
	if (ok(line.ns == want && line.error_at_start == 0 && !line.restart,
	       "to a kernel's clock that has jumped ahead the clock jumps, too"))
		return;
	expected("the start + %" PRIu64 " ns, error 0, no restart any more", want - START_NS);
	but_got("the start + %" PRIu64 " ns, error %.0f, %s", line.ns - START_NS,
		line.error_at_start, line.restart ? "restart" : "no restart");
	because("%s", line.ns != want
			      ? "slewing an hour away at 500 parts in a million takes 83 days"
			      : after_restart(&line, 0));
}

static void test_behind(void)
{
	u64 now = START_CYCLES + 10400000;
	struct timeline line = line_of(-0.5);
	unsigned __int128 want = shows(&line, now), got;
	s64 behind;

	/* The counter had jumped ahead by five milliseconds, readers went along, and now an
	 * update is late on top of that. */
	line.error_at_start = -5e6;
	line.last = (struct timeline_sample){now, START_NS - 1000000, 60};
	line.restart = true;
	timeline_advance(&line, now);
	got = shows(&line, now);
	behind = (s64)(line.last.ns - (u64)(want >> line.shift));
	if (ok(got == want && line.error_at_start == (double)behind && !line.restart,
	       "for a kernel's clock that is behind it waits, and does not go back"))
		return;
	expected("the start + %.6f ns, error %" PRId64 ", no restart any more",
		 in_ns(want, &line), behind);
	but_got("the start + %.6f ns, error %.0f, %s", in_ns(got, &line), line.error_at_start,
		line.restart ? "restart" : "no restart");
	because("%s", got != want ? "somebody has seen what the line showed. It may be made "
				    "slower, not earlier"
				  : after_restart(&line, (double)behind));
}

int main(void)
{
	test_beginning();
	test_pieces();
	test_slope();
	test_error();
	test_many();
	test_ahead();
	test_behind();
	return done_testing();
}
