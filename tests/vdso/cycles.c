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

/* Asks the vDSO when the counter stands delta cycles beyond this base. */
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
	expected("%ld.%09ld", want.sec, want.nsec);
	but_got("%ld.%09ld%s", got.sec, got.nsec, fake.syscalls ? ", from a system call" : "");
}

static void test_base(void)
{
	if (ok(right(&ghz26, 0),
	       "where the counter stands at cycle_last, the base is the answer"))
		return;
	tell(0);
	because("that is what a base means. Its nanoseconds are stored shifted, as the product "
		"is: shift down the sum of the two, once");
}

static struct answer base_of(const struct vdso_data *base)
{
	return (struct answer){0, (long)base->basetime[CLOCK].sec,
			       (long)(base->basetime[CLOCK].nsec >> base->shift)};
}

static struct answer product_of_32_bits(s64 delta)
{
	struct answer answer = base_of(&ghz26);

	answer.nsec += (u32)((u32)delta * ghz26.mult) >> ghz26.shift;
	return answer;
}

static void test_line(void)
{
	s64 delta = 2600;

	if (ok(right(&ghz26, delta) && right(&ghz26, delta = 10400000),
	       "so many cycles later, the answer is so many nanoseconds later"))
		return;
	tell(delta);
	because("%s",
		fake.syscalls ? "a system call costs more than all the rest. The base is "
				"fresh: delta is far below max_cycles"
		: same(got, base_of(&ghz26))
			? "without the counter the clock stands still from update to update"
		: same(got, product_of_32_bits(delta))
			? "that is what the low 32 bits of the product are. mult has 32 bits, "
			  "so one factor must have 64 before they are multiplied"
			: "a cycle is mult / 2^shift nanoseconds, and what the counter has "
			  "made since cycle_last is added to the base");
}

static void test_fraction(void)
{
	struct vdso_data base = ghz26;

	base.basetime[CLOCK].nsec |= 3 << 22; /* three quarters of a nanosecond */
	if (ok(right(&base, 1), "two fractions of a nanosecond add up to a whole one"))
		return;
	tell(1);
	because("cut off one by one they are lost, and one value of the counter would give one "
		"time before an update and another one after it");
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
	because("a tv_nsec of a second and more is no timespec; programs that subtract two of "
		"them are off by a second");
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
	because("the counter of another CPU may be behind the one that the writer has read. "
		"Without a sign, -40 is a number of centuries");
}

static void test_wrap(void)
{
	struct vdso_data base = ghz26;

	base.mask = MASK64 >> 8;
	base.cycle_last = base.mask - 1000;
	if (ok(right(&base, 2600), "a counter that has wrapped at its width goes on"))
		return;
	tell(2600);
	because("not every counter has 64 bits. One of 56 begins again at 0 and has not gone "
		"back by that");
}

static void test_product(void)
{
	struct vdso_data base = ghz26;
	s64 delta;

	base.max_cycles = (MASK64 - base.basetime[CLOCK].nsec) / base.mult;
	delta = (s64)base.max_cycles;
	if (ok(right(&base, delta), "up to max_cycles the vDSO answers, and nothing overflows"))
		return;
	tell(delta);
	because("the sum has room in 64 bits as long as the writer has chosen max_cycles so, "
		"but only if all 64 are used");
}

static void test_old(void)
{
	s64 delta = (s64)ghz26.max_cycles + 1;

	if (ok(right(&ghz26, delta) && fake.syscalls == 1,
	       "beyond max_cycles the base is too old, and the kernel is asked"))
		return;
	tell(delta);
	because("the writer is late or gone. The line leads on, but the clock does not");
}

/* The fields that this takes are loaded as memory is that somebody else writes. */
static void test_loads(void)
{
	const struct vdso_data *vd = &fake.data[CS_HRES_COARSE];
	const struct {
		const char *name;
		const void *at;
	} fields[] = {
		{"cycle_last", &vd->cycle_last},
		{"max_cycles", &vd->max_cycles},
		{"mult", &vd->mult},
		{"shift", &vd->shift},
		{"nsec of the base", &vd->basetime[CLOCK].nsec},
		{"mask", &vd->mask},
	};
	const char *plain = NULL;
	size_t count = sizeof(fields) / sizeof(fields[0]);

	right(&ghz26, 2600);
	for (size_t i = 0; i < count - 1; i++)
		if (!was_loaded(fields[i].at))
			plain = fields[i].name;
	/* The mask may be needed by nobody but who is behind. */
	right(&ghz26, -40);
	if (!was_loaded(fields[count - 1].at))
		plain = fields[count - 1].name;
	if (ok(!plain,
	       "every number of the data page is loaded by read_once64() or read_once32()"))
		return;
	expected("loads of cycle_last, max_cycles, mask, mult, shift and the base's nsec");
	but_got("none of %s, or a plain one", plain);
	because("the writer may change it while you calculate. A plain load may be made twice "
		"by "
		"the compiler, or in pieces, and a test that was made on the one is then no "
		"test of the other");
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
	because("what is right for one counter is not yet right for all");
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
	test_loads();
	return done_testing();
}
