/*
 * cycles.c - from the counter's cycles to a time, on a machine whose counter is a number that
 * the test sets.
 *
 * The conversion step by step, in the order in which it is written. fake.c asks all clocks at
 * their limits; here it is one clock, and a failure shows the numbers that went in. What must
 * come out is worked out by fake.h, with 128 bits and a division.
 */
#include <inttypes.h>

#include "fake.h"

#define CLOCK  VDSO_CLOCK_MONOTONIC
#define MASK64 (~0ull)

/* 2.6 GHz: a cycle is 0.3846 ns. */
static const struct vdso_data ghz26 = {
	.clock_mode = VDSO_CLOCKMODE_COUNTER,
	.cycle_last = 1ull << 50,
	.max_cycles = 130000000, /* 50 ms */
	.mask = MASK64,
	.mult = 6452776,
	.shift = 24,
	.basetime[CLOCK] = {86400, 500000000ull << 24},
};

static struct answer got, want;

/* Asks the page when the counter stands delta cycles beyond this base. */
static bool right(const struct vdso_data *base, s64 delta)
{
	struct vdso_data *vd = &fake.data[CS_HRES_COARSE];
	u32 seq = 2;

	*vd = *base;
	atomic_store(&vd->seq, seq);
	fake.counter = (base->cycle_last + (u64)delta) & base->mask;
	got = ask(CLOCK);
	want = (struct answer){0, -1, -1};
	if (!page_knows(fake.data, CLOCK, &want))
		want = kernel_says(CLOCK);
	return same(got, want);
}

static void tell(s64 delta)
{
	const struct vdso_data *vd = &fake.data[CS_HRES_COARSE];
	u64 nsec = vd->basetime[CLOCK].nsec;

	diag("the counter is %" PRId64 " cycles beyond cycle_last, max_cycles is %" PRIu64,
	     delta, vd->max_cycles);
	diag("mult %" PRIu32 ", shift %" PRIu32 ", mask %#" PRIx64 "; base %" PRIu64
	     " s and %" PRIu64 " ns << shift,",
	     vd->mult, vd->shift, vd->mask, vd->basetime[CLOCK].sec, nsec >> vd->shift);
	diag("with %" PRIu64 " of %" PRIu64 " parts of a nanosecond",
	     nsec & (((u64)1 << vd->shift) - 1), (u64)1 << vd->shift);
	diag("expected  %ld.%09ld", want.sec, want.nsec);
	diag("got       %ld.%09ld%s", got.sec, got.nsec,
	     fake.syscalls ? ", from a system call" : "");
}

static void test_base(void)
{
	if (ok(right(&ghz26, 0),
	       "where the counter stands at cycle_last, the base is the answer"))
		return;
	tell(0);
	diag("why: that is what a base means");
}

static void test_line(void)
{
	s64 delta = 2600;

	if (ok(right(&ghz26, delta) && right(&ghz26, delta = 10400000),
	       "so many cycles later, the answer is so many nanoseconds later"))
		return;
	tell(delta);
	diag("why: without the counter the clock would stand still from update to update,");
	diag("     and a system call costs more than all the rest");
}

static void test_fraction(void)
{
	struct vdso_data base = ghz26;

	base.basetime[CLOCK].nsec |= 3 << 22; /* three quarters of a nanosecond */
	if (ok(right(&base, 1), "two fractions of a nanosecond add up to a whole one"))
		return;
	tell(1);
	diag("why: cut off one by one they are lost, and one value of the counter would give "
	     "one");
	diag("     time before an update and another one after it");
}

static void test_carry(void)
{
	struct vdso_data base = ghz26;
	s64 delta = 26000;

	base.max_cycles = 1ull << 34;
	base.basetime[CLOCK].nsec = 999999999ull << 24;
	if (ok(right(&base, delta) && right(&base, delta = 3900000000),
	       "nanoseconds beyond a second become seconds, one or two"))
		return;
	tell(delta);
	diag("why: a tv_nsec of a second and more is no timespec; programs that subtract two "
	     "of");
	diag("     them are off by a second");
}

static void test_behind(void)
{
	struct vdso_data narrow = ghz26;
	s64 delta = -40;

	narrow.mask = MASK64 >> 8;
	if (ok(right(&ghz26, delta) && right(&narrow, delta),
	       "a counter that is a little behind gives the base itself"))
		return;
	tell(delta);
	diag("why: the counter of another CPU may be behind the one that the writer has read.");
	diag("     Without a sign, -40 is a number of centuries");
}

static void test_wrap(void)
{
	struct vdso_data base = ghz26;

	base.mask = MASK64 >> 8;
	base.cycle_last = base.mask - 1000;
	if (ok(right(&base, 2600), "a counter that has wrapped at its width goes on"))
		return;
	tell(2600);
	diag("why: not every counter has 64 bits. One of 56 begins again at 0 and has not "
	     "gone");
	diag("     back by that");
}

static void test_product(void)
{
	struct vdso_data base = ghz26;
	s64 delta;

	base.max_cycles = (MASK64 - base.basetime[CLOCK].nsec) / base.mult;
	delta = (s64)base.max_cycles;
	if (ok(right(&base, delta), "up to max_cycles the page answers, and nothing overflows"))
		return;
	tell(delta);
	diag("why: the sum has room in 64 bits as long as the writer has chosen max_cycles "
	     "so,");
	diag("     but only if all 64 are used");
}

static void test_old(void)
{
	s64 delta = (s64)ghz26.max_cycles + 1;

	if (ok(right(&ghz26, delta) && fake.syscalls == 1,
	       "beyond max_cycles the base is too old, and the kernel is asked"))
		return;
	tell(delta);
	diag("why: the writer is late or gone. The line leads on, but the clock does not");
}

/* Uniform in 64 bits, and the same in each run. */
static u64 chance(void)
{
	static u64 state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void test_random(void)
{
	static const u64 masks[] = {MASK64, MASK64 >> 8, MASK64 >> 24, MASK64 >> 32};
	bool fine = true;
	s64 delta = 0;

	for (int i = 0; i < 10000 && fine; i++) {
		struct vdso_data base = ghz26;
		u64 room;

		base.mask = masks[chance() % 4];
		base.cycle_last = chance() & base.mask;
		base.shift = 8 + chance() % 23;
		base.mult = (u32)chance() | 1;
		base.basetime[CLOCK].nsec = chance() % NSEC_PER_SEC << base.shift;
		base.basetime[CLOCK].nsec |= chance() & ((1ull << base.shift) - 1);
		/* As the writer chooses it; and no more than four seconds of carry. */
		room = (4 * NSEC_PER_SEC << base.shift) / base.mult;
		base.max_cycles = base.mask >> 1 < room ? base.mask >> 1 : room;
		switch (chance() % 4) {
		case 0:
			delta = -1 - (s64)(chance() % (base.mask >> 1));
			break;
		case 1:
			delta = (s64)(base.max_cycles + chance() % 3 - 1);
			break;
		default:
			delta = (s64)(chance() % (base.max_cycles + 1));
		}
		fine = right(&base, delta);
	}
	if (ok(fine, "ten thousand bases drawn at random are as 128 bits have it"))
		return;
	tell(delta);
	diag("why: what is right for one counter is not yet right for all");
}

int main(void)
{
	reset(false);
	test_base();
	test_line();
	test_fraction();
	test_carry();
	test_behind();
	test_wrap();
	test_product();
	test_old();
	test_random();
	return done_testing();
}
