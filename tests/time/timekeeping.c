/*
 * timekeeping.c - all clocks of the vDSO over a simulated machine, accident by accident.
 *
 * The simulated kernel has MONOTONIC and MONOTONIC_RAW with rates of their own, and the
 * other clocks at a distance; looks at it are as blurred as real ones. What comes out is
 * a data page, and it is read as the vDSO's code reads it. After each accident the error
 * must be back under BOUND_NS within a stated number of updates, and MONOTONIC, RAW and
 * BOOTTIME must never have gone backwards. (timeline.c does this for a single line.)
 */
#include <math.h>
#include <string.h>
#include <vdso/cycles.h>

#include "kernel/time/bases.h"
#include "tap.h"

#define BOUND_NS 60.0

enum { MONO, RAW, BOOT, REAL, TAI, CLOCKS };
static const char *const name[CLOCKS] = {"MONOTONIC", "MONOTONIC_RAW", "BOOTTIME", "REALTIME",
					 "TAI"};
static const int id[CLOCKS] = {VDSO_CLOCK_MONOTONIC, VDSO_CLOCK_MONOTONIC_RAW,
			       VDSO_CLOCK_BOOTTIME, VDSO_CLOCK_REALTIME, VDSO_CLOCK_TAI};

static struct {
	double hz, ppm, raw_ppm;
	double cycles, clock[CLOCKS]; /* the truth */
	unsigned seed;
	bool torn_look; /* the leap second comes in the middle of the next look */
} m;

static struct bases tk;
static struct vdso_data page[CS_BASES];

static struct {
	u64 last[CLOCKS];
	double worst[CLOCKS];
	int backwards[CLOCKS];
} seen;

static void advance(double ns)
{
	m.cycles += ns * m.hz * 1e-9;
	for (int i = 0; i < CLOCKS; i++)
		m.clock[i] += ns * (1 + (i == RAW ? m.raw_ppm : m.ppm) * 1e-6);
}

/* Uniform in [0, 1). */
static double chance(void)
{
	return (double)(m.seed = m.seed * 1103515245 + 12345) / 4294967296.0;
}

static struct timeline_sample sample(int clock)
{
	return (struct timeline_sample){(u64)m.cycles,
					(u64)(m.clock[clock] + chance() * 20 - 10), 60};
}

/* Brackets of some fifty nanoseconds, the truth anywhere in each, and their overlap. */
static struct interval distance(int clock, int tries)
{
	struct interval all = {INT64_MIN, INT64_MAX};

	while (tries-- > 0) {
		double truth = m.clock[clock] - m.clock[MONO], above = chance() * 50;
		s64 low = (s64)floor(truth + above - 50), high = (s64)ceil(truth + above);

		all.low = low > all.low ? low : all.low;
		all.high = high < all.high ? high : all.high;
	}
	return all;
}

static struct clocks_look look(int tries)
{
	struct clocks_look look = {.mono = sample(MONO), .raw = sample(RAW)};

	look.real = distance(REAL, tries);
	look.boot = distance(BOOT, tries);
	if (m.torn_look)
		m.clock[REAL] -= 1e9;
	m.torn_look = false;
	look.tai = distance(TAI, 2);
	return look;
}

/* What the vDSO's code makes of the data page; false: it would ask the kernel. */
static bool read_page(int clock, u64 *ns)
{
	const struct vdso_data *vd = &page[clock == RAW ? CS_RAW : CS_HRES_COARSE];
	const struct vdso_timestamp *base = &vd->basetime[id[clock]];
	u64 delta = vdso_delta((u64)m.cycles, vd->cycle_last, vd->mask);

	if (vdso_delta_negative(delta, vd->mask))
		delta = 0;
	if (delta > vd->max_cycles)
		return false;
	*ns = base->sec * NSEC_PER_SEC +
	      (vdso_cycles_to_snsec(delta, vd->mult, base->nsec) >> vd->shift);
	return true;
}

static void watch(void)
{
	for (int i = 0; i < CLOCKS; i++) {
		double error;
		u64 ns;

		if (!read_page(i, &ns))
			continue;
		seen.backwards[i] += ns < seen.last[i];
		seen.last[i] = ns;
		error = fabs((double)(s64)(ns - (u64)m.clock[i]));
		if (error > seen.worst[i])
			seen.worst[i] = error;
	}
}

static void update(void)
{
	struct clocks_look now = look(8);

	bases_steer(&tk, &now);
	advance(200);
	watch();
	bases_write(&tk, &page[CS_HRES_COARSE], (u64)m.cycles);
	bases_write_raw(&tk, &page[CS_RAW], (u64)m.cycles);
	watch();
}

static void run(int updates)
{
	while (updates-- > 0) {
		for (int i = 0; i < 8; i++) {
			advance(TIMELINE_PERIOD_NS / 8.0);
			watch();
		}
		update();
	}
}

static void start(double hz, double ppm, double raw_ppm)
{
	struct clocks_look first, second;

	memset(&m, 0, sizeof(m));
	memset(&seen, 0, sizeof(seen));
	m.hz = hz;
	m.ppm = ppm;
	m.raw_ppm = raw_ppm;
	m.cycles = 1e12;
	m.clock[MONO] = 5e12;
	m.clock[RAW] = 4.9e12;
	m.clock[BOOT] = 6e12;
	m.clock[REAL] = 1e15 + 777;
	m.clock[TAI] = 1e15 + 777 + 37e9;
	first = look(64);
	advance(3.5e6);
	second = look(64);
	if (!bases_start(&tk, ~0ull, &first, &second))
		bail_out("two good looks were refused");
	bases_write(&tk, &page[CS_HRES_COARSE], (u64)m.cycles);
	bases_write_raw(&tk, &page[CS_RAW], (u64)m.cycles);
	run(50);
}

/* From now on: forget what was, and after `within` updates hold every clock to the bound. */
static void recovered(const char *what, int within)
{
	int broken = 0, backwards = 0;

	run(within);
	memset(seen.worst, 0, sizeof(seen.worst));
	run(300);
	for (int i = 0; i < CLOCKS; i++) {
		bool ordered = i == MONO || i == RAW || i == BOOT;

		if (seen.worst[i] > BOUND_NS && ++broken)
			diag("%s is off by %.0f ns", name[i], seen.worst[i]);
		if (ordered && seen.backwards[i] && ++backwards)
			diag("%s went backwards %d times", name[i], seen.backwards[i]);
	}
	is(broken, 0, "%s: after %d updates every clock is within %.0f ns", what, within,
	   BOUND_NS);
	is(backwards, 0, "%s: MONOTONIC, RAW and BOOTTIME never went backwards", what);
}

/* A clock that is set is followed at once: the very next update. */
static void followed(const char *what)
{
	int broken = 0;

	update();
	memset(seen.worst, 0, sizeof(seen.worst));
	watch();
	for (int i = 0; i < CLOCKS; i++)
		if (seen.worst[i] > BOUND_NS && ++broken)
			diag("%s is off by %.0f ns", name[i], seen.worst[i]);
	is(broken, 0, "%s: the next update has it", what);
}

static void test_set_clocks(void)
{
	start(2.6e9, 10, -3);
	recovered("a quiet machine", 0);
	m.clock[REAL] += 3600e9;
	m.clock[TAI] += 3600e9;
	followed("REALTIME is set an hour ahead");
	m.clock[REAL] -= 86400e9 + 12345;
	m.clock[TAI] -= 86400e9 + 12345;
	followed("REALTIME is set a day and 12345 ns back");
	m.clock[REAL] += 300;
	m.clock[TAI] += 300;
	followed("REALTIME is set by 300 ns");
	recovered("REALTIME was set three times", 1);
	m.clock[TAI] += 1e9;
	followed("TAI gets another second");
	m.clock[REAL] -= 1e9;
	followed("a leap second");
	m.torn_look = true;
	update();
	memset(seen.worst, 0, sizeof(seen.worst));
	watch();
	cmp_ok(seen.worst[TAI], <=, BOUND_NS,
	       "a leap second in the middle of a look: TAI does not leap");
	followed("... and with the look after it REALTIME has leapt");
	recovered("leap seconds", 1);
}

/* What the simulation cannot show: it would take a reader within a nanosecond. */
static void test_details(void)
{
	struct clocks_look now;
	int different = 0;
	s64 boot;

	start(2.6e9, 10, -3);
	for (int i = 0; i < CLOCKS; i++)
		if (i != RAW)
			different += (page[0].basetime[id[i]].nsec &
				      ((1ull << page[0].shift) - 1)) != tk.mono.frac;
	ok(tk.mono.frac && !different,
	   "the four fine clocks have the same fraction of a nanosecond");
	now = look(8);
	boot = tk.boot;
	now.boot = (struct interval){boot - 90, boot - 5};
	bases_steer(&tk, &now);
	is(tk.boot, boot, "BOOTTIME is never moved back, not by nanoseconds either");
	now.boot = (struct interval){boot + 5, boot + 90};
	bases_steer(&tk, &now);
	is(tk.boot, boot + 5, "... but forward it is");
}

static void test_rates(void)
{
	start(2.6e9, 10, -3);
	m.ppm = 500; /* as much as NTP may */
	recovered("NTP slews MONOTONIC by 500 ppm, and not RAW", 250);
	m.ppm = -500;
	recovered("... and the other way", 250);
	for (int i = 0; i < 200; i++) {
		m.ppm = 20 * sin(i / 20.0);
		run(1);
	}
	recovered("a rate that wanders by 20 ppm", 100);
	start(1e7, -40, 15);
	recovered("a counter of 10 MHz: 100 ns a step", 0);
}

static void test_late(void)
{
	static const int late[] = {2, 20, 2000};

	for (int i = 0; i < 3; i++) {
		char what[64];

		start(2.6e9, 30, -3);
		for (int j = 0; j < late[i] * 2; j++) {
			advance(TIMELINE_PERIOD_NS / 2.0);
			watch();
		}
		snprintf(what, sizeof(what), "an update late by %d periods", late[i]);
		recovered(what, 2);
	}
}

static void test_machine(void)
{
	/*
	 * Suspended: MONOTONIC and RAW stand still, the others go on; the counter as it likes.
	 */
	static const struct {
		double counter_s;
		const char *what;
	} suspend[] = {{100, "suspended, the counter goes on"},
		       {0, "suspended, the counter stands still"},
		       {-300, "suspended, the counter begins anew"}};

	for (int i = 0; i < 3; i++) {
		start(2.6e9, 10, -3);
		m.cycles += suspend[i].counter_s * m.hz;
		m.clock[BOOT] += 100e9;
		m.clock[REAL] += 100e9;
		m.clock[TAI] += 100e9;
		recovered(suspend[i].what, 2);
	}
	start(2.6e9, 10, -3);
	m.cycles += m.hz / 100;
	recovered("the counter jumps ahead by 10 ms", 20);
	start(2.6e9, 10, -3);
	m.cycles -= m.hz / 100;
	recovered("the counter falls back by 10 ms", 20);
}

int main(void)
{
	test_set_clocks();
	test_details();
	test_rates();
	test_late();
	test_machine();
	return done_testing();
}
