/*
 * clocks.c - root does to the clocks all it can, and a program on the vDSO looks on.
 *
 * Only in a machine in a box (tests/setup/machine), since it sets the clock of the machine.
 * The program is this one, started with `uvdso run --keep-kernel-vdso`: it holds each answer
 * of our vDSO, and of the kernel's, between two system calls, and keeps account for each act.
 *
 *	before (system call) | ours | the kernel's vDSO | after (system call)
 *
 * Held to: no clock that cannot be set ever goes back, or is further off than what the act
 * changes the rate by lets the base drift until it is too old; a clock that was set is right
 * again soon; and when all is over, nothing is outside. The timekeeper of a busy machine may
 * be late, and the kernel's vDSO shows what the machine itself is good for.
 *
 * BOX_RANDOM=SECONDS acts at random for so long instead of ten seconds; BOX_SEED=N does the
 * same again.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#define ACTS     32
#define SECOND   1000000000ll
#define DOUBT_NS 1000 /* a late timekeeper's line is so far off */
/*
 * What a base of another rate drifts for at most: it is believed for 50 ms, and the new rate is
 * known from some of these, more on a busy machine.
 */
#define DRIFT_NS  (SECOND / 4)
#define STALE_NS  (SECOND / 4) /* how long a clock that was set may show the old time */
#define ZONE_NS   (2 * SECOND) /* and gettimeofday() the old zone */
#define COARSE_NS 50000000ll   /* how old a coarse clock may be */

enum { REAL, MONO, RAW, BOOT, TAI, REAL_COARSE, MONO_COARSE, CLOCKS };

static const struct {
	clockid_t id, fine;
	const char *name;
	bool can_be_set;
} clocks[CLOCKS] = {
	[REAL] = {CLOCK_REALTIME, CLOCK_REALTIME, "REALTIME", true},
	[MONO] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC, "MONOTONIC", false},
	[RAW] = {CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW", false},
	[BOOT] = {CLOCK_BOOTTIME, CLOCK_BOOTTIME, "BOOTTIME", false},
	[TAI] = {CLOCK_TAI, CLOCK_TAI, "TAI", true},
	[REAL_COARSE] = {CLOCK_REALTIME_COARSE, CLOCK_REALTIME, "REALTIME_COARSE", true},
	[MONO_COARSE] = {CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC, "MONOTONIC_COARSE", false},
};

typedef int gettime_fn(clockid_t, struct timespec *);
typedef int gettimeofday_fn(struct timeval *, struct timezone *);

/* What both processes see: the act that is on, and what was seen during each. */
struct account {
	long looks, outside, theirs_outside;
	int64_t worst, theirs_worst; /* ns */
	int64_t back;                /* how far it went back at most */
	int64_t stale; /* the longest time in which it was too far off at each look */
};

static struct shared {
	atomic_int act;
	atomic_bool ready, end;
	bool has_theirs;
	struct account of[ACTS][CLOCKS];
	int64_t zone_stale[ACTS];
	int64_t bound[ACTS]; /* how far off a clock may be, if it is not set */
} * shared;

static int64_t ns(struct timespec ts)
{
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int64_t kernel(clockid_t id)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, id, &ts);
	return ns(ts);
}

/* ---- the program that looks on ------------------------------------------------------- */

static const void *function_of(const void *ehdr, const char *name)
{
	struct vdso_elf elf;

	return ehdr && !vdso_elf_open(&elf, ehdr, 0) ? vdso_elf_symbol(&elf, name, NULL) : NULL;
}

/* Where the kernel has mapped its own image: run has kept it, but the vector names ours. */
static const void *kernels_image(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start;
	const void *found = NULL;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx", &start) == 1)
			found = (const void *)start; /* NOLINT: an address */
	if (maps)
		fclose(maps);
	return found != (const void *)getauxval(AT_SYSINFO_EHDR) ? found : NULL;
}

static int64_t by(gettime_fn *gettime, clockid_t id)
{
	struct timespec ts = {-1, -1};

	gettime(id, &ts);
	return ns(ts);
}

static int64_t off(int clock, int64_t before, int64_t here, int64_t after)
{
	before -= clock >= REAL_COARSE ? COARSE_NS : 0;
	return here < before ? here - before : here > after ? here - after : 0;
}

static void look(int clock, gettime_fn *ours, gettime_fn *theirs)
{
	static int64_t last[CLOCKS], since[CLOCKS];
	int act = atomic_load(&shared->act);
	struct account *account = &shared->of[act][clock];
	clockid_t id = clocks[clock].id, fine = clocks[clock].fine;
	int64_t before = kernel(fine), here = by(ours, id);
	int64_t there = theirs ? by(theirs, id) : here, after = kernel(fine), miss, now;

	account->looks++;
	if (last[clock] - here > account->back)
		account->back = last[clock] - here;
	last[clock] = here;
	if (after < before) /* set back just now */
		return;
	miss = theirs ? off(clock, before, there, after) : 0;
	account->theirs_outside += miss != 0;
	account->theirs_worst =
		llabs(miss) > account->theirs_worst ? llabs(miss) : account->theirs_worst;
	miss = off(clock, before, here, after);
	account->outside += miss != 0;
	account->worst = llabs(miss) > account->worst ? llabs(miss) : account->worst;
	if (llabs(miss) <= shared->bound[act]) {
		since[clock] = 0;
		return;
	}
	now = kernel(CLOCK_BOOTTIME);
	since[clock] = since[clock] ? since[clock] : now;
	if (now - since[clock] > account->stale)
		account->stale = now - since[clock];
}

static void look_at_zone(gettimeofday_fn *ours)
{
	static int64_t since;
	struct timezone here = {0, 0}, kernels = {0, 0};
	int64_t now = kernel(CLOCK_BOOTTIME), *stale;

	syscall(SYS_gettimeofday, NULL, &kernels);
	ours(NULL, &here);
	since = here.tz_minuteswest == kernels.tz_minuteswest ? 0 : since ? since : now;
	stale = &shared->zone_stale[atomic_load(&shared->act)];
	if (since && now - since > *stale)
		*stale = now - since;
}

static int watch(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	gettime_fn *ours = (gettime_fn *)function_of(image, VDSO_NAME("clock_gettime"));
	gettime_fn *theirs =
		(gettime_fn *)function_of(kernels_image(), VDSO_NAME("clock_gettime"));
	gettimeofday_fn *zone =
		(gettimeofday_fn *)function_of(image, VDSO_NAME("gettimeofday"));

	if (!ours || !zone)
		return 1;
	shared->has_theirs = theirs != NULL;
	atomic_store(&shared->ready, true);
	while (!atomic_load(&shared->end)) {
		for (int clock = 0; clock < CLOCKS; clock++)
			look(clock, ours, theirs);
		look_at_zone(zone);
	}
	return 0;
}

/* ---- the acts --------------------------------------------------------------------------- */

static void pause_ms(long ms)
{
	int64_t end = kernel(CLOCK_MONOTONIC) + ms * 1000000;

	while (kernel(CLOCK_MONOTONIC) < end)
		usleep(10000);
}

static int step(double seconds)
{
	struct timespec ts;
	int64_t to;

	clock_gettime(CLOCK_REALTIME, &ts);
	to = ns(ts) + (int64_t)(seconds * 1e9);
	ts.tv_sec = (time_t)(to / SECOND);
	ts.tv_nsec = (long)(to % SECOND);
	return clock_settime(CLOCK_REALTIME, &ts);
}

static int step_timeofday(double seconds)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	tv.tv_sec += (time_t)seconds;
	return settimeofday(&tv, NULL);
}

static int offset(double seconds)
{
	int64_t by_ns = (int64_t)(seconds * 1e9);
	struct timex timex = {.modes = ADJ_SETOFFSET | ADJ_NANO};

	timex.time.tv_sec = (time_t)floor(seconds);
	timex.time.tv_usec = (suseconds_t)(by_ns - timex.time.tv_sec * SECOND);
	return adjtimex(&timex) < 0 ? -1 : 0;
}

static int adjust(unsigned modes, long value)
{
	struct timex timex = {.modes = modes};

	if (modes & ADJ_FREQUENCY)
		timex.freq = value * 65536;
	if (modes & ADJ_TICK)
		timex.tick = value;
	if (modes & ADJ_TAI)
		timex.constant = value;
	if (modes == ADJ_OFFSET_SINGLESHOT)
		timex.offset = value;
	if (modes & ADJ_STATUS)
		timex.status = (int)value;
	return adjtimex(&timex) < 0 ? -1 : 0;
}

static int frequency(double ppm)
{
	return adjust(ADJ_FREQUENCY, (long)ppm);
}

static int tick(double us)
{
	return adjust(ADJ_TICK, (long)us);
}

static int tai(double seconds)
{
	return adjust(ADJ_TAI, (long)seconds);
}

static int slew(double us)
{
	return adjust(ADJ_OFFSET_SINGLESHOT, (long)us);
}

static int zone(double minutes)
{
	struct timezone tz = {(int)minutes, 0};

	return (int)syscall(SYS_settimeofday, NULL, &tz);
}

/* One second before midnight, with a second to be put in (1) or left out (-1) there. */
static int leap(double sign)
{
	struct timespec ts;
	int failed;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec = ts.tv_sec / 86400 * 86400 + 86400 - 1;
	ts.tv_nsec = 0;
	failed = clock_settime(CLOCK_REALTIME, &ts) || adjust(ADJ_STATUS, STA_PLL) ||
		 adjust(ADJ_STATUS, STA_PLL | (sign > 0 ? STA_INS : STA_DEL));
	pause_ms(2500);
	return adjust(ADJ_STATUS, 0) || failed ? -1 : 0;
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t size = (ssize_t)strlen(text);
	bool written = fd >= 0 && write(fd, text, (size_t)size) == size;

	if (fd >= 0)
		close(fd);
	return written ? 0 : -1;
}

static bool read_from(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return got > 0;
}

/* Every other clocksource that the kernel offers, and back. */
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"
static int clocksource(double ms)
{
	char all[256], now[64];
	int changes = 0;

	if (!read_from(CLOCKSOURCE "current_clocksource", now, sizeof(now)) ||
	    !read_from(CLOCKSOURCE "available_clocksource", all, sizeof(all)))
		return 1;
	for (char *word = strtok(all, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, now))
			continue;
		if (write_to(CLOCKSOURCE "current_clocksource", word))
			return -1;
		changes++;
		pause_ms((long)ms);
	}
	if (!changes)
		return 1;
	return write_to(CLOCKSOURCE "current_clocksource", now);
}

static int hotplug(double ms)
{
	const char *path = "/sys/devices/system/cpu/cpu1/online";

	if (access(path, W_OK))
		return 1;
	if (write_to(path, "0"))
		return -1;
	pause_ms((long)ms);
	return write_to(path, "1");
}

/* All the way to where a machine sleeps, and back after five seconds. */
static int suspend(double unused)
{
	char states[64];

	(void)unused;
	if (!read_from("/sys/power/state", states, sizeof(states)) ||
	    write_to("/sys/power/pm_test", "core"))
		return 1;
	if (!write_to("/sys/power/state", strstr(states, "mem") ? "mem" : "freeze"))
		return 0;
	return errno == EAGAIN || errno == EBUSY || errno == ENODEV ? 1 : -1;
}

static int nothing(double ms)
{
	pause_ms((long)ms);
	return 0;
}

static int at_random(double seconds);

static const struct act {
	const char *name;
	int (*do_it)(double); /* 0, -1 with errno, or 1: not on this machine */
	int times;            /* with how many of these */
	double with[2];
	int64_t rate_ppm; /* by which the rates differ meanwhile */
	enum { SETS = 1, ZONE = 2 } does;
} acts[] = {
	{"nothing is done", nothing, 1, {1000}, 0, 0},
	{"the clock is set, forth and back", step, 2, {10, -10}, 0, SETS},
	{"settimeofday(2)", step_timeofday, 2, {3600, -3600}, 0, SETS},
	{"ADJ_SETOFFSET", offset, 2, {0.5, -0.5}, 0, SETS},
	{"ADJ_SETOFFSET by 5 us", offset, 2, {5e-6, -5e-6}, 0, SETS},
	{"TAI is 37 s ahead, and no more", tai, 2, {37, 0}, 0, SETS},
	{"the frequency changes", frequency, 2, {500, -500}, 1000, 0},
	{"the frequency is as it was", frequency, 1, {0}, 500, 0},
	{"the tick changes", tick, 2, {9000, 11000}, 200000, 0},
	{"the tick is as it was", tick, 1, {10000}, 100000, 0},
	{"adjtime(3), and no more", slew, 2, {100000, 0}, 1000, 0},
	/* The kernel slews until the second is over in which it was told not to. */
	{"the time zone changes", zone, 2, {120, 0}, 500, SETS | ZONE},
	{"a leap second is put in", leap, 1, {1}, 0, SETS},
	{"a leap second is left out", leap, 1, {-1}, 0, SETS},
	{"the clocksource changes, and back", clocksource, 1, {1500}, 1000, 0},
	{"a CPU goes, and comes back", hotplug, 1, {1500}, 1000, 0},
	{"the machine sleeps", suspend, 1, {0}, 1000, 0},
	{"at random", at_random, 1, {10}, 200000, SETS},
	{"nothing is done any more", nothing, 1, {1000}, 0, 0},
};
#define NR_ACTS ((int)(sizeof(acts) / sizeof(acts[0])))
_Static_assert(sizeof(acts) / sizeof(acts[0]) <= ACTS, "an account each");

static unsigned long seed;

static unsigned next_random(unsigned below)
{
	seed = (unsigned long)((uint64_t)seed * 6364136223846793005u + 1442695040888963407u);
	return (unsigned)((uint64_t)seed >> (8 * sizeof(seed) - 31)) % below;
}

static int at_random(double seconds)
{
	const char *limit = getenv("BOX_RANDOM"), *again = getenv("BOX_SEED");
	int64_t end;

	seed = again ? strtoul(again, NULL, 0) : (unsigned long)kernel(CLOCK_REALTIME);
	diag("BOX_SEED=%lu", seed);
	seconds = limit ? atof(limit) : seconds;
	end = kernel(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	while (kernel(CLOCK_MONOTONIC) < end) {
		double some = (next_random(2000001) - 1e6) / 1e6;

		switch (next_random(8)) {
		case 0:
			step(some * (double)(1u << next_random(20)));
			break;
		case 1:
			step_timeofday(some * 100000);
			break;
		case 2:
			offset(some / (double)(1u << next_random(20)));
			break;
		case 3:
			frequency(some * 500);
			break;
		case 4:
			tick(10000 + some * 1000);
			break;
		case 5:
			tai(next_random(60));
			break;
		case 6:
			slew(some * 100000);
			break;
		default:
			zone(some * 720);
		}
		pause_ms(next_random(8) ? next_random(30) : next_random(500));
	}
	adjust(ADJ_FREQUENCY, 0);
	adjust(ADJ_TICK, 10000);
	slew(0);
	tai(0);
	return zone(0);
}

/* ---- what was seen ------------------------------------------------------------------------
 */

static void show(const struct account *seen, const char *name)
{
	diag("%s: of %ld looks %ld outside, by %lld ns at most, for %.1f ms; back by %lld ns; "
	     "the "
	     "kernel's vDSO: %ld, %lld ns",
	     name, seen->looks, seen->outside, (long long)seen->worst,
	     (double)seen->stale / 1e6, (long long)seen->back, seen->theirs_outside,
	     (long long)seen->theirs_worst);
}

static void judge(const struct act *act, const struct account *seen, int64_t bound,
		  int64_t zone_stale)
{
	long unseen = 0, back = 0, away = 0, stale = 0;

	for (int clock = 0; clock < CLOCKS; clock++) {
		const struct account *of = &seen[clock];
		int64_t most = of->theirs_worst > bound ? of->theirs_worst : bound;
		bool may_go_back = clocks[clock].can_be_set && (act->does & SETS);

		unseen += !of->looks;
		/*
		 * Who went by a base of another rate until it was too old, and asks the kernel
		 * then, goes back by what it has drifted.
		 */
		back += of->back > bound - DOUBT_NS && !may_go_back;
		away += of->worst > most && !may_go_back && clock < REAL_COARSE;
		stale += of->stale > STALE_NS;
		if (of->outside || (of->back && !may_go_back))
			show(of, clocks[clock].name);
	}
	is(unseen, 0, "%s: each clock is looked at meanwhile", act->name);
	is(back, 0, "%s: no clock goes back that the kernel's do not", act->name);
	is(away, 0, "%s: none is more than %lld ns outside of two system calls", act->name,
	   (long long)bound);
	if (!is(stale, 0, "%s: none is wrong for long", act->name))
		because("a program goes on with the old time after the clock was set");
	if (act->does & ZONE)
		cmp_ok(zone_stale, <=, ZONE_NS, "%s: gettimeofday() tells of it", act->name);
}

/* Starts the program that looks on; its process id. */
static pid_t start(const char *self, int fd)
{
	const char *build = getenv("TEST_BUILD");
	char uvdso[4096], number[16];
	pid_t pid;

	snprintf(uvdso, sizeof(uvdso), "%s/uvdso", build ? build : "build");
	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (pid == 0) {
		execl(uvdso, "uvdso", "run", "--keep-kernel-vdso", "--", self, "watch", number,
		      (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 3000 && !atomic_load(&shared->ready); i++)
		usleep(10000);
	if (!atomic_load(&shared->ready))
		bail_out("%s did not start the program that looks on", uvdso);
	return pid;
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? atoi(argv[2]) : memfd_create("account", 0), status = -1;
	char boot[4096];
	pid_t pid;

	if (argc < 2 &&
	    (!read_from("/proc/cmdline", boot, sizeof(boot)) || !strstr(boot, "uvdso.box"))) {
		puts("1..0 # SKIP it sets the clock: make machine T=box/clocks");
		return 0;
	}
	if (argc < 2 && ftruncate(fd, sizeof(*shared)))
		bail_out("no shared memory");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		bail_out("no shared memory");
	if (argc > 2)
		return watch();

	for (int i = 0; i < NR_ACTS; i++)
		shared->bound[i] = DOUBT_NS + acts[i].rate_ppm * DRIFT_NS / 1000000;
	pid = start(argv[0], fd);
	if (!shared->has_theirs)
		diag("the kernel has no vDSO here to compare with");
	for (int i = 0; i < NR_ACTS; i++) {
		int result = 0;

		atomic_store(&shared->act, i);
		for (int j = 0; j < acts[i].times && !result; j++) {
			result = acts[i].do_it(acts[i].with[j]);
			pause_ms(700);
		}
		if (result > 0)
			skip(4, "this kernel cannot do that");
		else if (!is(result, 0, "%s", acts[i].name))
			diag("%s", strerror(errno));
		if (result == 0)
			judge(&acts[i], shared->of[i], shared->bound[i], shared->zone_stale[i]);
	}
	atomic_store(&shared->end, true);
	waitpid(pid, &status, 0);
	is(status, 0, "the program that looks on has lived through all of it");
	return done_testing();
}
