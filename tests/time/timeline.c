/*
 * timeline.c - the arithmetic of keeping time, with clocks that do not exist.
 *
 * An oscillator and a kernel clock are simulated, so that a second takes a millisecond and
 * every accident can be had on demand. After each update it is asked what a reader would
 * see: never less than before, and never far from the kernel's clock for long.
 */
#include <math.h>
#include <string.h>
#include <vdso/cycles.h>

#include "kernel/time/timeline.h"
#include "tap.h"

#define MASK64 (~0ull)

/* The simulated machine: a counter at hz, a kernel clock that is off by ppm from it. */
struct machine {
	double hz, ppm;
	double true_ns; /* since the start */
	double kernel;  /* what the kernel's clock shows */
	u64 counter_offset, mask;
	unsigned seed; /* for the noise of the samples */
};

static void advance(struct machine *m, double ns)
{
	m->true_ns += ns;
	m->kernel += ns * (1 + m->ppm * 1e-6);
}

static u64 counter(const struct machine *m)
{
	return ((u64)(m->true_ns * m->hz * 1e-9) + m->counter_offset) & m->mask;
}

/* A sample is off by up to ten nanoseconds, as a bracket's middle is. */
static struct timeline_sample sample(struct machine *m)
{
	double noise =
		(double)(m->seed = m->seed * 1103515245 + 12345) / 4294967296.0 * 20 - 10;

	return (struct timeline_sample){counter(m), (u64)(m->kernel + noise), 60};
}

static struct machine machine(double hz, double ppm)
{
	return (struct machine){
		.hz = hz, .ppm = ppm, .kernel = 1e15, .mask = MASK64, .seed = 1};
}

static struct timeline start(struct machine *m)
{
	struct timeline_sample first = sample(m);
	struct timeline line;

	advance(m, 3.5e6);
	if (!timeline_start(&line, m->mask, first, sample(m)))
		bail_out("a line through two good samples was refused");
	return line;
}

struct watch {
	u64 last;
	double worst, now; /* error in ns, absolute */
	int backwards;
};

/* What a reader sees now, as the page computes it. */
static void look(struct watch *w, const struct timeline *line, const struct machine *m)
{
	u64 delta = vdso_delta(counter(m), line->cycle_last, line->mask), shows;
	u64 base = (line->ns % 1000000000 << line->shift) | line->frac;

	if (vdso_delta_negative(delta, line->mask))
		delta = 0;
	else if (delta > line->max_cycles)
		return; /* a reader asks the kernel */
	shows = line->ns / 1000000000 * 1000000000 +
		(vdso_cycles_to_snsec(delta, line->mult, base) >> line->shift);
	w->backwards += shows < w->last;
	w->last = shows;
	w->now = fabs((double)shows - m->kernel);
	if (w->now > w->worst)
		w->worst = w->now;
}

/* count updates, one a period, with looks at the reader's view in between. */
static void run(struct watch *w, struct timeline *line, struct machine *m, int count)
{
	while (count-- > 0) {
		for (int i = 0; i < 16; i++) {
			advance(m, TIMELINE_PERIOD_NS / 16.0);
			look(w, line, m);
		}
		timeline_steer(line, sample(m));
		advance(m, 150);
		look(w, line, m);
		timeline_advance(line, counter(m));
		look(w, line, m);
	}
}

static void check(const struct watch *w, double bound, const char *what)
{
	if (!ok(w->backwards == 0, "%s: a reader never sees less than before", what))
		diag("%d times backwards", w->backwards);
	if (!ok(w->worst <= bound, "%s: the error stays within %.0f ns", what, bound))
		diag("it was %.1f ns at worst", w->worst);
}

static void test_drift(void)
{
	static const double hz[] = {1e7, 6.25e7, 1e9, 2.6e9, 5e9};
	static const double ppm[] = {0, 50, -200, 499};
	char what[64];

	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 4; j++) {
			struct machine m = machine(hz[i], ppm[j]);
			struct timeline line = start(&m);
			struct watch w = {0};
			double tick = 1e9 / hz[i];

			run(&w, &line, &m, 2000);
			snprintf(what, sizeof(what), "%.0f MHz off by %.0f ppm", hz[i] / 1e6,
				 ppm[j]);
			check(&w, 60 + 2 * tick, what);
		}
	}
}

static void test_accidents(void)
{
	struct machine m = machine(2.6e9, 20);
	struct timeline line = start(&m);
	struct watch w = {0};
	int late[] = {2, 20, 2000};

	run(&w, &line, &m, 100);
	for (int i = 0; i < 3; i++) {
		char what[64];

		w.worst = 0;
		advance(&m, (double)late[i] * TIMELINE_PERIOD_NS);
		look(&w, &line, &m);
		run(&w, &line, &m, 100);
		snprintf(what, sizeof(what), "an update late by %d periods", late[i]);
		check(&w, 400, what);
	}

	w.worst = 0;
	m.ppm = -300;
	run(&w, &line, &m, 500);
	check(&w, 3000, "the drift changes by 320 ppm at once");
	w.worst = 0;
	run(&w, &line, &m, 500);
	check(&w, 60, "... and two seconds later");

	/* The kernel's clock jumps forward (a suspended machine): so do we, at once. */
	m.kernel += 5e9;
	run(&w, &line, &m, 2);
	w.worst = 0;
	run(&w, &line, &m, 100);
	check(&w, 100, "the kernel's clock jumps ahead by five seconds: two updates later");

	/* The counter jumps forward by 10 ms: we are ahead, and must wait without stopping. */
	m.counter_offset += (u64)(m.hz / 100);
	run(&w, &line, &m, 20);
	w.worst = 0;
	run(&w, &line, &m, 20);
	check(&w, 100, "the counter jumps ahead by 10 ms: 20 updates later");

	/* Both at once: so far ahead that even a late update finds the kernel behind us. */
	m.counter_offset += (u64)(m.hz / 25);
	look(&w, &line, &m);
	run(&w, &line, &m, 1);
	for (int i = 0; i < 13; i++) {
		advance(&m, TIMELINE_PERIOD_NS);
		look(&w, &line, &m);
	}
	run(&w, &line, &m, 20);
	w.worst = 0;
	run(&w, &line, &m, 20);
	check(&w, 100, "the counter jumps ahead by 40 ms and the next update is late");

	m.counter_offset -= (u64)m.hz;
	run(&w, &line, &m, 2);
	w.worst = 0;
	run(&w, &line, &m, 100);
	check(&w, 100, "the counter falls back by a second: two updates later");
}

static void test_edges(void)
{
	struct timeline_sample a = {1000, 5000, 1}, b = {1000, 9000, 1}, c = {900, 9000, 1};
	struct machine m = machine(1e8, 10);
	struct timeline line, whole;
	struct watch w = {0};
	u64 frac = 0;

	ok(!timeline_start(&line, MASK64, a, b), "a counter that stands still is refused");
	ok(!timeline_start(&line, MASK64, a, c), "a counter that runs backwards is refused");
	ok(!timeline_start(&line, MASK64, a, (struct timeline_sample){2000, 5000, 1}),
	   "a clock that stands still is refused");

	/* Cutting a line into pieces must not change it, not by a fraction of a nanosecond. */
	line = start(&m);
	whole = line;
	for (u64 i = 1; i <= 1000; i++)
		timeline_advance(&line, whole.cycle_last + i * 37);
	timeline_advance(&whole, whole.cycle_last + 37000);
	ok(line.ns == whole.ns && line.frac == whole.frac,
	   "a thousand small steps end exactly where one large step ends");

	m.mask = 0xffffffff; /* wraps every 43 s */
	m.counter_offset = 0xffffff00;
	line = start(&m);
	run(&w, &line, &m, 25000);
	check(&w, 120, "a counter of 32 bits that wraps twice");

	/* Against the plain product where it fits, and by hand where it does not. */
	ok(vdso_cycles_to_ns_exact(1000, 3 << 20, 20, &frac) == 3000 && frac == 0,
	   "1000 cycles of 3 ns are 3000 ns");
	frac = (1 << 20) - 1;
	ok(vdso_cycles_to_ns_exact(1, 1, 20, &frac) == 1 && frac == 0,
	   "the fraction carries over into a nanosecond");
	/* perl -Mbigint -e '$p = ((1 << 40) + 12345) * 0xfffffffb + 77;
	 *                   print $p >> 30, " ", $p & ((1 << 30) - 1)' */
	frac = 77;
	ok(vdso_cycles_to_ns_exact((1ull << 40) + 12345, 0xfffffffb, 30, &frac) ==
			   4398046555363ull &&
		   frac == 1073680176,
	   "a product beyond 64 bits is exact");
	ok(timeline_offset(5, 3, 7) == 5 && timeline_offset(3, 3, 7) == 3 &&
		   timeline_offset(7, 3, 7) == 7,
	   "an offset is held while it is possible");
	ok(timeline_offset(5, 6, 8) == 6 && timeline_offset(9, 3, 7) == 7,
	   "ruled out by a few nanoseconds it moves to the nearer end");
	ok(timeline_offset(5, 1006, 1010) == 1008 && timeline_offset(5, -1010, -1006) == -1008,
	   "ruled out by much the middle is taken");
}

int main(void)
{
	test_drift();
	test_accidents();
	test_edges();
	return done_testing();
}
