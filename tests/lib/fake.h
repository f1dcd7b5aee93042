/*
 * fake.h - the test's side of the machine made for tests (vdso-src/arch/fake/machine.h).
 *
 * A test links the vDSO's C files as ordinary objects. This header supplies what they miss:
 * the data pages, which a test fills as the kernel would, and the five functions of the
 * machine. Everything the vDSO does is an event that the test may act upon, and is noted.
 *
 * It also has its own idea of what the right answer is: ask() calls the vDSO, page_knows()
 * and kernel_says() work out what it must say, from the definition in vdso/datapage.h, with
 * 128 bits and a division, and not one line of the vDSO's code.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <machine.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <vdso/datapage.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "tap.h"

/* What the vDSO exports. */
int fake_clock_gettime(s32 clock, struct timespec *ts);
int fake_clock_getres(s32 clock, struct timespec *res);
int fake_gettimeofday(struct timeval *tv, struct timezone *tz);
long fake_time(long *result);
long fake_getcpu(u32 *cpu, u32 *node, void *cache);

/*
 * The data pages below the image. The vDSO knows them as vdso_data: the linker script's doing,
 * elsewhere. In assembly, since to a compiler the two would be different objects.
 */
union vdso_data_store fake_pages[VDSO_NR_DATA_PAGES];
__asm__(".globl vdso_data\n\t.set vdso_data, fake_pages");

static const int page_clocks[] = {
	VDSO_CLOCK_REALTIME,
	VDSO_CLOCK_MONOTONIC,
	VDSO_CLOCK_MONOTONIC_RAW,
	VDSO_CLOCK_REALTIME_COARSE,
	VDSO_CLOCK_MONOTONIC_COARSE,
	VDSO_CLOCK_BOOTTIME,
	VDSO_CLOCK_TAI,
};
#define PAGE_CLOCKS ((int)(sizeof(page_clocks) / sizeof(page_clocks[0])))

#define LOG_EVENTS 64
#define FAKE_EVENTS \
	"(S looks at the number, M at the mode, D at data, C reads the counter, R waits)"
#define EVENT_LIMIT 1000000
#define MANY_TRIES  10000 /* more than any reader should need before it gives up */

static struct {
	/* The test sets these. */
	u64 counter;                  /* what the counter shows */
	u32 cpu_and_node;             /* ... and the register of getcpu() */
	long error;                   /* what system calls return; with 0 they succeed */
	void (*step)(unsigned event); /* called before each load, counter read, relax and system
					 call */

	/* What the vDSO has done since watch(). */
	unsigned events, counters, relaxes, syscalls, cpu_reads;
	unsigned odd;             /* looks at the number that found a writer at work */
	long nr, a, b;            /* the last system call */
	char log[LOG_EVENTS + 1]; /* Sequence counter, Mode, Data, Counter, Relax, Kernel */
	const volatile void *loaded[LOG_EVENTS]; /* ... and what was loaded */

	/* Where the data is: on the first page, or behind that of a namespace. */
	struct vdso_data *data;
	bool namespace;
} fake;

static void event(char kind)
{
	unsigned number = fake.events++;

	if (number < LOG_EVENTS)
		fake.log[number] = kind;
	if (number == EVENT_LIMIT) {
		/* It will not end by itself. */
		ok(false, "each call of the vDSO comes to an end");
		expected("an answer, after some hundred steps at most");
		but_got("none after %d; it began with %.40s", EVENT_LIMIT, fake.log);
		diag(FAKE_EVENTS);
		because("who writes may be stopped or killed at any place. A loop that has no "
			"end of its own is then a program that hangs");
		exit(done_testing());
	}
	if (fake.step)
		fake.step(number);
}

static bool is_mode(const volatile void *address)
{
	for (size_t page = 0; page < VDSO_NR_DATA_PAGES; page++)
		for (int cs = 0; cs < CS_BASES; cs++)
			if (address == &fake_pages[page].data[cs].clock_mode)
				return true;
	return false;
}

/* Was it loaded as shared memory is: by read_once32() and its like? */
static inline bool was_loaded(const void *address)
{
	for (size_t i = 0; i < LOG_EVENTS; i++)
		if (fake.loaded[i] == address)
			return true;
	return false;
}

void fake_load(const volatile void *address)
{
	int seq = -1;

	for (int cs = 0; cs < CS_BASES; cs++)
		if (address == &fake.data[cs].seq)
			seq = cs;
	if (fake.events < LOG_EVENTS)
		fake.loaded[fake.events] = address;
	event(seq >= 0 ? 'S' : is_mode(address) ? 'M' : 'D');
	if (seq >= 0)
		fake.odd += fake.data[seq].seq & 1;
}

/* The tests that use this header are their own writers. */
void fake_store(const volatile void *address)
{
	(void)address;
}

u64 fake_counter(void)
{
	fake.counters++;
	event('C');
	return fake.counter;
}

void fake_relax(void)
{
	fake.relaxes++;
	event('R');
}

u32 fake_cpu_and_node(void)
{
	fake.cpu_reads++;
	return fake.cpu_and_node;
}

/* What the kernel answers: to each clock something else, and nothing that a data page says. */
static struct timespec kernel_time(long clock)
{
	return (struct timespec){70000 + clock % 1000, 900000000 + clock % 1000};
}

static const struct timezone kernel_tz = {-77, 3};

long fake_syscall2(long nr, long a, long b)
{
	fake.syscalls++;
	fake.nr = nr;
	fake.a = a;
	fake.b = b;
	event('K');
	if (fake.error)
		return fake.error;
	if (nr == ARCH_NR_GETTIMEOFDAY) {
		struct timespec now = kernel_time(VDSO_CLOCK_REALTIME);

		if (a)
			*(struct timeval *)a = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
		if (b)
			*(struct timezone *)b = kernel_tz;
	} else if (b) {
		*(struct timespec *)b = kernel_time(a);
	}
	return 0;
}

static void watch(void)
{
	fake.events = fake.counters = fake.relaxes = fake.syscalls = fake.cpu_reads = 0;
	fake.odd = 0;
	fake.nr = fake.a = fake.b = 0;
	memset(fake.log, 0, sizeof(fake.log));
	memset(fake.loaded, 0, sizeof(fake.loaded));
}

/*
 * State k of the clocks: no two states have a number in common that matters, nor do the
 * two bases of one state, nor two clocks. Whatever is mixed comes out wrong. The sequence
 * counter is left alone.
 */
#define NOW 0x0123456789abull /* where the counter stands in all of them */

static void set_state(struct vdso_data data[CS_BASES], unsigned k)
{
	for (unsigned cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &data[cs];

		vd->clock_mode = VDSO_CLOCKMODE_COUNTER;
		vd->cycle_last = NOW - 10000000 * (k + 1) - 770000 * cs;
		vd->max_cycles = 1000000000 + k;
		vd->mask = ~0ull >> 4 * k;
		vd->shift = 20 + k + 3 * cs;
		vd->mult = (3u << vd->shift) / 10 + 12345 * k + 7777 * cs;
		for (unsigned clock = 0; clock < VDSO_BASES; clock++) {
			u64 ns = 5 + 11111111 * clock + 222222222 * k;
			/* A coarse clock has the seconds of its fine one. */
			unsigned sec = VDSO_BIT(clock) & VDSO_COARSE ? clock - 5 : clock;

			if (!(VDSO_BIT(clock) & VDSO_COARSE))
				ns = ns << vd->shift | (1u << vd->shift) / 3;
			vd->basetime[clock] = (struct vdso_timestamp){
				1000000 * (k + 1) + 30000 * cs + 100 * sec, ns};
		}
		vd->tz_minuteswest = -60 - (s32)k;
		vd->tz_dsttime = 1 + (s32)k;
		vd->hrtimer_res = 17 + 100 * cs + 1000 * k;
		vd->coarse_res = 4000000 + 100 * cs + 1000 * k;
	}
}

static void set_seq(u32 seq)
{
	for (int cs = 0; cs < CS_BASES; cs++)
		atomic_store(&fake.data[cs].seq, seq);
}

/*
 * Nobody keeps this data page any more: the numbers stay odd. Two steps, as of a timekeeper
 * that does not know the rate of its counter; the watchdog does the last one alone. Returns
 * false with that.
 */
static inline bool abandon_step(unsigned step)
{
	vdso_abandon(&fake.data[step == 0 ? CS_RAW : CS_HRES_COARSE]);
	return step == 0;
}

/* A fresh machine, with the data on the first page or behind a namespace. */
static void reset(bool namespace)
{
	memset(fake_pages, 0, sizeof(fake_pages));
	memset(&fake, 0, sizeof(fake));
	fake.counter = NOW;
	fake.namespace = namespace;
	fake.data = fake_pages[namespace ? VDSO_TIMENS_PAGE : VDSO_TIME_PAGE].data;
	set_state(fake.data, 0);
	set_seq(2);
	for (int cs = 0; cs <= CS_KERNEL && namespace; cs++) {
		struct vdso_data *page = &fake_pages[VDSO_TIME_PAGE].offsets[cs];

		/* Nothing but these is looked at; the rest would be noticed. */
		set_state(page, 2);
		atomic_store(&page->seq, 1);
		page->wall = 0;
		page->clock_mode = VDSO_CLOCKMODE_TIMENS;
		/* Forth and back, with carry and without, also for ids that have none. */
		for (int clock = 0; clock < VDSO_BASES; clock++)
			page->offset[clock] = (struct timens_offset){
				(clock % 2 ? -1 : 1) * (500 + clock) +
					(cs == CS_KERNEL ? 70 : 0),
				clock % 3 ? 999999999 - (u64)clock : 3 * (u64)clock};
	}
}

/* What is asked: a clock id, or one of the two other functions that tell the time. */
enum { TIMEOFDAY = 1000, TIME };

struct answer {
	long ret, sec, nsec;
};

static bool same(struct answer a, struct answer b)
{
	return a.ret == b.ret && a.sec == b.sec && a.nsec == b.nsec;
}

static inline const char *name_of(int what)
{
	static char name[32];

	if (what == TIMEOFDAY)
		return "gettimeofday()";
	if (what == TIME)
		return "time()";
	snprintf(name, sizeof(name), "clock %d", what);
	return name;
}

/* Asks the vDSO. What it has not written shows as -1. */
static struct answer ask(int what)
{
	struct answer answer = {0, -1, -1};

	watch();
	if (what == TIMEOFDAY) {
		struct timeval tv = {-1, -1};

		answer.ret = fake_gettimeofday(&tv, NULL);
		answer.sec = tv.tv_sec;
		answer.nsec = tv.tv_usec < 0 ? -1 : tv.tv_usec * 1000;
	} else if (what == TIME) {
		long returned = fake_time(&answer.sec);

		answer.nsec = 0;
		answer.ret = returned == answer.sec ? 0 : returned;
	} else {
		struct timespec ts = {-1, -1};

		answer.ret = fake_clock_gettime(what, &ts);
		answer.sec = ts.tv_sec;
		answer.nsec = ts.tv_nsec;
	}
	return answer;
}

/* The offsets are other ones for what the kernel answers (CS_KERNEL). */
static struct answer with_offset(int clock, struct answer answer, int cs)
{
	const struct timens_offset *offset = fake_pages[VDSO_TIME_PAGE].offsets[cs].offset;

	if (fake.namespace && clock >= 0 && clock < VDSO_BASES) {
		answer.nsec += (long)offset[clock].nsec;
		answer.sec += offset[clock].sec + answer.nsec / 1000000000;
		answer.nsec %= 1000000000;
	}
	return answer;
}

/* As the function gives it back: gettimeofday() has microseconds, time() only seconds. */
static struct answer rounded(int what, struct answer answer)
{
	if (what == TIMEOFDAY)
		answer.nsec -= answer.nsec % 1000;
	if (what == TIME)
		answer.nsec = 0;
	return answer;
}

static int clock_of(int what)
{
	if (what == TIMEOFDAY)
		return VDSO_CLOCK_REALTIME;
	return what == TIME ? VDSO_CLOCK_REALTIME_COARSE : what;
}

/* The bases that a clock is in: the wall clocks may have some of their own. */
static const struct vdso_data *bases_of(const struct vdso_data *data, int clock)
{
	const u32 walls = 1u << 0 | 1u << 5 | 1u << 11;

	if (fake.namespace && clock >= 0 && clock < VDSO_BASES && walls >> clock & 1)
		data = (const void *)((const char *)data +
				      fake_pages[VDSO_TIME_PAGE].offsets[0].wall);
	return data;
}

/* The right answer from a data page; false if it cannot give one. */
static bool page_knows(const struct vdso_data data[CS_BASES], int what, struct answer *answer)
{
	int clock = clock_of(what);
	u32 bit = clock >= 0 && clock < VDSO_BASES ? VDSO_BIT(clock) : 0;
	const struct vdso_data *vd =
		&bases_of(data, clock)[bit & VDSO_RAW ? CS_RAW : CS_HRES_COARSE];
	unsigned __int128 ns;
	u64 delta;

	if (vd->clock_mode == VDSO_CLOCKMODE_ABANDONED)
		return false;
	if (what == TIME && !fake.namespace) {
		*answer = (struct answer){0, (long)vd->basetime[VDSO_CLOCK_REALTIME].sec, 0};
		return true;
	}
	if (bit & VDSO_COARSE) {
		ns = vd->basetime[clock].nsec;
	} else if (bit & (VDSO_HRES | VDSO_RAW)) {
		delta = (fake.counter - vd->cycle_last) & vd->mask;
		if (delta > vd->mask / 2)
			delta = 0; /* the counter is behind: the base itself */
		if (vd->clock_mode == VDSO_CLOCKMODE_NONE || delta > vd->max_cycles)
			return false;
		ns = (unsigned __int128)delta * vd->mult + vd->basetime[clock].nsec;
		ns >>= vd->shift;
	} else {
		return false;
	}
	*answer = (struct answer){0, (long)(vd->basetime[clock].sec + (u64)(ns / 1000000000)),
				  (long)(ns % 1000000000)};
	*answer = rounded(what, with_offset(clock, *answer, CS_HRES_COARSE));
	return true;
}

/* For a coarse clock the kernel is asked for the fine one: the two do not tick alike. */
static int kernel_clock(int clock)
{
	bool coarse = clock >= 0 && clock < VDSO_BASES && VDSO_BIT(clock) & VDSO_COARSE;

	return coarse ? clock - VDSO_CLOCK_REALTIME_COARSE : clock;
}

/* The right answer when a system call gives it: what the kernel says, in this namespace. */
static struct answer kernel_says(int what)
{
	struct timespec ts = kernel_time(kernel_clock(clock_of(what)));
	struct answer answer = {0, ts.tv_sec, ts.tv_nsec};

	return rounded(what, with_offset(clock_of(what), answer, CS_KERNEL));
}

#endif
