/*
 * own-lines.c - the lines of a clock of one's own, one after the other.
 *
 * Timelines that are slewed at random, and looked at as readers do: a line never shows more
 * than the clock does, in parts of a nanosecond; the next one does not begin behind its end;
 * and it is not further behind than what rounding takes. Then the clocks are changed while they
 * are read, and taken to both ends of time. update.c has the timekeeper with all of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <vdso/cycles.h>

#include "kernel/time/bases.h"
#include "kernel/time/own.h"
#include "tap.h"

typedef __int128 s128;

#define START_NS  UINT64_C(5000000000000)
#define SHOWN_NS  INT64_C(1800000000000000000)
#define UPDATES   3000
#define LATEST_NS CLOCK_LATEST_NS

static const u64 rates[] = {
	0,          1000000,    1234567,        500000000,      999999999,
	1000000000, 2000000000, 59999999937ull, 60000000000ull, 1000000000000ull};
#define RATES ((int)(sizeof(rates) / sizeof(rates[0])))

static const double counters[] = {0.0625, 0.385, 1, 40, 1000}; /* ns a cycle */
#define COUNTERS ((int)(sizeof(counters) / sizeof(counters[0])))

static u64 seed = 1;

static u64 chance(u64 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 11) % below;
}

static struct timeline timeline_of(double ns_a_cycle)
{
	struct timeline_sample a = {1000000, START_NS - 10000000, 60};
	struct timeline_sample b = {1000000 + (u64)(10000000 / ns_a_cycle), START_NS, 60};
	struct timeline line;

	if (!timeline_start(&line, ~0ull, a, b))
		bail_out("a line through two good samples was refused");
	return line;
}

static struct own_clocks clocks_of(s64 shown_ns, u64 rate)
{
	struct own_clocks clocks = {.hold = false};

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		clocks.map[i] = clock_map_from(START_NS, shown_ns, rate);
	clocks.raw = clock_map_from(START_NS, shown_ns, rate);
	return clocks;
}

/* What readers have: a base and its line. */
struct published {
	struct own_point point;
	struct own_line line;
	u64 since;
};

static struct published publish(struct own *own, const struct timeline *line, int id)
{
	struct published p = {.line = own_line(own, line), .since = line->cycle_last};

	own_point(own, &p.line, id, line->ns, line->frac, &p.point);
	return p;
}

/* In parts of a nanosecond, as many as in a line of the timeline; and as they are shown. */
static s128 parts_at(const struct published *p, u64 cycles, u32 shift)
{
	u64 mult = p->line.stands ? 0 : p->line.mult;
	s128 parts = ((s128)p->point.ns << p->point.shift) + (s128)p->point.frac +
		     (s128)(cycles - p->since) * mult;

	return parts << (shift - p->point.shift);
}

static s64 shown_at(const struct published *p, u64 cycles)
{
	return (s64)(parts_at(p, cycles, p->point.shift) >> p->point.shift);
}

/* The clock itself: the timeline seen through the map. */
static s128 exact_at(const struct timeline *line, u64 cycles, u64 rate)
{
	s128 since = ((s128)(line->ns - START_NS) << line->shift) + (s128)line->frac +
		     (s128)(cycles - line->cycle_last) * line->mult;

	return ((s128)SHOWN_NS << line->shift) + since * (s128)rate / 1000000000;
}

static void test_lines(u64 rate, double ns_a_cycle)
{
	struct timeline line = timeline_of(ns_a_cycle);
	struct own_clocks clocks = clocks_of(SHOWN_NS, rate);
	struct own own;
	struct published now;
	unsigned ahead = 0, back = 0, behind = 0, overflows = 0;

	own_start(&own, OWN_WALL, &clocks);
	now = publish(&own, &line, VDSO_CLOCK_REALTIME);
	for (int i = 0; i < UPDATES; i++) {
		u64 left = line.max_cycles / (1 + chance(1000));
		u64 until = line.cycle_last + left;
		s128 exact = exact_at(&line, until, rate),
		     got = parts_at(&now, until, line.shift);
		/* What rounding takes: a part of each cycle, a base, and a nanosecond. */
		s128 lost = (s128)(left + 2) << (line.shift - now.line.shift);
		s64 seen = shown_at(&now, until);

		s128 product = (s128)left * now.line.mult + (s128)now.point.frac +
			       ((s128)NSEC_PER_SEC << now.line.shift);

		overflows += product >> 64 != 0;
		ahead += got > exact;
		behind += exact - got > lost;
		line.next_mult =
			(u32)((double)line.mult * (1 + ((double)chance(1000) - 500) * 1e-6));
		timeline_advance(&line, until);
		now = publish(&own, &line, VDSO_CLOCK_REALTIME);
		back += shown_at(&now, until) < seen;
	}
	if (!ahead && !back && !behind && !overflows)
		return;
	ok(false, "rate %.9f, %.3f ns a cycle: the lines follow one another",
	   (double)rate / 1e9, ns_a_cycle);
	diag("%u ahead of the clock, %u begin behind the end of the last, %u too far behind, "
	     "%u too long for 64 bits",
	     ahead, back, behind, overflows);
	exit(done_testing());
}

/*
 * A change while readers are on the way. The first pair never goes back; the second does where
 * it is set back, and not where it is held.
 */
static void test_change(enum own_pair pair, int id, bool hold, u64 rate, bool back)
{
	struct timeline line = timeline_of(0.385);
	struct own_clocks clocks = clocks_of(SHOWN_NS, rate);
	u64 later = line.cycle_last + 10000000;
	struct published now;
	struct own own;
	s64 seen, first;

	own_start(&own, pair, &clocks);
	now = publish(&own, &line, id);
	seen = shown_at(&now, later);
	/* From a moment on that readers have passed meanwhile, or a day earlier. */
	clocks = clocks_of(SHOWN_NS - (hold ? 0 : 86400000000000ll), hold ? 0 : rate);
	clocks.hold = hold;
	own_change(&own, &clocks);
	timeline_advance(&line, later);
	now = publish(&own, &line, id);
	first = shown_at(&now, later);
	if (back) {
		ok(first < seen && !now.line.stands, "a clock that is set back is set back");
		return;
	}
	ok(first >= seen && first <= seen + 1 && now.line.stands &&
		   shown_at(&now, later + 1000000) == first,
	   "%s stands still where readers have seen it",
	   hold ? "a clock that is held" : "a clock that never goes back");
	if (!hold)
		return;
	/* The clocks go on from what the old ones show by now. */
	clocks.map[TIMENS_REALTIME] = clocks.map[TIMENS_MONOTONIC] = clocks.raw =
		clock_map_from((s64)line.ns + 1000, seen + (s64)(rate / 1000000), rate / 2);
	own_change(&own, &clocks);
	timeline_advance(&line, later + 2600000);
	now = publish(&own, &line, id);
	ok(!now.line.stands && shown_at(&now, later + 2600000) > seen,
	   "... and goes on from there at its new rate");
}

static void test_ends(void)
{
	struct timeline line = timeline_of(0.385);
	struct own_clocks clocks = clocks_of(LATEST_NS - 40000000000, 1000000000000);
	struct own own;
	s64 seen = 0;
	unsigned wrong = 0;

	own_start(&own, OWN_WALL, &clocks);
	for (int i = 0; i < 100; i++) {
		struct published now = publish(&own, &line, VDSO_CLOCK_REALTIME);
		u64 until = line.cycle_last + line.max_cycles / 20;
		s64 end = shown_at(&now, until);

		wrong += (s64)now.point.ns < seen || end < seen || end > LATEST_NS;
		seen = end;
		timeline_advance(&line, until);
	}
	is(wrong, 0, "a clock that comes to the end of time does not go back, nor beyond");
	cmp_ok(seen, ==, LATEST_NS, "... and stands still there");
	clocks = clocks_of(-200000000, 1000000000);
	own_start(&own, OWN_WALL, &clocks);
	seen = 0;
	for (int i = 0; i < 20; i++) {
		struct published now = publish(&own, &line, VDSO_CLOCK_REALTIME);
		u64 until = line.cycle_last + line.max_cycles;

		wrong += (s64)now.point.ns < seen;
		seen = shown_at(&now, until);
		timeline_advance(&line, until);
	}
	ok(!wrong && seen > 0, "a clock before its beginning waits for it, and then goes on");
}

static void test_pairs(void)
{
	static const int walls[] = {0, 5, 8, 11}, steady[] = {1, 4, 6, 7, 9},
			 none[] = {2, 3, 10};
	struct timeline line = timeline_of(0.385);
	struct own_clocks clocks = clocks_of(SHOWN_NS, 1000000000);
	struct own own[2];
	struct own_line at;
	struct own_point point;
	unsigned wrong = 0;

	own_start(&own[0], OWN_STEADY, &clocks);
	own_start(&own[1], OWN_WALL, &clocks);
	at = own_line(&own[0], &line);
	for (size_t i = 0; i < sizeof(walls) / sizeof(int); i++)
		wrong += own_point(&own[0], &at, walls[i], 1, 0, &point) ||
			 !own_point(&own[1], &at, walls[i], 1, 0, &point);
	for (size_t i = 0; i < sizeof(steady) / sizeof(int); i++)
		wrong += !own_point(&own[0], &at, steady[i], 1, 0, &point) ||
			 own_point(&own[1], &at, steady[i], 1, 0, &point);
	for (size_t i = 0; i < sizeof(none) / sizeof(int); i++)
		wrong += own_point(&own[0], &at, none[i], 1, 0, &point) ||
			 own_point(&own[1], &at, none[i], 1, 0, &point);
	is(wrong, 0, "each clock is in one of the two pairs, and CPU time in none");
	own_point(&own[1], &at, VDSO_CLOCK_REALTIME_COARSE, START_NS, 77, &point);
	ok(point.shift == 0 && point.frac == 0 && point.ns == SHOWN_NS,
	   "a coarse clock has whole nanoseconds");
}

/* The kernel's MONOTONIC_RAW has come apart from its MONOTONIC, which the rate does not count.
 */
static void test_raw(void)
{
	struct timeline line = timeline_of(0.385);
	struct own_clocks clocks = clocks_of(SHOWN_NS, 1000000000000);
	struct published now;
	struct own own;
	u64 later = line.cycle_last + 10000000;
	s64 seen;

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		clocks.map[i].kernel_ns += 250000000;
	own_start(&own, OWN_STEADY, &clocks);
	now = publish(&own, &line, VDSO_CLOCK_MONOTONIC_RAW);
	is(shown_at(&now, line.cycle_last), SHOWN_NS, "MONOTONIC_RAW has a line of its own");
	seen = shown_at(&now, later);
	timeline_advance(&line, later);
	clocks.raw = clock_map_from((s64)line.ns, seen, 1000000000000);
	own_change(&own, &clocks);
	now = publish(&own, &line, VDSO_CLOCK_MONOTONIC_RAW);
	ok(shown_at(&now, later) - seen < 1000 && shown_at(&now, later) >= seen,
	   "... at whose change it does not jump");
	clocks.raw = clock_map_from((s64)line.ns, seen + 5000000000, 1000000000000);
	own_change(&own, &clocks);
	now = publish(&own, &line, VDSO_CLOCK_MONOTONIC_RAW);
	ok(shown_at(&now, later) >= seen + 5000000000,
	   "... and which is looked at for a change");
}

/* What a page has of a line whose clock waits for a later one: a multiplier of 0. */
static void test_page(void)
{
	struct own_clocks clocks = clocks_of(SHOWN_NS, 1000000000);
	struct bases bases = {.mono = timeline_of(0.385), .raw = timeline_of(0.385)};
	struct vdso_data page[CS_BASES] = {{.mult = 0}};

	own_start(&bases.own, OWN_STEADY, &clocks);
	bases_write(&bases, &page[CS_HRES_COARSE], bases.mono.cycle_last);
	bases_write_raw(&bases, &page[CS_RAW], bases.raw.cycle_last);
	ok(page[CS_HRES_COARSE].mult && page[CS_RAW].mult,
	   "a page has the multiplier of a line");
	clocks = clocks_of(SHOWN_NS - 1000000000, 1000000000);
	own_change(&bases.own, &clocks);
	bases_write(&bases, &page[CS_HRES_COARSE], bases.mono.cycle_last);
	bases_write_raw(&bases, &page[CS_RAW], bases.raw.cycle_last);
	ok(!page[CS_HRES_COARSE].mult && !page[CS_RAW].mult,
	   "... and none where a clock waits");
}

int main(void)
{
	for (int i = 0; i < RATES; i++)
		for (int j = 0; j < COUNTERS; j++)
			test_lines(rates[i], counters[j]);
	ok(true,
	   "at %d rates, of %d counters: a line is never ahead of the clock, and the next "
	   "does not begin behind its end",
	   RATES, COUNTERS);
	test_change(OWN_STEADY, VDSO_CLOCK_MONOTONIC, false, 1000000000, false);
	test_change(OWN_STEADY, VDSO_CLOCK_MONOTONIC_RAW, true, 60000000000, false);
	test_change(OWN_WALL, VDSO_CLOCK_REALTIME, true, 60000000000, false);
	test_change(OWN_WALL, VDSO_CLOCK_TAI, false, 60000000000, true);
	test_raw();
	test_ends();
	test_pairs();
	test_page();
	return done_testing();
}
