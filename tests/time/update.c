/*
 * update.c - the timekeeper is stopped at each step of an update, and no clock goes back.
 *
 * The timekeeper itself runs on the machine made for tests (vdso-src/arch/fake): each of its
 * stores, its looks at the counter and at the kernel's clocks is a step, and at any step its
 * CPU may be taken away, for as long as the test likes. The readers are the image's own
 * functions. Meanwhile they read all clocks, by the data page or by system calls, which tell
 * the time of a kernel that is simulated as well; and after that, too. The watchdog does what
 * it does after 25 ms without an update, or is stopped with the timekeeper.
 *
 * Its steps are the beginning of an update, the look at the counter, each store, the end, and
 * the look at the clocks before the next. It is stopped before one of them, and once more
 * before a later one. At once, again and again until it goes on, and after that, all clocks are
 * read.
 *
 * The watchdog has its bad moments, too: stopped between its look and its deed, it abandons a
 * data page that is kept; and it may be killed between any two of its stores.
 *
 * The mirror for a kernel's image is kept as well, in a run of its own, and read as such an
 * image does it: at once or not at all.
 *
 * Clocks of one's own, at another rate and in two pairs of bases, are read behind a page of
 * offsets; who is sent to the kernel is answered as a tracer answers, by the same line.
 *
 * Held to: no clock is ever behind an earlier answer, by whatever function (time() and
 * gettimeofday() are second faces of REALTIME_COARSE and REALTIME); no fine clock is further
 * from the kernel's than a bound; no update takes more than STEPS_MAX steps. storm.c and
 * halted.c do it for real, where a moment of some nanoseconds is luck.
 */
#include <machine.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/arch/cpu.h"
#include "kernel/time/counter.h"
#include "kernel/time/timekeeper.h"
#include "tap.h"

#define STEPS_MAX      2000
#define UPDATE_STEPS   75  /* more than an update takes that nobody disturbs */
#define MIRROR_STEPS   160 /* the same with a mirror */
#define OWN_STEPS      130 /* ... and with clocks of one's own */
#define WATCHDOG_NS    25e6
#define CYCLES_PER_NS  2.6
#define COARSE_MAX_AGE 30e6
#define COARSE_WAIT    42e6 /* how long a coarse reader waits for a data page that comes back */

/* How many updates until the first of full length, so that tests begin with a known rate. */
#define YOUNG 9

int fake_clock_gettime(s32 clock, struct timespec *ts);
int fake_gettimeofday(struct timeval *tv, struct timezone *tz);
long fake_time(long *result);

union vdso_data_store fake_pages[VDSO_NR_DATA_PAGES];
__asm__(".globl vdso_data\n\t.set vdso_data, fake_pages");

/* ---- the machine and its kernel ---------------------------------------------------------- */

enum { MONO, RAW, BOOT, REAL, TAI, CLOCKS };
static const int id[CLOCKS] = {VDSO_CLOCK_MONOTONIC, VDSO_CLOCK_MONOTONIC_RAW,
			       VDSO_CLOCK_BOOTTIME, VDSO_CLOCK_REALTIME, VDSO_CLOCK_TAI};

static struct {
	double now;           /* ns since the start */
	double clock[CLOCKS]; /* what the kernel's clocks show now */
	double ppm, raw_ppm, cycles;
	double hz;               /* cycles a ns */
	double look_ns, read_ns; /* how long a look takes, and a system call each way */
	double step_ns;          /* ... and a step of the timekeeper */
	double drift;            /* by how many ppm the kernel's clocks are made faster */
	double bound;            /* ns that a fine clock may be off */
	unsigned seed;
	unsigned relaxes; /* in this call */
	bool writing, abandoning;
	bool counter; /* is there a usable one? */
	bool mirror;  /* and is there a mirror? */
	bool own;     /* are there clocks of one's own? */
	u64 rate, steady_rate;
	struct own_clocks clocks;
} m;

static struct timekeeper tk, wall;

/* With clocks of one's own the first page has the offsets. */
static struct vdso_data *data_page(void)
{
	return fake_pages[m.own ? VDSO_TIMENS_PAGE : VDSO_TIME_PAGE].data;
}

/* The pair of bases that a clock is in. */
static struct vdso_data *pair_of(int clock)
{
	return data_page() + (m.own && (clock == REAL || clock == TAI) ? CS_WALL : 0);
}

/* A layout as good as any. */
static const struct foreign_layout other_layout = {
	.name = "",
	.rng = -1,
	.data = 128,
	.size = 240,
	.tz = 224,
	.res = 232,
};
static union mirror_store mirror_pages[MIRROR_PAGES];

static void pass(double ns)
{
	m.now += ns;
	m.cycles += ns * m.hz;
	for (int i = 0; i < CLOCKS; i++)
		m.clock[i] += ns * (1 + (i == RAW ? m.raw_ppm : m.ppm) * 1e-6);
}

static double chance(void)
{
	return (double)(m.seed = m.seed * 1103515245 + 12345) / 4294967296.0;
}

static double kernel_clock(long clock)
{
	for (int i = 0; i < CLOCKS; i++)
		if (id[i] == clock)
			return m.clock[i];
	return 0;
}

/* What a program is shown where the kernel's clock shows that. */
static double shown(int clock, double ns)
{
	const struct clock_map *map = own_clocks_map(&m.clocks, id[clock]);

	return m.own ? (double)clock_map_shown(map, (s64)ns) : ns;
}

/* By so much an error is more, or less, than the kernel's. */
static double stretch(int clock)
{
	double rate = (double)(clock == REAL || clock == TAI ? m.rate : m.steady_rate) / 1e9;

	return m.own ? rate : 1;
}

static double now_shown(int clock)
{
	return shown(clock, m.clock[clock]);
}

static double answer_of(long clock)
{
	for (int i = 0; i < CLOCKS; i++)
		if (id[i] == clock)
			return now_shown(i);
	return 0;
}

/* ---- who is stopped when ----------------------------------------------------------------- */

/* No stop: the watchdog comes late, after one of its own. */
#define LATE (-1.0)

struct stop {
	unsigned update, step;
	double ns;
	bool watched; /* or is the watchdog stopped, too? */
};

static struct {
	struct stop stops[2];
	bool watchdog;       /* is it there now? */
	unsigned last_store; /* it is killed before this one of its stores, from 1 on; or 0 */
	unsigned stores;     /* so far */
	bool killed;         /* ... and that has happened */
	jmp_buf end;
	unsigned unwatched; /* the last update that was stopped together with it */
	double hz; /* the counter's rate after a stop in base `in` and no other; or 0 */
	int in;
	bool changed; /* ... and that has happened */
	unsigned update, step, most;
	double until;       /* when the timekeeper goes on */
	double last_update; /* when the head changed last */
	u32 seen;
} plan;

/* A function of its own: nothing of it is in registers that longjmp() would leave as they are.
 */
__attribute__((noinline)) static void abandon_all(void)
{
	vdso_abandon(&data_page()[CS_HRES_COARSE]);
	if (m.own)
		vdso_abandon(&data_page()[CS_WALL + CS_HRES_COARSE]);
	if (m.mirror) {
		u64 head[CS_BASES];

		mirror_abandon(&tk.mirror, head);
		mirror_stand_in(&tk.mirror, head, (u64)m.clock[REAL], (u64)m.clock[MONO]);
	}
}

/* It has found that nobody keeps the data page. */
static void abandon(void)
{
	bool writing = m.writing;

	m.writing = false;
	m.abandoning = true;
	if (!setjmp(plan.end))
		abandon_all();
	m.abandoning = false;
	m.writing = writing;
}

static bool is_odd(int cs)
{
	return atomic_load(&data_page()[cs].seq) & 1;
}

/* May a stop between the last look at the counter and the end be left out? See step(). */
static bool rate_changes(void)
{
	return m.drift > 0 || plan.hz > 0;
}

static void watchdog(void)
{
	u32 seq = atomic_load(&data_page()->seq);

	if (seq != plan.seen) {
		plan.seen = seq;
		plan.last_update = m.now;
	} else if (plan.watchdog && !plan.killed && m.now - plan.last_update > WATCHDOG_NS) {
		abandon();
	}
}

static void read_all(void);

/* Time in which the timekeeper does nothing. */
static void idle(double ns)
{
	while (ns > 0) {
		double part = ns < 5e6 ? ns : 5e6;

		pass(part);
		watchdog();
		ns -= part;
	}
}

/*
 * A step of the timekeeper. The hole that is left, and known, is the end of a base, some
 * nanoseconds after the last look at the counter: in an update that brings the data page back,
 * if the watchdog is stopped, too, for longer than a coarse reader waits (gettime.c); and for
 * fine clocks when the kernel's have just got another rate (timekeeper.c).
 */
static void step(bool hole)
{
	unsigned now = plan.step++;

	pass(m.step_ns);
	if (plan.step > plan.most)
		plan.most = plan.step;
	if (plan.step > STEPS_MAX) {
		ok(false, "each update comes to an end");
		exit(done_testing());
	}
	for (int i = 0; i < 2; i++) {
		const struct stop *stop = &plan.stops[i];
		double until = m.now + stop->ns;

		if (stop->update == plan.update && stop->step == now && stop->ns == LATE) {
			abandon();
			m.writing = false;
			read_all();
			m.writing = true;
		}
		if (stop->update != plan.update || stop->step != now || stop->ns <= 0 ||
		    (hole && (rate_changes() || (!stop->watched && stop->ns > COARSE_WAIT))))
			continue;
		if (plan.hz > 0 && is_odd(plan.in) && !is_odd(!plan.in)) {
			m.hz = plan.hz;
			plan.changed = true;
		}
		plan.until = until;
		m.writing = false;
		plan.watchdog = stop->watched;
		if (!stop->watched)
			plan.unwatched = plan.update;
		read_all();
		for (int part = 1; part <= 8; part++) {
			double left = until - m.now;

			if (left <= 0)
				break;
			/* In small pieces and then in large ones. */
			idle(part < 8 ? left / 3 : left);
			read_all();
		}
		plan.watchdog = true;
		m.writing = true;
	}
}

/* ---- what the image's functions and the timekeeper ask of the machine -------------------- */

void fake_load(const volatile void *address)
{
	(void)address;
}

/* The hole that mirror.h names: the two stores of a clock that is read in any mode. */
static bool in_mirrored_base(const volatile void *address)
{
	uintptr_t at = (uintptr_t)address - (uintptr_t)&mirror_pages[MIRROR_TIME] -
		       other_layout.data - 32;

	return at < VDSO_BASES * sizeof(struct vdso_timestamp);
}

void fake_store(const volatile void *address)
{
	const struct vdso_data *vd = data_page();
	bool hole = false;

	if (m.abandoning && ++plan.stores == plan.last_store) {
		plan.killed = true;
		plan.unwatched = ~0u;
		longjmp(plan.end, 1);
	}
	for (int cs = 0; cs < (m.own ? CS_WALL + CS_BASES : CS_BASES); cs++)
		hole |= address == (void *)&vd[cs].head && is_odd(cs) &&
			(rate_changes() || vd[cs].clock_mode == VDSO_CLOCKMODE_NONE);
	if (!m.writing)
		return;
	if (in_mirrored_base(address))
		pass(m.step_ns);
	else
		step(hole);
}

u64 fake_counter(void)
{
	if (m.writing)
		step(false);
	else
		pass(10);
	return (u64)m.cycles;
}

/* The first turns take as long as they may; those after them as long as they must, all
 * together. */
void fake_relax(void)
{
	pass(m.relaxes++ < 256 ? 20 : COARSE_WAIT / 256);
	watchdog();
}

u32 fake_cpu_and_node(void)
{
	return 0;
}

long fake_syscall2(long nr, long a, long b)
{
	double ns;

	pass(m.read_ns);
	ns = answer_of(nr == ARCH_NR_GETTIMEOFDAY ? VDSO_CLOCK_REALTIME : a);
	if (nr == ARCH_NR_GETTIMEOFDAY)
		*(struct timeval *)a =
			(struct timeval){(long)(ns / 1e9), (long)fmod(ns, 1e9) / 1000};
	else
		*(struct timespec *)b =
			(struct timespec){(long)(ns / 1e9), (long)fmod(ns, 1e9)};
	pass(m.read_ns);
	return 0;
}

u64 sampler_clock(clockid_t clock)
{
	u64 ns;

	step(false);
	pass(m.read_ns / 4);
	ns = (u64)kernel_clock(clock);
	pass(m.read_ns / 4);
	return ns;
}

void sampler_find_ahead(struct clocks_ahead *ahead)
{
	memset(ahead, 0, sizeof(*ahead));
}

static struct timeline_sample sample(int clock)
{
	step(false);
	return (struct timeline_sample){(u64)m.cycles,
					(u64)(m.clock[clock] + chance() * 16 - 8), 60};
}

static struct interval distance(int clock)
{
	double truth = m.clock[clock] - m.clock[MONO];

	return (struct interval){(s64)floor(truth - chance() * 8),
				 (s64)ceil(truth + chance() * 8)};
}

void sampler_look(struct clocks_look *look, const struct clocks_ahead *ahead, int tries)
{
	(void)ahead;
	(void)tries;
	step(false);
	pass(m.look_ns);
	look->real = distance(REAL);
	look->boot = distance(BOOT);
	look->tai = distance(TAI);
	look->raw = sample(RAW);
	look->mono = sample(MONO);
	step(false);
}

bool counter_changed(const struct counter *counter)
{
	return (counter->clocksource[0] == 'c') != m.counter;
}

bool counter_usable(struct counter *counter, const char **why)
{
	counter->clocksource[0] = m.counter ? 'c' : 'h';
	*why = m.counter ? NULL : "there is none";
	return m.counter;
}

u64 cpu_counter_mask(void)
{
	return ~0ull;
}

void rng_publish(struct rng *rng)
{
	(void)rng;
}

/* ---- the readers ------------------------------------------------------------------------- */

/* Clocks that must not be behind each other, in units of `unit` ns. */
enum { FACES = 10, RAW_FACE = 3 };
static const struct face {
	const char *name;
	int clock;  /* or -1: gettimeofday(), -2: time() */
	int of;     /* the kernel's clock that it shows */
	int family; /* the face whose answers it must not be behind, in whole units */
	u64 unit;
} faces[FACES] = {
	{"REALTIME", VDSO_CLOCK_REALTIME, REAL, 0, 1},
	{"gettimeofday()", -1, REAL, 0, 1000},
	{"MONOTONIC", VDSO_CLOCK_MONOTONIC, MONO, 2, 1},
	{"MONOTONIC_RAW", VDSO_CLOCK_MONOTONIC_RAW, RAW, 3, 1},
	{"BOOTTIME", VDSO_CLOCK_BOOTTIME, BOOT, 4, 1},
	{"TAI", VDSO_CLOCK_TAI, TAI, 5, 1},
	{"time()", -2, REAL, 8, 1000000000},
	{"MONOTONIC_COARSE", VDSO_CLOCK_MONOTONIC_COARSE, MONO, 7, 1},
	{"REALTIME_COARSE", VDSO_CLOCK_REALTIME_COARSE, REAL, 8, 1},
	{"time()", -2, REAL, 8, 1000000000},
};

static struct {
	u64 last[FACES];
	const char *by[FACES];
	unsigned backwards, off, old, ahead;
	double worst_off, worst_back;
	unsigned reads, waits;
	bool told;
	u64 mirror[FACES]; /* the last ones of the mirror */
} seen;

static u64 ask(const struct face *face)
{
	struct timespec ts = {0, 0};
	struct timeval tv;

	m.relaxes = 0;
	if (face->clock == -2)
		return (u64)fake_time(NULL) * 1000000000;
	if (face->clock == -1) {
		fake_gettimeofday(&tv, NULL);
		return (u64)tv.tv_sec * 1000000000 + (u64)tv.tv_usec * 1000;
	}
	fake_clock_gettime(face->clock, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static void tell(const struct face *face, const char *what, double by)
{
	if (seen.told)
		return;
	seen.told = true;
	diag("%s %s by %.0f ns (before: %s)", face->name, what, by, seen.by[face->family]);
	for (int i = 0; i < 2; i++)
		diag("stopped in update %u at step %u for %.0f ns", plan.stops[i].update,
		     plan.stops[i].step, plan.stops[i].ns);
	diag("now in update %u at step %u, watchdog %s", plan.update, plan.step,
	     plan.watchdog ? "alive" : "stopped");
}

/*
 * A reader waits for the timekeeper, which does not go on here before the reader has an answer.
 * One that nobody would end, within the time that the timekeeper is stopped for, must be left
 * out.
 */
static bool would_wait(const struct face *face)
{
	const struct vdso_data *vd = pair_of(face->of);

	return !plan.watchdog && face->family > 5 && plan.until - m.now < COARSE_WAIT &&
	       atomic_load(&vd[CS_HRES_COARSE].seq) & 1 &&
	       vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_NONE &&
	       atomic_load(&vd[CS_RAW].seq) & 1;
}

static void read_face(const struct face *face)
{
	u64 got, *last = &seen.last[face->family];
	double before = now_shown(face->of), off, bound = m.bound * stretch(face->of) + 1;

	if (would_wait(face))
		return;
	got = ask(face);
	seen.reads++;
	seen.waits += m.relaxes > 0;
	if (got / face->unit < *last / face->unit) {
		seen.backwards++;
		if ((double)(*last - got) > seen.worst_back)
			seen.worst_back = (double)(*last - got);
		tell(face, "went back", (double)(*last - got));
	}
	if (got > *last) {
		*last = got;
		seen.by[face->family] = face->name;
	}
	if (face->family < 6) {
		off = (double)got < before ? before - (double)got - (double)(face->unit - 1)
					   : (double)got - now_shown(face->of);
		if (off > seen.worst_off)
			seen.worst_off = off;
		if (off > bound) {
			seen.off++;
			tell(face, "is off", off);
		}
	} else if ((double)got > now_shown(face->of) + bound) {
		seen.ahead++;
		tell(face, "is ahead", (double)got - now_shown(face->of));
	} else if (plan.update > plan.unwatched && face->unit == 1 &&
		   before - (double)got >
			   (WATCHDOG_NS + COARSE_MAX_AGE) * stretch(face->of) + 1) {
		seen.old++;
		tell(face, "is old", before - (double)got);
	}
}

/*
 * What a kernel's image would answer; false if it would wait. The timekeeper does not go on
 * meanwhile, so both numbers must be even, and there is one look.
 */
static bool ask_mirror(const struct face *face, u64 *answer)
{
	struct vdso_data read[CS_BASES];
	const struct vdso_data *vd = &read[face->clock == VDSO_CLOCK_MONOTONIC_RAW];
	const struct vdso_timestamp *base;
	u64 cycles = fake_counter();

	for (int cs = 0; cs < CS_BASES; cs++)
		if (mirror_pages[MIRROR_TIME].page[other_layout.data + cs * other_layout.size] &
		    1)
			return false;
	mirror_read(&other_layout, &mirror_pages[MIRROR_TIME], read);
	base = &vd->basetime[face->clock == -2 ? VDSO_CLOCK_REALTIME : face->clock];
	if (face->clock == -2)
		*answer = base->sec * NSEC_PER_SEC;
	else if (VDSO_BIT(face->clock) & VDSO_COARSE)
		*answer = base->sec * NSEC_PER_SEC + base->nsec;
	else if (vd->clock_mode == VDSO_CLOCKMODE_NONE)
		*answer = (u64)kernel_clock(face->clock);
	else
		*answer = base->sec * NSEC_PER_SEC +
			  (((cycles > vd->cycle_last ? cycles - vd->cycle_last : 0) * vd->mult +
			    base->nsec) >>
			   vd->shift);
	return true;
}

static void read_mirror(const struct face *face)
{
	double before = m.clock[face->of];
	u64 got, *mine = &seen.mirror[face->family];

	if (face->clock == -1 || !ask_mirror(face, &got))
		return;
	seen.reads++;
	if (got / face->unit < *mine / face->unit) {
		seen.backwards++;
		tell(face, "of the mirror went back", (double)(*mine - got));
	}
	if (got > *mine)
		*mine = got;
	if (face->family < 6 &&
	    (before - (double)got > m.bound || (double)got - m.clock[face->of] > m.bound)) {
		seen.off++;
		tell(face, "of the mirror is off", (double)got - m.clock[face->of]);
	}
	if (face->family >= 6 &&
	    ((double)got > m.clock[face->of] + m.bound ||
	     (!plan.killed && before - (double)got - (double)(face->unit - 1) >
				      WATCHDOG_NS + COARSE_MAX_AGE))) {
		seen.old++;
		tell(face, "of the mirror is old, or ahead", before - (double)got);
	}
}

static void read_all(void)
{
	for (int i = 0; i < FACES; i++)
		read_face(&faces[i]);
	for (int i = 0; m.mirror && i < FACES; i++)
		read_mirror(&faces[i]);
}

/* ---- a run ------------------------------------------------------------------------------- */

static void update(void)
{
	plan.update++;
	plan.step = 0;
	m.writing = true;
	timekeeper_update(&tk);
	if (m.own)
		timekeeper_update(&wall);
	m.writing = false;
	watchdog();
}

/* The page of offsets says nothing but where to look. */
static void start_own(void)
{
	struct vdso_data *offsets = fake_pages[VDSO_TIME_PAGE].offsets;

	for (int cs = 0; cs <= CS_KERNEL; cs++) {
		atomic_store(&offsets[cs].seq, 1);
		offsets[cs].clock_mode = VDSO_CLOCKMODE_TIMENS;
		offsets[cs].wall = VDSO_WALL_DISTANCE;
	}
	m.clocks.map[TIMENS_MONOTONIC] = clock_map_from(5000e9, 7000e9, m.steady_rate);
	m.clocks.raw = clock_map_from(4900e9, 6800e9, m.steady_rate);
	m.clocks.map[TIMENS_BOOTTIME] = clock_map_from(6000e9, 6500e9, m.steady_rate);
	m.clocks.map[TIMENS_REALTIME] = clock_map_from(1000000e9, 1300000e9 + 321, m.rate);
	m.clocks.map[TIMENS_TAI] = clock_map_from(1000037e9, 1300037e9 + 321, m.rate);
	timekeeper_start(&wall, &data_page()[CS_WALL], COUNTER_AUTO);
	own_start(&tk.bases.own, OWN_STEADY, &m.clocks);
	own_start(&wall.bases.own, OWN_WALL, &m.clocks);
}

static void start(void)
{
	memset(fake_pages, 0, sizeof(fake_pages));
	memset(&seen.last, 0, sizeof(seen.last));
	memset(&seen.mirror, 0, sizeof(seen.mirror));
	m.now = 0;
	m.cycles = 1e12;
	m.clock[MONO] = 5e12;
	m.clock[RAW] = 4.9e12;
	m.clock[BOOT] = 6e12;
	/* As close to a second as the updates are to each other: time() has something to tell.
	 */
	m.clock[REAL] = 1e15 + 777 + 0.985e9;
	m.clock[TAI] = m.clock[REAL] + 37e9;
	m.seed = 1;
	m.ppm = 12;
	m.raw_ppm = -3;
	plan.update = plan.step = plan.seen = plan.unwatched = plan.stores = 0;
	plan.killed = false;
	plan.watchdog = true;
	plan.last_update = 0;
	m.writing = true;
	timekeeper_start(&tk, data_page(), COUNTER_AUTO);
	if (m.own)
		start_own();
	if (m.mirror) {
		memset(mirror_pages, 0, sizeof(mirror_pages));
		tk.mirror = (struct mirror){.layout = &other_layout, .pages = mirror_pages};
	}
	timekeeper_first(&tk);
	if (m.own)
		timekeeper_first(&wall);
	m.writing = false;
}

static double period(void)
{
	u64 first = timekeeper_period(&tk), second = m.own ? timekeeper_period(&wall) : first;

	return (double)(first < second ? first : second);
}

/* Updates when they are due, and reads before and after each. */
static void go_on(unsigned updates)
{
	while (updates-- > 0) {
		double due = period();

		if (plan.update == YOUNG) {
			m.ppm += m.drift;
			m.raw_ppm += m.drift;
		}

		for (int i = 0; i < 2; i++) {
			idle(due / 2);
			read_all();
		}
		update();
		read_all();
	}
}

static void machine(bool counter, double look_ns, double read_ns)
{
	m.counter = counter;
	m.look_ns = look_ns;
	m.read_ns = read_ns;
	m.hz = CYCLES_PER_NS;
	m.step_ns = 3;
	m.drift = 0;
	m.bound = 250;
	m.mirror = m.own = false;
	memset(&seen, 0, sizeof(seen));
	memset(&plan, 0, sizeof(plan));
}

static void judge(const char *what)
{
	is(seen.backwards, 0, "%s: no clock goes back", what);
	is(seen.off, 0, "%s: no fine clock is off by more than %.0f ns", what, m.bound);
	is(seen.old + seen.ahead, 0, "%s: no coarse clock is too old, or ahead", what);
	printf("# %u reads, fine clocks off by %.0f ns at most, an update of %u steps at "
	       "most\n",
	       seen.reads, seen.worst_off, plan.most);
}

static const double lengths[] = {100, 2e3, 20e3, 2e6, 30e6, 55e6, 600e6};
#define LENGTHS ((int)(sizeof(lengths) / sizeof(lengths[0])))

static void run(struct stop first, struct stop second)
{
	plan.stops[0] = first;
	plan.stops[1] = second;
	start();
	go_on(YOUNG + 7);
}

static void test_once(const char *what)
{
	for (unsigned at = 0; at < UPDATE_STEPS; at++)
		for (int i = 0; i < LENGTHS; i++)
			for (int watched = 0; watched < 2; watched++)
				/* While it is young, and later; the second ends in between. */
				for (unsigned in = 1; in <= YOUNG + 2; in += YOUNG + 1)
					run((struct stop){in, at, lengths[i], watched},
					    (struct stop){0});
	judge(what);
}

/*
 * Clocks of one's own. All the more is shown of each nanosecond of the kernel's that is out of
 * order; nothing of it where they stand still.
 */
static void test_own(const char *what, double rate, double steady_rate)
{
	m.own = true;
	m.rate = (u64)(rate * 1e9 + 0.5);
	m.steady_rate = (u64)(steady_rate * 1e9 + 0.5);
	for (unsigned at = 0; at < OWN_STEPS; at++)
		for (int i = 0; i < LENGTHS; i++)
			for (int watched = 0; watched < 2; watched++)
				run((struct stop){YOUNG + 2, at, lengths[i], watched},
				    (struct stop){0});
	for (unsigned first = 0; first < OWN_STEPS; first += 7)
		for (unsigned at = 0; at < OWN_STEPS; at += 3)
			run((struct stop){YOUNG + 2, first, LATE, true},
			    (struct stop){YOUNG + 2 + at % 2, at, 30e6, true});
	judge(what);
}

static void change_clocks(bool hold, u64 rate)
{
	static const int of[TIMENS_CLOCKS] = {REAL, MONO, BOOT, TAI};
	struct own_clocks clocks = {.hold = hold};

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		clocks.map[i] =
			clock_map_from((s64)m.clock[of[i]], (s64)now_shown(of[i]), rate);
	clocks.raw = clock_map_from((s64)m.clock[RAW], (s64)now_shown(RAW), rate);
	own_change(&tk.bases.own, &clocks);
	own_change(&wall.bases.own, &clocks);
	if (!hold)
		m.clocks = clocks;
}

/* As control.h says: first they are held, and only then they have another rate. */
static void test_rates(void)
{
	static const double rates[] = {1, 60, 0, 0.5, 1000, 0.001, 1};
	u64 before;

	machine(true, 3000, 60);
	m.own = true;
	m.rate = m.steady_rate = 60000000000;
	start();
	go_on(YOUNG + 5);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		m.bound = 1e15;
		change_clocks(true, 0);
		update();
		read_all();
		before = seen.last[0];
		idle(1e6);
		read_all();
		is(seen.last[0] - before, 0, "a clock that is held stands still");
		m.rate = m.steady_rate = (u64)(rates[i] * 1e9);
		change_clocks(false, m.rate);
		m.bound = 250;
		update();
		go_on(5);
	}
	is(seen.backwards, 0, "... and no clock goes back when its rate is changed then");
	is(seen.off, 0, "... nor jumps");
}

/*
 * With the watchdog: readers of a mirror have nobody else. Their timekeeper has grown up before
 * (data_pages.c).
 */
static void test_mirror(const char *what)
{
	m.mirror = true;
	for (unsigned at = 0; at < MIRROR_STEPS; at++)
		for (int i = 0; i < LENGTHS; i++)
			run((struct stop){YOUNG + 2, at, lengths[i], true}, (struct stop){0});
	for (unsigned first = 0; first < MIRROR_STEPS; first += 5)
		for (unsigned at = 0; at < MIRROR_STEPS; at += 3)
			run((struct stop){YOUNG + 2, first, 30e6, true},
			    (struct stop){YOUNG + 2 + at % 2, at, 30e6, true});
	/* More than a second: time() goes on, too. */
	run((struct stop){YOUNG + 2, 10, 1200e6, true}, (struct stop){0});
	judge(what);
}

/* What the mirror's readers were told meanwhile is the kernel's time, not the line's. */
static void test_mirror_abandoned(const char *what)
{
	m.mirror = true;
	for (unsigned at = 0; at < MIRROR_STEPS; at++)
		run((struct stop){YOUNG + 2, at, LATE, true}, (struct stop){0});
	judge(what);
}

/* The second time perhaps in the update that brings the data page back. */
static void test_twice(const char *what)
{
	for (unsigned first = 0; first < UPDATE_STEPS; first += 3)
		for (unsigned at = 0; at < UPDATE_STEPS * 2; at++)
			for (int i = 0; i < LENGTHS; i += 2)
				for (int watched = 0; watched < 2; watched++)
					run((struct stop){YOUNG + 2, first, 30e6, true},
					    (struct stop){YOUNG + 2 + at / UPDATE_STEPS,
							  at % UPDATE_STEPS, lengths[i],
							  watched});
	judge(what);
}

/* It abandons what is kept, at each step of an update, and in the next one perhaps once more.
 */
static void test_late(const char *what, unsigned steps)
{
	for (unsigned at = 0; at < steps; at++)
		for (unsigned in = 1; in <= YOUNG + 2; in += YOUNG + 1)
			for (unsigned more = 0; more < steps; more += 7)
				run((struct stop){in, at, LATE, true},
				    (struct stop){in + more % 2, more, more ? LATE : 0, true});
	judge(what);
}

/*
 * The watchdog is killed at each of its stores, and the timekeeper goes on. A kernel's image
 * may then be shown old coarse clocks, if the timekeeper is stopped again; nothing goes back.
 */
static void test_killed(const char *what)
{
	unsigned kills = 0;

	for (int mirror = 0; mirror < 2; mirror++) {
		bool reached = true;

		m.mirror = mirror;
		for (unsigned store = 1; reached; store++) {
			reached = false;
			for (unsigned at = 0; at < MIRROR_STEPS; at += 3) {
				plan.last_store = store;
				run((struct stop){YOUNG + 2, at, 30e6, true},
				    (struct stop){YOUNG + 4, at, 2e6, true});
				reached |= plan.killed;
				kills += plan.killed;
			}
		}
	}
	plan.last_store = 0;
	cmp_ok(kills, >, 100u, "%s: it was killed often enough", what);
	judge(what);
}

/*
 * The machine moves to other hardware. A counter that is slower leaves readers behind, until
 * the next update. One that is faster takes them ahead before anybody can know, and a clock
 * must go back.
 */
static void test_other_counter(double from, double to)
{
	const struct vdso_data *vd = fake_pages[VDSO_TIME_PAGE].data;
	u64 then[FACES], still = 0;

	machine(true, 3000, 60);
	m.hz = from;
	start();
	go_on(YOUNG + 5);
	m.hz = to;
	m.bound = 1e9;
	seen.told = to > from;
	go_on(4);
	memcpy(then, seen.last, sizeof(then));
	go_on(4);
	for (int i = 0; i < FACES; i++)
		still += faces[i].family == i && seen.last[i] == then[i];
	if (to < from)
		is(seen.backwards, 0, "from %.3f to %.3f GHz: no clock goes back", from, to);
	is(still, 0, "from %.3f to %.3f GHz: no clock stands still", from, to);
	go_on(60);
	seen.off = 0;
	m.bound = 250;
	go_on(60);
	is(seen.off, 0, "from %.3f to %.3f GHz: soon all of them are right again", from, to);
	ok(vd[CS_HRES_COARSE].mult && vd[CS_RAW].mult &&
		   vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_COUNTER,
	   "from %.3f to %.3f GHz: the data page is in use again", from, to);
}

/* The kernel takes another clocksource: its clocks stand still meanwhile, the counter does not.
 */
static void change_clocksource(bool counter, double lost_ns)
{
	m.counter = counter;
	m.cycles += lost_ns * m.hz;
	m.now += lost_ns;
}

/*
 * ... and comes back to this one, again and again. Readers of the line are ahead of the kernel
 * then, and must not be sent there before it has caught up. The next update may be stopped,
 * too. Two updates after a change all clocks are right.
 */
static void test_return(void)
{
	const struct vdso_data *vd = fake_pages[VDSO_TIME_PAGE].data;
	unsigned not_back = 0, off = 0;

	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	for (int i = 0; i < 40; i++) {
		m.ppm = i % 2 ? 12 : 90;
		plan.stops[0] = (struct stop){plan.update + 1 + (unsigned)i % 3,
					      (unsigned)i * 2, lengths[i % 4], true};
		m.bound = 1e9;
		change_clocksource(i % 2, 7000);
		go_on(3);
		seen.off = 0;
		m.bound = 250;
		go_on(3);
		off += seen.off;
		go_on(i % 2 ? 25 : 5);
		not_back += vd[CS_HRES_COARSE].clock_mode !=
			    (i % 2 ? VDSO_CLOCKMODE_COUNTER : VDSO_CLOCKMODE_NONE);
	}
	is(seen.backwards, 0,
	   "the kernel changes its clocksource and back: no clock goes back");
	is(off, 0, "... and all of them are right soon after");
	is(not_back, 0, "... and the counter is used while the kernel uses it, and only then");
}

/*
 * The counter becomes slower in the middle of an update, while readers wait. A line that is not
 * known any more must not be published. If the first base has its end, that goes for RAW alone.
 */
static void test_lost_midway(void)
{
	unsigned changed[CS_BASES] = {0, 0}, off[CS_BASES] = {0, 0};

	machine(true, 3000, 60);
	for (unsigned i = 0; i < UPDATE_STEPS * CS_BASES; i++) {
		m.hz = CYCLES_PER_NS;
		m.bound = 2000;
		plan.hz = 1;
		plan.in = i % CS_BASES;
		plan.changed = false;
		seen.told = true;
		plan.stops[0] = (struct stop){YOUNG + 2, i / CS_BASES, 5e6, true};
		start();
		go_on(YOUNG + 1);
		idle((double)timekeeper_period(&tk));
		update();
		if (!plan.changed)
			continue;
		changed[plan.in]++;
		idle(50e3);
		seen.off = 0;
		seen.told = false;
		if (plan.in == CS_RAW)
			read_face(&faces[RAW_FACE]);
		else
			read_all();
		off[plan.in] += seen.off;
	}
	cmp_ok(changed[CS_HRES_COARSE], >, 10u,
	       "the counter becomes slower in the middle of an update");
	is(off[CS_HRES_COARSE], 0, "... and no line is published that is not known");
	cmp_ok(changed[CS_RAW], >, 5u, "the counter becomes slower while RAW is written");
	is(off[CS_RAW], 0, "... and readers of RAW ask the kernel");
}

/* Whatever it looks at is old when it comes to write it: there is nothing to publish. */
static void test_too_slow(void)
{
	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	m.step_ns = 1.5e6;
	update();
	seen.waits = 0;
	read_all();
	ok(seen.waits == 0 && seen.off == 0,
	   "after an update without a line readers ask the kernel at once");
}

/* The watchdog has abandoned what is kept, and the update that brings it back is stopped. */
static void test_come_back(const char *what, double ns, bool watched)
{
	for (unsigned at = 0; at < UPDATE_STEPS; at++)
		run((struct stop){YOUNG + 2, 0, LATE, true},
		    (struct stop){YOUNG + 2, at, ns, watched});
	judge(what);
}

/* Readers that follow a line are told the kernel's time as soon as its rate is gone. */
static void test_lost(void)
{
	const struct vdso_data *vd = fake_pages[VDSO_TIME_PAGE].data;

	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	ok(vd[CS_HRES_COARSE].max_cycles && vd[CS_RAW].max_cycles,
	   "a line may be followed without a system call");
	m.hz = 2.0;
	update();
	go_on(4);
	is(seen.off, 0, "a line whose rate is lost is not left to its readers");
	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	m.raw_ppm = 50000;
	update();
	go_on(4);
	is(seen.off, 0, "... nor that of RAW alone");
}

/* The counter can be used again: its rate changes each time, or it is a good one. */
static void test_trial(void)
{
	const struct vdso_data *vd = fake_pages[VDSO_TIME_PAGE].data;
	unsigned used = 0;

	machine(false, 3000, 60);
	start();
	go_on(5);
	m.counter = true;
	for (int i = 0; i < 40; i++) {
		m.hz = i % 2 ? 2.0 : 2.6;
		go_on(1);
		used += vd[CS_HRES_COARSE].clock_mode != VDSO_CLOCKMODE_NONE;
	}
	is(used, 0, "a counter that comes back is not used before its rate holds");

	/* Its timekeeper is late, and so quick that the old line could still be followed. */
	machine(false, 3000, 60);
	start();
	go_on(5);
	m.counter = true;
	m.bound = 100;
	for (int i = 0; i < 30; i++) {
		m.ppm = i < 2 ? 12 : 42;
		idle(i < 2 ? 4e6 : 400e3);
		update();
		read_all();
	}
	ok(vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_COUNTER && seen.off == 0,
	   "a line that comes back begins at the kernel's clock");
}

/* A counter that nobody can use for a clock, and one that is lost: the kernel's clocks it is.
 */
static void test_no_rate(void)
{
	const struct vdso_data *vd = fake_pages[VDSO_TIME_PAGE].data;

	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	m.hz = 1e-5;
	m.bound = 1e9;
	go_on(100);
	seen.off = 0;
	m.bound = 250;
	go_on(5);
	ok(seen.backwards == 0 && seen.off == 0 && tk.why_no_counter &&
		   vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_NONE,
	   "a counter that has as good as stopped is given up, and no clock goes back");
	m.hz = CYCLES_PER_NS;
	go_on(300);
	ok(seen.backwards == 0 && seen.off == 0 && !tk.why_no_counter &&
		   vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_COUNTER,
	   "... and is used again, some time after it has a rate");
	machine(true, 3000, 60);
	start();
	go_on(YOUNG + 5);
	m.counter = false;
	go_on(260);
	ok(seen.backwards == 0 && seen.off == 0 && tk.why_no_counter &&
		   vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_NONE,
	   "a counter that the kernel has lost its trust in is given up as well");
	test_return();
	machine(true, 3000, 60);
	m.hz = 1e-5;
	start();
	go_on(5);
	ok(seen.backwards == 0 && seen.off == 0 && tk.why_no_counter &&
		   vd[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_NONE,
	   "a counter that hardly moves is not used at all");
}

int main(void)
{
	test_other_counter(2.6, 0.025);
	test_other_counter(1.0, 0.025);
	test_other_counter(2.6, 2.0);
	test_other_counter(0.025, 2.6);
	test_other_counter(2.0, 2.6);
	test_no_rate();
	test_lost();
	test_lost_midway();
	test_too_slow();
	test_trial();
	test_rates();

	machine(true, 3000, 60);
	m.drift = 45;
	m.bound = 500;
	test_come_back("the kernel's clocks have become a little faster, and the data page "
		       "comes back",
		       20e3, true);
	machine(true, 3000, 60);
	m.drift = 45;
	m.bound = 500;
	test_mirror_abandoned("the kernel's clocks have become a little faster, and the mirror "
			      "is abandoned");
	machine(true, 3000, 60);
	m.drift = 300;
	m.bound = 20000;
	test_come_back("the kernel's clocks have become faster, and the data page comes back",
		       8e6, true);
	machine(false, 3000, 60);
	test_come_back("no counter, stopped as the data page comes back", 200e6, false);
	machine(true, 3000, 60);
	test_mirror("with a mirror, stopped at one step or two");
	machine(false, 3000, 60);
	test_mirror("with a mirror and no counter, stopped at one step or two");
	machine(true, 3000, 60);
	test_once("stopped at one step");
	machine(true, 3000, 60);
	test_own("a clock that is fast, stopped at one step or two", 60, 1);
	machine(true, 3000, 60);
	test_own("all clocks fast, stopped at one step or two", 59.999999937, 59.999999937);
	machine(true, 3000, 60);
	test_own("all clocks slow, stopped at one step or two", 0.001, 0.001);
	machine(true, 3000, 60);
	test_own("a clock that stands still, stopped at one step or two", 0, 1);
	machine(false, 3000, 60);
	test_own("no counter and a clock that is fast, stopped at one step or two", 1000, 1);
	machine(true, 3000, 60);
	test_twice("stopped until the watchdog acts, and once more");
	machine(true, 3000, 60);
	test_late("abandoned although it is kept", UPDATE_STEPS);
	machine(true, 3000, 60);
	m.mirror = true;
	test_late("with a mirror, abandoned although it is kept", MIRROR_STEPS);
	machine(false, 3000, 60);
	test_late("no counter, abandoned although it is kept", UPDATE_STEPS);
	machine(true, 3000, 60);
	test_killed("the watchdog killed at each store");
	machine(false, 3000, 60);
	test_killed("no counter, the watchdog killed at each store");
	machine(true, 3000, 60);
	m.drift = 300;
	m.bound = 20000;
	test_once("the kernel's clocks have become faster, stopped at one step");
	machine(true, 3000, 60);
	m.step_ns = 10000;
	m.bound = 1500;
	test_once("a timekeeper that crawls, stopped at one step");
	machine(true, 420000, 60);
	test_once("clocks that are slow to read, stopped at one step");
	machine(false, 3000, 60);
	test_once("no counter, stopped at one step");
	machine(false, 3000, 6000);
	test_once("no counter and slow clocks, stopped at one step");
	return done_testing();
}
