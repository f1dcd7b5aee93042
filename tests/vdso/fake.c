/*
 * fake.c - every path of the vDSO's clock code, one after the other.
 *
 * The vDSO runs on the machine made for tests (fake.h), where it can be asked what it would
 * do with a counter of 32 bits that wraps just now, or when the system call fails: what no
 * real machine can be made to show. Each answer is held against the exact one, worked out
 * in 128 bits. interleave.c is the other half: a writer in the midst of all this.
 */
#include <errno.h>
#include <limits.h>

#include "attempt.h"
#include "fake.h"

static const char *where(void)
{
	return fake.namespace ? "in a namespace" : "outside";
}

/* What a failed point shows: what came, what should have, and how it came about. */
static void show(int what, struct answer got, struct answer want)
{
	diag("%s: %u system calls (%ld), %u counter reads", name_of(what), fake.syscalls,
	     fake.nr, fake.counters);
	expected("%ld: %ld.%09ld", want.ret, want.sec, want.nsec);
	but_got("%ld: %ld.%09ld", got.ret, got.sec, got.nsec);
}

/* True if the answer is the vDSO's own, and exact. */
static bool is_right(int what, struct answer got)
{
	struct answer want;

	return page_knows(fake.data, what, &want) && same(got, want) && fake.syscalls == 0;
}

/* ---- which clock goes where -------------------------------------------------------------- */

static const int fine_answers[] = {0, 1, 4, 7, 11, TIMEOFDAY};
static const int coarse_answers[] = {5, 6};
#define COUNT(array) ((int)(sizeof(array) / sizeof(array[0])))

/* -100 to 99, and some of the strangest. */
static const int strange_ids[] = {INT_MIN, INT_MIN + 1, INT_MIN + 11, INT_MAX, 1 << 16,
				  0x100,   0x7ffffff4,  -0x10000,     0x10001};

static int id_number(int i)
{
	return i < 200 ? i - 100 : strange_ids[i - 200];
}
#define IDS (200 + COUNT(strange_ids))

static bool on_page(int clock)
{
	for (int i = 0; i < PAGE_CLOCKS; i++)
		if (page_clocks[i] == clock)
			return true;
	return false;
}

static bool asked_kernel(long nr, long a)
{
	return fake.syscalls == 1 && fake.nr == nr && fake.a == a;
}

static void test_ids(bool namespace)
{
	int wrong = 0, wrong_error = 0;

	reset(namespace);
	for (int i = 0; i < IDS; i++) {
		int clock = id_number(i);
		struct answer got = ask(clock), want = kernel_says(clock);

		if (on_page(clock)
			    ? is_right(clock, got) && fake.relaxes == 0
			    : same(got, want) && asked_kernel(ARCH_NR_CLOCK_GETTIME, clock))
			continue;
		if (!wrong++) {
			page_knows(fake.data, clock, &want);
			show(clock, got, want);
		}
	}
	is(wrong, 0, "%s: seven clocks come from the vDSO, %d other ids from the kernel",
	   where(), IDS - PAGE_CLOCKS);
	ok(ask(VDSO_CLOCK_REALTIME_COARSE).ret == 0 && fake.counters == 0 &&
		   ask(VDSO_CLOCK_MONOTONIC_COARSE).ret == 0 && fake.counters == 0,
	   "%s: a coarse clock reads no counter", where());

	if (namespace) {
		const struct timens_offset *offset =
			fake_pages[VDSO_TIME_PAGE].offsets[CS_KERNEL].offset;
		long shift = ask(VDSO_CLOCK_REALTIME_ALARM).sec - kernel_time(8).tv_sec;

		ok(shift == offset[8].sec || shift == offset[8].sec + 1,
		   "in a namespace: alarms are system calls, and go with the offset");
		ok(ask(VDSO_BASES).sec == kernel_time(VDSO_BASES).tv_sec &&
			   ask(-1).sec == kernel_time(-1).tv_sec,
		   "in a namespace: ids below 0 and above 11 have no offset");
	}

	/* An error stays what it is, and what the caller has there stays, too. */
	fake.error = -EINVAL;
	for (int i = 0; i < IDS; i++) {
		struct answer got = ask(id_number(i));

		if (!on_page(id_number(i)))
			wrong_error += !same(got, (struct answer){-EINVAL, -1, -1});
	}
	is(wrong_error, 0,
	   "%s: a system call's error is handed on as it is, nothing is written", where());

	watch();
	ok(fake_clock_gettime(-3, NULL) == -EINVAL && fake.syscalls == 1 && fake.b == 0,
	   "%s: NULL goes to the kernel as NULL", where());
}

/* Asks for all that the data page knows. Returns how many answers are wrong. */
static int wrong_answers(void)
{
	int wrong = 0;

	for (int i = 0; i < PAGE_CLOCKS + 2; i++) {
		int what = i < PAGE_CLOCKS    ? page_clocks[i]
			   : i == PAGE_CLOCKS ? TIMEOFDAY
					      : TIME;
		struct answer got = ask(what), want;
		bool known = page_knows(fake.data, what, &want);

		if (!known)
			want = kernel_says(what);
		if (same(got, want) && fake.syscalls == !known)
			continue;
		if (!wrong++)
			show(what, got, want);
	}
	return wrong;
}

/* REALTIME, its coarse clock and TAI have bases of their own; the other clocks have not. */
static void test_walls(void)
{
	struct vdso_data *walls;
	struct timespec res = {0};
	struct timezone tz = {0};

	reset(true);
	walls = &fake.data[CS_WALL];
	set_state(walls, 1);
	for (int cs = 0; cs < CS_BASES; cs++)
		atomic_store(&walls[cs].seq, 4);
	is(wrong_answers(), 0, "wall clocks further on are ignored where nothing says so");
	for (int cs = 0; cs <= CS_KERNEL; cs++)
		fake_pages[VDSO_TIME_PAGE].offsets[cs].wall = VDSO_WALL_DISTANCE;
	is(wrong_answers(), 0, "wall clocks are found in their own bases");
	ok(fake_clock_getres(0, &res) == 0 && res.tv_nsec == fake.data->hrtimer_res &&
		   fake_gettimeofday(NULL, &tz) == 0 &&
		   tz.tz_minuteswest == fake.data->tz_minuteswest,
	   "... resolutions and zone are those of the first bases");
	atomic_store(&walls[CS_HRES_COARSE].seq, 5);
	/* The second copy has what this one had last. */
	walls[CS_RAW].basetime[VDSO_CLOCK_REALTIME_COARSE] =
		walls[CS_HRES_COARSE].basetime[VDSO_CLOCK_REALTIME_COARSE];
	ok(is_right(VDSO_CLOCK_REALTIME_COARSE, ask(VDSO_CLOCK_REALTIME_COARSE)) &&
		   is_right(VDSO_CLOCK_MONOTONIC, ask(VDSO_CLOCK_MONOTONIC)),
	   "... and so is the second copy of their coarse clock");
	vdso_abandon(&walls[CS_HRES_COARSE]);
	is(wrong_answers(), 0, "wall clocks that nobody keeps are the kernel's, and no others");
	atomic_store(&walls[CS_HRES_COARSE].seq, 8);
	walls[CS_HRES_COARSE].clock_mode = VDSO_CLOCKMODE_NONE;
	vdso_abandon(&fake.data[CS_HRES_COARSE]);
	is(wrong_answers(), 0, "... and the other way round, with no counter for wall clocks");
}

/* ---- the counter and its arithmetic ------------------------------------------------------ */

/* In both bases alike, so that one number fits all fine clocks. */
static void set_line(u64 cycle_last, u64 max_cycles, u64 mask, u32 mult, u32 shift)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &fake.data[cs];

		for (int clock = 0; clock < VDSO_BASES; clock++)
			if (!(VDSO_BIT(clock) & VDSO_COARSE))
				vd->basetime[clock].nsec =
					vd->basetime[clock].nsec >> vd->shift << shift;
		vd->cycle_last = cycle_last;
		vd->max_cycles = max_cycles;
		vd->mask = mask;
		vd->mult = mult;
		vd->shift = shift;
	}
}

/* Asks all fine clocks at counter value now; true if all say what arithmetic says. */
static bool fine_right(u64 now)
{
	fake.counter = now;
	for (int i = 0; i < COUNT(fine_answers); i++) {
		int what = fine_answers[i];
		struct answer got = ask(what), want;
		bool known = page_knows(fake.data, what, &want);

		if (!known)
			want = kernel_says(what);
		if (same(got, want) && fake.syscalls == !known)
			continue;
		show(what, got, want);
		diag("counter %#llx, cycle_last %#llx, mask %#llx, max_cycles %#llx, mult %u, "
		     "shift %u",
		     (unsigned long long)now, (unsigned long long)fake.data->cycle_last,
		     (unsigned long long)fake.data->mask,
		     (unsigned long long)fake.data->max_cycles, fake.data->mult,
		     fake.data->shift);
		return false;
	}
	return true;
}

/* The base itself: no time has passed, and the vDSO says so by itself. */
static bool is_base(u64 now)
{
	bool right = fine_right(now) && fake.syscalls == 0, base;
	struct answer behind = ask(VDSO_CLOCK_MONOTONIC);

	fake.counter = fake.data->cycle_last;
	base = same(behind, ask(VDSO_CLOCK_MONOTONIC));
	return right && base;
}

/* True if at counter value now no fine clock is answered without the kernel. */
static bool is_too_old(u64 now)
{
	return fine_right(now) && fake.syscalls == 1;
}

/* True if at counter value now all are answered, and right. */
static bool is_followed(u64 now)
{
	return fine_right(now) && fake.syscalls == 0;
}

static void test_counter(bool namespace)
{
	static const u64 masks[] = {0xffffffff, (1ull << 56) - 1, ~0ull};
	static const u64 lasts[] = {0, 1000000, 0xfffff000, 0xfffffffffff000, ~0ull - 4095};

	for (int m = 0; m < COUNT(masks); m++) {
		u64 mask = masks[m], half = mask / 2, max = 50000000;
		bool line = true, old = true, behind = true, wide = true;
		int bits = m == 0 ? 32 : m == 1 ? 56 : 64;

		for (int l = 0; l < COUNT(lasts); l++) {
			u64 last = lasts[l] & mask;

			reset(namespace);
			/* The bits above the mask are not the counter's. */
			set_line(last, max, mask, 3u << 28, 30);
			line &= is_followed(last) && is_followed((last + 1) & mask) &&
				is_followed((last + 4096) & mask) && is_followed(last + 5000) &&
				is_followed((last + max - 1) & mask) &&
				is_followed((last + max) & mask);
			old &= is_too_old((last + max + 1) & mask) &&
			       is_too_old((last + max * 2) & mask) &&
			       is_too_old((last + half) & mask);
			behind &= is_base((last - 1) & mask) && is_base((last - 2) & mask) &&
				  is_base((last - 100000) & mask) &&
				  is_base((last - half) & mask) &&
				  is_base((last + half + 1) & mask);
			/* As far as a line can be followed at all. */
			set_line(last, half, mask, 1, 30);
			wide &= is_followed((last + half) & mask) &&
				is_base((last + half + 1) & mask);
		}
		ok(line, "%s, %d bits: the line is followed up to max_cycles, over the wrap",
		   where(), bits);
		if (!ok(old, "%s, %d bits: from max_cycles + 1 on the kernel is asked", where(),
			bits))
			diag("the writer is late or gone, and the product may overflow");
		if (!ok(behind,
			"%s, %d bits: a counter behind cycle_last gives the base itself",
			where(), bits))
			diag("another CPU's counter may be a little behind");
		ok(wide, "%s, %d bits: half of the counter's range is the limit of the two",
		   where(), bits);
	}
}

/* The largest steps that max_cycles may allow: nothing is lost at the top of 64 bits. */
static void test_extremes(void)
{
	static const struct {
		u32 mult, shift;
	} lines[] = {
		{UINT32_MAX, 32}, {UINT32_MAX, 30}, {UINT32_MAX, 31}, {1u << 31, 31}, {1, 32},
		{1, 0},           {1000, 0},        {0x80000001, 24}, {12345677, 20},
	};
	int wrong = 0;

	for (int i = 0; i < COUNT(lines); i++) {
		u32 mult = lines[i].mult, shift = lines[i].shift;
		u64 last = ~0ull - 12345, most = ~0ull / 2, base, room;

		reset(false);
		set_line(last, 0, ~0ull, mult, shift);
		for (int what = 0; what < VDSO_BASES; what++) {
			/* As much as is below a second, with the largest fraction. */
			base = ((u64)NSEC_PER_SEC << shift) - 1;
			fake.data[0].basetime[what].nsec = base;
			fake.data[1].basetime[what].nsec = base;
		}
		/* Two limits: 64 bits, and that the vDSO subtracts seconds one by one. */
		room = (~0ull - base) / mult;
		if (room > most)
			room = most;
		if (shift < 30 && room > ((20ull * NSEC_PER_SEC) << shift) / mult)
			room = ((20ull * NSEC_PER_SEC) << shift) / mult;
		fake.data[0].max_cycles = fake.data[1].max_cycles = room;
		wrong += !is_followed(last) || !is_followed(last + 1) ||
			 !is_followed(last + room / 3) || !is_followed(last + room - 1) ||
			 !is_followed(last + room) ||
			 (room < most && !is_too_old(last + room + 1));
	}
	is(wrong, 0, "the largest product that 64 bits hold is as exact as 128 bits have it");
}

/* Seconds that the nanoseconds carry: from the base and the cycles, and from an offset. */
static void test_carry(bool namespace)
{
	static const u64 cycles[] = {0,          1,          2,          999999998, 999999999,
				     1000000000, 1999999998, 1999999999, 2000000000};
	static const u64 bases[] = {0, 1, 999999998, 999999999};
	static const s64 offset_secs[] = {0, 5, -1, -5, -900000};
	static const u64 offset_nsecs[] = {0, 1, 500000000, 999999999};
	struct timens_offset *offset = fake_pages[VDSO_TIME_PAGE].data->offset;
	int wrong = 0;

	reset(namespace);
	set_line(NOW, 3000000000, ~0ull, 1 << 10, 10); /* a cycle is a nanosecond */
	for (int b = 0; b < COUNT(bases); b++) {
		for (int cs = 0; cs < CS_BASES; cs++)
			for (int clock = 0; clock < VDSO_BASES; clock++)
				fake.data[cs].basetime[clock].nsec =
					VDSO_BIT(clock) & VDSO_COARSE ? bases[b]
								      : bases[b] << 10;
		for (int o = 0; o < (namespace ? COUNT(offset_secs) * COUNT(offset_nsecs) : 1);
		     o++) {
			for (int clock = 0; clock < VDSO_BASES && namespace; clock++) {
				offset[clock].sec = offset_secs[o / COUNT(offset_nsecs)];
				offset[clock].nsec = offset_nsecs[o % COUNT(offset_nsecs)];
			}
			for (int c = 0; c < COUNT(cycles); c++)
				wrong += !is_followed(NOW + cycles[c]);
			for (int i = 0; i < COUNT(coarse_answers); i++)
				wrong += !is_right(coarse_answers[i], ask(coarse_answers[i]));
			wrong += namespace && !is_right(TIME, ask(TIME));
		}
	}
	is(wrong, 0, "%s: nanoseconds carry into seconds, no second, one, and more%s", where(),
	   namespace ? ", with offsets of either sign" : "");
}

/* ---- no counter, no writer --------------------------------------------------------------- */

static bool all_from_kernel(const int *whats, int count)
{
	for (int i = 0; i < count; i++) {
		struct answer got = ask(whats[i]), want = kernel_says(whats[i]);

		if (!same(got, want) || fake.syscalls != 1 || fake.relaxes > MANY_TRIES) {
			show(whats[i], got, want);
			return false;
		}
	}
	return true;
}

static bool all_from_page(const int *whats, int count)
{
	for (int i = 0; i < count; i++) {
		struct answer got = ask(whats[i]), want = {0};

		if (!is_right(whats[i], got)) {
			page_knows(fake.data, whats[i], &want);
			show(whats[i], got, want);
			return false;
		}
	}
	return true;
}

static void abandon(void)
{
	for (unsigned step = 0; abandon_step(step); step++)
		;
}

/* A writer at work on both bases at once, and its end. */
static void make_odd(void)
{
	for (int cs = 0; cs < CS_BASES; cs++)
		vdso_write_begin(&fake.data[cs]);
}

static void make_even(void)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		union vdso_head head = vdso_read_head(&fake.data[cs]);

		vdso_write_end(&fake.data[cs], head, head.clock_mode);
	}
}

static void write_end_after_three(unsigned number)
{
	(void)number;
	if (fake.relaxes == 3 && fake.data->seq & 1)
		make_even();
}

static void end_second_after_three(unsigned number)
{
	struct vdso_data *second = &fake.data[CS_RAW];
	union vdso_head head = vdso_read_head(second);

	(void)number;
	if (fake.relaxes == 3 && head.seq & 1)
		vdso_write_end(second, head, head.clock_mode);
}

/* The writer was stopped, and the watchdog has noticed. */
static void abandon_after_three(unsigned number)
{
	(void)number;
	if (fake.relaxes == 3 &&
	    vdso_read_head(fake.data).clock_mode != VDSO_CLOCKMODE_ABANDONED)
		vdso_abandon(&fake.data[CS_HRES_COARSE]);
}

/* The data page comes back during the first system call: what that says is too late. */
static void come_back(unsigned number)
{
	(void)number;
	if (fake.syscalls != 1 || !(fake.data->seq & 1))
		return;
	make_odd();
	make_even();
}

static void two_steps(unsigned number)
{
	(void)number;
	set_seq(fake.data->seq + 2);
}

static void test_no_counter(bool namespace)
{
	reset(namespace);
	fake.data[0].clock_mode = fake.data[1].clock_mode = VDSO_CLOCKMODE_NONE;
	ok(all_from_kernel(fine_answers, COUNT(fine_answers)) && fake.counters == 0,
	   "%s, mode NONE: fine clocks come from the kernel, the counter is not touched",
	   where());
	ok(all_from_page(coarse_answers, COUNT(coarse_answers)) && is_right(TIME, ask(TIME)),
	   "%s, mode NONE: coarse clocks and time() stay in the data page", where());
	make_odd();
	ok(all_from_kernel(fine_answers, COUNT(fine_answers)) &&
		   all_from_kernel(coarse_answers, COUNT(coarse_answers)),
	   "%s, mode NONE: a writer that never ends sends all clocks to the kernel", where());
}

/* An abandoned data page comes back: for a while there is no copy of the coarse clocks at all.
 */
static void test_coming_back(bool namespace)
{
	const int clock = VDSO_CLOCK_MONOTONIC_COARSE;
	unsigned fine;
	struct answer got;

	reset(namespace);
	abandon();
	make_odd();
	ask(VDSO_CLOCK_MONOTONIC);
	fine = fake.relaxes;
	ask(clock);
	cmp_ok(fake.relaxes, >, fine,
	       "%s: a data page that comes back, a coarse reader waits longer than a fine one",
	       where());
	fake.step = end_second_after_three;
	got = ask(clock);
	ok(!fake.syscalls && fake.relaxes == 3 &&
		   got.sec ==
			   with_offset(clock,
				       (struct answer){
					       0, (long)fake.data[CS_RAW].basetime[clock].sec,
					       (long)fake.data[CS_RAW].basetime[clock].nsec},
				       CS_HRES_COARSE)
				   .sec,
	   "%s: ... until one copy is there", where());
	make_odd();
	fake.step = abandon_after_three;
	ok(all_from_kernel(&clock, 1) && fake.relaxes == 3,
	   "%s: ... or nobody keeps the data page any more", where());
}

static void test_odd(bool namespace)
{
	unsigned waited = 0, turns = 0, back = 0, second = 0;

	reset(namespace);
	make_odd();
	ok(all_from_kernel(fine_answers, COUNT(fine_answers)) &&
		   all_from_kernel(coarse_answers, COUNT(coarse_answers)),
	   "%s: a writer that never ends sends all clocks to the kernel", where());
	ask(VDSO_CLOCK_REALTIME);
	ok(fake.relaxes > 0 && fake.relaxes <= MANY_TRIES && fake.counters == 0,
	   "%s: ... after a bounded number of turns, without a look at the counter", where());
	ok(all_from_kernel((int[]){TIME}, 1), "%s: ... and time() with them", where());
	fake.error = -EPERM;
	ok(same(ask(VDSO_CLOCK_TAI), (struct answer){-EPERM, -1, -1}) &&
		   same(ask(VDSO_CLOCK_MONOTONIC_COARSE), (struct answer){-EPERM, -1, -1}) &&
		   same(ask(TIMEOFDAY), (struct answer){-EPERM, -1, -1}),
	   "%s: ... and if that fails, its error is the answer", where());
	fake.error = 0;

	fake.step = two_steps;
	ok(all_from_kernel(fine_answers, COUNT(fine_answers)) &&
		   all_from_kernel(coarse_answers, COUNT(coarse_answers)),
	   "%s: the same with a number that moves, and is always odd", where());
	fake.step = NULL;
	make_even();

	fake.step = write_end_after_three;
	for (int i = 0; i < PAGE_CLOCKS; i++) {
		make_odd();
		waited += is_right(page_clocks[i], ask(page_clocks[i])) && fake.relaxes >= 3;
	}
	fake.step = NULL;
	is(waited, PAGE_CLOCKS, "%s: a reader waits for a writer that is about to end",
	   where());

	abandon();
	ok(all_from_kernel(fine_answers, COUNT(fine_answers)) &&
		   all_from_kernel(coarse_answers, COUNT(coarse_answers)) &&
		   all_from_kernel((int[]){TIME}, 1),
	   "%s: on an abandoned data page everything comes from the kernel", where());
	for (int i = 0; i < PAGE_CLOCKS; i++) {
		ask(page_clocks[i]);
		turns += fake.relaxes;
	}
	is(turns, 0, "%s: ... and nobody waits for it", where());

	for (int i = 0; i < COUNT(coarse_answers); i++) {
		struct answer got, want;

		abandon();
		fake.step = come_back;
		got = ask(coarse_answers[i]);
		fake.step = NULL;
		page_knows(fake.data, coarse_answers[i], &want);
		back += fake.syscalls == 1 && same(got, want);
	}
	is(back, COUNT(coarse_answers),
	   "%s: ... and a data page that comes back meanwhile knows better than the kernel",
	   where());

	reset(namespace);
	vdso_write_begin(&fake.data[CS_HRES_COARSE]);
	for (int i = 0; i < COUNT(coarse_answers); i++) {
		struct answer got = ask(coarse_answers[i]);
		const struct vdso_timestamp *base =
			&fake.data[CS_RAW].basetime[coarse_answers[i]];
		struct answer want = {0, (long)base->sec, (long)base->nsec};

		second += same(got, with_offset(coarse_answers[i], want, CS_HRES_COARSE)) &&
			  fake.syscalls == 0 && fake.relaxes == 0;
	}
	ok(second == COUNT(coarse_answers) && all_from_kernel((int[]){VDSO_CLOCK_REALTIME}, 1),
	   "%s: while the first copy is written a coarse clock is in the second one", where());

	reset(namespace);
	/* The writer dies half-way, another one takes over. */
	make_odd();
	make_odd();
	ok(fake.data[0].seq & 1 && fake.data[1].seq & 1,
	   "%s: the heir of a dead writer writes under an odd number, too", where());
	make_even();
	ok(all_from_page(page_clocks, PAGE_CLOCKS), "%s: ... and the vDSO answers again",
	   where());
}

/* The counter belongs to the base that is read with it. */
static void test_order(void)
{
	int wrong = 0;

	reset(false);
	for (int i = 0; i < PAGE_CLOCKS; i++) {
		size_t end;

		ask(page_clocks[i]);
		end = strlen(fake.log) - 1;
		if (fake.log[0] == 'S' && fake.log[end] == 'S' &&
		    !memchr(fake.log + 1, 'S', end - 1) && end > 2)
			continue;
		if (!wrong++)
			diag("%s: S the number, D data, C counter: %s", name_of(page_clocks[i]),
			     fake.log);
	}
	is(wrong, 0, "counter and data are read between two looks at the number");
}

/*
 * ---- gettimeofday(), time(), clock_getres(), getcpu() -------------------------------------
 */

static const struct timezone no_tz = {-12345, -54321};

static bool tz_is(const struct timezone *tz, const struct timezone *want)
{
	return tz->tz_minuteswest == want->tz_minuteswest && tz->tz_dsttime == want->tz_dsttime;
}

static void test_timeofday(bool namespace)
{
	struct timezone page_tz, tz = no_tz;
	struct timeval tv = {-1, -1};
	struct answer want;
	bool right;

	reset(namespace);
	page_tz = (struct timezone){fake.data->tz_minuteswest, fake.data->tz_dsttime};
	page_knows(fake.data, TIMEOFDAY, &want);
	watch();
	right = fake_gettimeofday(&tv, &tz) == 0 && tv.tv_sec == want.sec &&
		tv.tv_usec == want.nsec / 1000 && tz_is(&tz, &page_tz);
	ok(right && fake.syscalls == 0, "%s: gettimeofday() gives time and time zone", where());
	tz = no_tz;
	watch();
	ok(fake_gettimeofday(NULL, &tz) == 0 && tz_is(&tz, &page_tz) && fake.counters == 0 &&
		   fake.syscalls == 0,
	   "%s: ... the time zone alone", where());
	ok(is_right(TIMEOFDAY, ask(TIMEOFDAY)), "%s: ... the time alone", where());
	watch();
	ok(fake_gettimeofday(NULL, NULL) == 0 && fake.syscalls == 0 && fake.counters == 0,
	   "%s: ... or nothing", where());

	/* Nothing usable in the data page. */
	fake.data[0].max_cycles = 1;
	ok(all_from_kernel((int[]){TIMEOFDAY}, 1), "%s: too old a base: the kernel is asked",
	   where());
	tz = no_tz;
	watch();
	right = fake_gettimeofday(&tv, &tz) == 0 && fake.syscalls == 1;
	if (namespace)
		ok(right && fake.nr == ARCH_NR_CLOCK_GETTIME && fake.a == VDSO_CLOCK_REALTIME &&
			   tv.tv_sec == kernel_says(TIMEOFDAY).sec && tz_is(&tz, &page_tz),
		   "%s: ... for REALTIME, which is shifted; the time zone is the data page's",
		   where());
	else
		ok(right && fake.nr == ARCH_NR_GETTIMEOFDAY && fake.a == (long)&tv &&
			   fake.b == (long)&tz && !tz_is(&tz, &no_tz),
		   "%s: ... with both pointers as they are", where());
	fake.error = -EFAULT;
	tz = no_tz;
	tv = (struct timeval){-1, -1};
	watch();
	ok(fake_gettimeofday(&tv, &tz) == -EFAULT && tv.tv_sec == -1 && tv.tv_usec == -1 &&
		   tz_is(&tz, &no_tz),
	   "%s: ... and its error is handed on, nothing is written", where());
	watch();
	ok(fake_gettimeofday(NULL, &tz) == 0 && tz_is(&tz, &page_tz) && fake.syscalls == 0,
	   "%s: ... but the time zone alone needs no kernel", where());
}

static void test_time(bool namespace)
{
	struct answer want;
	long stored = -1;

	reset(namespace);
	page_knows(fake.data, TIME, &want);
	watch();
	ok(fake_time(&stored) == want.sec && stored == want.sec && fake.syscalls == 0 &&
		   fake.counters == 0,
	   "%s: time() returns the seconds and stores them", where());
	watch();
	ok(fake_time(NULL) == want.sec && fake.syscalls == 0, "%s: time(NULL) returns them",
	   where());
	make_odd();
	abandon();
	want = kernel_says(TIME);
	watch();
	ok(fake_time(NULL) == want.sec && asked_kernel(ARCH_NR_CLOCK_GETTIME, 0) &&
		   fake_time(&stored) == want.sec && stored == want.sec,
	   "%s: time() asks the kernel for REALTIME when the vDSO has no answer", where());
	fake.error = -EINTR;
	stored = -1;
	ok(fake_time(&stored) == -EINTR && stored == -1 && fake_time(NULL) == -EINTR,
	   "%s: ... and returns its error, and stores nothing", where());
}

static void test_getres(bool namespace)
{
	int wrong = 0, wrong_null = 0, wrong_error = 0;

	reset(namespace);
	for (int i = 0; i < IDS; i++) {
		int clock = id_number(i);
		bool coarse = clock == 5 || clock == 6;
		struct timespec res = {-1, -1}, want = {0, coarse ? 4000000 : 17};
		int ret;

		if (!on_page(clock))
			want = kernel_time(clock);
		watch();
		ret = fake_clock_getres(clock, &res);
		if (ret || res.tv_sec != want.tv_sec || res.tv_nsec != want.tv_nsec ||
		    (on_page(clock) ? fake.syscalls != 0
				    : !asked_kernel(ARCH_NR_CLOCK_GETRES, clock))) {
			if (wrong++)
				continue;
			diag("clock %d", clock);
			expected("0: %ld.%09ld", (long)want.tv_sec, want.tv_nsec);
			but_got("%d: %ld.%09ld", ret, (long)res.tv_sec, res.tv_nsec);
		}
		watch();
		wrong_null += fake_clock_getres(clock, NULL) != 0 || fake.b != 0 ||
			      fake.syscalls != !on_page(clock);
		fake.error = -EINVAL;
		wrong_error += fake_clock_getres(clock, &res) != (on_page(clock) ? 0 : -EINVAL);
		fake.error = 0;
	}
	is(wrong, 0,
	   "%s: clock_getres() of seven clocks is in the data page, else the kernel's",
	   where());
	is(wrong_null, 0, "%s: ... with NULL as well", where());
	is(wrong_error, 0, "%s: ... and the kernel's error is handed on", where());
}

static u32 cpu, node;

static void one_pointer_at_a_time(void)
{
	fake_getcpu(&cpu, NULL, NULL);
	fake_getcpu(NULL, &node, NULL);
	fake_getcpu(NULL, NULL, NULL);
}

static void test_getcpu(void)
{
	const char *broken;
	char cache[8];

	cpu = 1;
	node = 2;
	reset(false);
	fake.cpu_and_node = 0xfedc1234;
	memset(cache, 'x', sizeof(cache));
	if (!ok(fake_getcpu(&cpu, &node, cache) == 0 && cpu == 0x1234 && node == 0xfedc,
		"getcpu() gives CPU and node")) {
		expected("CPU %u, node %u", 0x1234u, 0xfedcu);
		but_got("CPU %u, node %u", cpu, node);
		because("an allocator with a list for each CPU takes from the wrong one, and "
			"nothing else tells it so");
	}
	is(fake.cpu_reads, 1, "... from one look, so that the two belong together");
	ok(!memcmp(cache, "xxxxxxxx", 8), "... and leaves the third argument alone");
	cpu = node = 0;
	broken = attempt(one_pointer_at_a_time);
	if (!ok(!broken && cpu == 0x1234 && node == 0xfedc,
		"getcpu() gives the one that is asked for, where another pointer is NULL")) {
		expected("CPU %u, node %u", 0x1234u, 0xfedcu);
		but_got("CPU %u, node %u%s%s", cpu, node, broken ? ", and " : "",
			broken ? broken : "");
		because("a caller that wants one of the two gives no place for the other");
	}
	is(fake.syscalls, 0, "... without a system call");
}

int main(void)
{
	for (int namespace = 0; namespace < 2; namespace ++) {
		test_ids(namespace);
		test_counter(namespace);
		test_carry(namespace);
		test_no_counter(namespace);
		test_odd(namespace);
		test_coming_back(namespace);
		test_timeofday(namespace);
		test_time(namespace);
		test_getres(namespace);
	}
	test_walls();
	test_extremes();
	test_order();
	test_getcpu();
	return done_testing();
}
