/*
 * halted.c - the timekeeper is halted in the middle of an update, again and again, while a
 * program reads the clocks.
 *
 * storm.c stops it at random, and an update is a thousandth of its life. Here it runs under
 * ptrace(2), with watchpoints on the two sequence counters, so that it stops at each step of
 * one: at the odd number, between the two copies, at the end. From there it goes some
 * instructions further, so that any place in between has its turn, and then its CPU is taken
 * away, for 0.1 to 60 ms: long enough at times for the watchdog to abandon the data page.
 *
 * What it could catch: a coarse reader that is sent to the kernel while an update hangs, and
 * whose next answer is from that update; a writer that ends its update over the head of the
 * watchdog; a data page that comes back with a time from before its readers' last system calls.
 *
 * Then timekeepers are killed there, one after the other: each some instructions further than
 * the one before. Their readers are told the right time, and after the end nothing is left.
 *
 *	halted [--kills N]
 *
 * update.c does the same with a timekeeper that is simulated, for each step by itself, and with
 * the watchdog stopped as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "tap.h"
#include "libc/vdso_names.h"
#include "uvdso.h"

#define ATTEMPTS  3
#define HALTS     1000
#define KILLS     16
#define KILLED_MS 70  /* read for so long after that; the watchdog has noticed by then */
#define STEPS_MAX 300 /* what an update needs from one number to the next, and more */

/* DR7: what stops in slot n is a write of four bytes. Intel SDM volume 3, debug registers. */
#define DR7_WRITE4(n) (1ul << 2 * (n) | 0xdul << (16 + 4 * (n)))

static const clockid_t clocks[] = {CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
				   CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME};
#define CLOCKS ((int)(sizeof(clocks) / sizeof(clocks[0])))

static struct {
	pid_t timekeeper;
	uintptr_t page; /* the data page, where the timekeeper has it */
	const char *failed;
	int first, second, between, abandoned, back;
	atomic_bool attached, done;
} halts;

static uint64_t head_of(int cs)
{
	return (uint64_t)ptrace(PTRACE_PEEKDATA, halts.timekeeper,
				halts.page + (size_t)cs * sizeof(struct vdso_data), 0);
}

static bool is_odd(int cs)
{
	return (union vdso_head){.word = head_of(cs)}.seq & 1;
}

static s32 mode(void)
{
	return (union vdso_head){.word = head_of(CS_HRES_COARSE)}.clock_mode;
}

/* The one writable mapping of the data pages. */
static uintptr_t find_page(pid_t pid)
{
	char path[64], line[512];
	uintptr_t found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && !found && fgets(line, sizeof(line), maps))
		if (strstr(line, " rw-s ") && strstr(line, "vvar"))
			sscanf(line, "%" SCNxPTR, &found);
	if (maps)
		fclose(maps);
	return found;
}

/* Lets the timekeeper go on. False when it is gone, or stopped for another reason. */
static bool go_on(int how)
{
	int status;

	return ptrace(how, halts.timekeeper, 0, 0) == 0 &&
	       waitpid(halts.timekeeper, &status, __WALL) == halts.timekeeper &&
	       WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

/* Where the debug registers are reached differently there is no attaching. */
#ifdef __x86_64__
static long set_debug_register(int n, uintptr_t value)
{
	return ptrace(PTRACE_POKEUSER, halts.timekeeper, offsetof(struct user, u_debugreg[n]),
		      value);
}
#else
static long set_debug_register(int n, uintptr_t value)
{
	(void)n;
	(void)value;
	errno = ENOSYS;
	return -1;
}
#endif

static bool attach(void)
{
	int status;

	if (ptrace(PTRACE_ATTACH, halts.timekeeper, 0, 0))
		return false;
	if (waitpid(halts.timekeeper, &status, __WALL) != halts.timekeeper)
		return false;
	for (int cs = 0; cs < CS_BASES; cs++)
		if (set_debug_register(cs, halts.page + (size_t)cs * sizeof(struct vdso_data)))
			return false;
	return !set_debug_register(7, DR7_WRITE4(0) | DR7_WRITE4(1));
}

static void *halt(void *unused)
{
	unsigned seed = 1;

	(void)unused;
	if (!attach())
		halts.failed = strerror(errno);
	atomic_store(&halts.attached, true);
	for (int i = 0; i < HALTS && !halts.failed; i++) {
		struct timespec pause = {0, 0};
		int steps;

		if (!go_on(PTRACE_CONT)) {
			halts.failed = "the timekeeper did not come to its next number";
			break;
		}
		halts.back += mode() != VDSO_CLOCKMODE_COUNTER;
		steps = i * 37 % STEPS_MAX; /* each has its turn */
		while (steps-- > 0 && !halts.failed)
			if (!go_on(PTRACE_SINGLESTEP))
				halts.failed = "the timekeeper does not step";
		halts.first += is_odd(CS_HRES_COARSE);
		halts.second += is_odd(CS_RAW);
		halts.between += !is_odd(CS_HRES_COARSE) && !is_odd(CS_RAW);
		/* Mostly short; some so long that the watchdog acts, also one after the other.
		 */
		seed = seed * 1103515245 + 12345;
		pause.tv_nsec = i % 100 >= 50 && i % 100 < 53 ? 60000000
							      : 100000 + (seed >> 8) % 2000000;
		nanosleep(&pause, NULL);
		halts.abandoned += mode() == VDSO_CLOCKMODE_ABANDONED;
	}
	set_debug_register(7, 0);
	ptrace(PTRACE_DETACH, halts.timekeeper, 0, 0);
	atomic_store(&halts.done, true);
	return NULL;
}

static struct {
	int (*gettime)(clockid_t, struct timespec *);
	time_t (*seconds)(time_t *);
	long reads, backwards, behind;
	int64_t worst;
	clockid_t worst_clock;
} reader;

/* Reads all clocks and time() until the other thread is done. */
static void read_all(void)
{
	int64_t last[CLOCKS] = {0};
	time_t last_second = 0;

	while (!atomic_load(&halts.done)) {
		time_t second;

		for (int i = 0; i < CLOCKS; i++) {
			struct timespec ts;
			int64_t ns;

			reader.gettime(clocks[i], &ts);
			ns = ts.tv_sec * 1000000000ll + ts.tv_nsec;
			reader.backwards += ns < last[i];
			if (last[i] - ns > reader.worst) {
				reader.worst = last[i] - ns;
				reader.worst_clock = clocks[i];
			}
			/* time() shows the seconds of this one. */
			if (clocks[i] == CLOCK_REALTIME_COARSE) {
				reader.behind += ts.tv_sec < last_second;
				last_second = ts.tv_sec;
			}
			last[i] = ns;
			reader.reads++;
		}
		second = reader.seconds(NULL);
		reader.behind += second < last_second;
		last_second = second;
	}
}

/* All halts of one data page. Returns false if there was nothing to be halted, and why. */
static bool attempt(const char **why_not)
{
	struct uvdso *page;
	pthread_t thread;
	char why[256];

	memset(&halts, 0, sizeof(halts));
	memset(&reader, 0, sizeof(reader));
	if (uvdso_boot(&page, NULL, why, sizeof(why)))
		bail_out("%s", why);
	reader.gettime = uvdso_symbol(page, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	reader.seconds = uvdso_symbol(page, VDSO_NAME("time"), VDSO_VERSION);
	*why_not = uvdso_why_no_counter(page);
	if (!*why_not) {
		halts.timekeeper = uvdso_timekeeper(page);
		halts.page = find_page(halts.timekeeper);
		if (!halts.page) {
			*why_not = "only root may look into a timekeeper";
			uvdso_shutdown(page);
			return false;
		}
		if (pthread_create(&thread, NULL, halt, NULL))
			bail_out("no thread");
		while (!atomic_load(&halts.attached))
			usleep(100);
		if (halts.failed)
			*why_not = halts.failed;
		else
			read_all();
		pthread_join(thread, NULL);
	}
	uvdso_shutdown(page);
	return !*why_not;
}

/* ---- killed ---- */

static int64_t kernel(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Of ours, our vDSO and its data pages. */
static int count_mappings(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	int count = 0;

	while (maps && fgets(line, sizeof(line), maps))
		count += strstr(line, "memfd:") != NULL;
	if (maps)
		fclose(maps);
	return count;
}

static struct {
	int kills, backwards, off, left;
	int64_t worst_off, worst_back;
} killed;

static void read_after(struct uvdso *page, int64_t last[CLOCKS])
{
	static const struct timespec pause = {0, 200000};
	int (*gettime)(clockid_t, struct timespec *) =
		uvdso_symbol(page, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	int64_t end = kernel(CLOCK_MONOTONIC) + KILLED_MS * 1000000ll;

	do {
		for (int i = 0; i < CLOCKS; i++) {
			bool coarse = clocks[i] == CLOCK_REALTIME_COARSE ||
				      clocks[i] == CLOCK_MONOTONIC_COARSE;
			clockid_t of = !coarse                              ? clocks[i]
				       : clocks[i] == CLOCK_REALTIME_COARSE ? CLOCK_REALTIME
									    : CLOCK_MONOTONIC;
			int64_t before = kernel(of), now, off;
			struct timespec ts = {0, 0};

			gettime(clocks[i], &ts);
			now = ts.tv_sec * 1000000000ll + ts.tv_nsec;
			off = now - kernel(of);
			if (!coarse && before - now > off)
				off = before - now;
			if (off > killed.worst_off)
				killed.worst_off = off;
			killed.off += off > 1000;
			killed.backwards += now < last[i];
			if (last[i] - now > killed.worst_back)
				killed.worst_back = last[i] - now;
			last[i] = now;
		}
		nanosleep(&pause, NULL);
	} while (kernel(CLOCK_MONOTONIC) < end);
}

/* Ends the timekeeper so many instructions after it has begun an update. */
static bool kill_at(int steps)
{
	int mappings = count_mappings();
	int64_t last[CLOCKS] = {0};
	struct uvdso *page;
	char why[256];
	bool done;

	memset(&halts, 0, sizeof(halts));
	if (uvdso_boot(&page, NULL, why, sizeof(why)))
		bail_out("%s", why);
	halts.timekeeper = uvdso_timekeeper(page);
	halts.page = find_page(halts.timekeeper);
	done = halts.page && attach() && go_on(PTRACE_CONT);
	while (done && steps-- > 0)
		done = go_on(PTRACE_SINGLESTEP);
	read_after(page, last);
	kill(halts.timekeeper, SIGKILL);
	read_after(page, last);
	uvdso_shutdown(page);
	killed.left += waitpid(-1, NULL, __WALL | WNOHANG) >= 0 || errno != ECHILD ||
		       count_mappings() != mappings;
	killed.kills += done;
	return done;
}

static void test_killed(int kills)
{
	for (int i = 0; i < kills; i++)
		kill_at((i * 2 + 1) * 2 * STEPS_MAX / (2 * kills));
	is(killed.kills, kills, "the timekeeper was killed %d times in an update", kills);
	if (!is(killed.backwards, 0, "killed: no clock ever goes backwards"))
		diag("by %lld ns at worst", (long long)killed.worst_back);
	if (!is(killed.off, 0,
		"killed: no fine clock is off by more than a microsecond, and no "
		"coarse one ahead"))
		diag("by %lld ns at worst", (long long)killed.worst_off);
	is(killed.left, 0, "killed: after the end no process and no mapping is left");
}

int main(int argc, char **argv)
{
	int kills = argc == 3 && !strcmp(argv[1], "--kills") ? atoi(argv[2]) : KILLS;
	const char *why;

	alarm(140 + (unsigned)kills);
	/*
	 * The hole can be met without us: who takes the timekeeper's CPU away in the wrong
	 * moment is the machine. That is rare, and a fault is there in each attempt.
	 */
	for (int i = 0; i < ATTEMPTS && (i == 0 || reader.backwards || reader.behind); i++) {
		if (!attempt(&why)) {
			printf("1..0 # SKIP needs a counter, ptrace and watchpoints: %s\n",
			       why);
			return 0;
		}
	}
	ok(!halts.failed, "the timekeeper was halted %d times", HALTS);
	if (halts.failed)
		diag("%s", halts.failed);
	if (!ok(halts.first > HALTS / 50 && halts.second > HALTS / 50 &&
			halts.between > HALTS / 50 && halts.abandoned > 0 && halts.back > 0,
		"in each of the two copies, between them, and until the data page was "
		"abandoned"))
		diag("%d in the first, %d in the second, %d between; abandoned %d times, %d "
		     "steps back",
		     halts.first, halts.second, halts.between, halts.abandoned, halts.back);
	if (!is(reader.backwards, 0, "no clock ever goes backwards"))
		diag("of %ld reads, by %lld ns at worst, clock %d, in the last of %d attempts",
		     reader.reads, (long long)reader.worst, reader.worst_clock, ATTEMPTS);
	is(reader.behind, 0, "nor does time(), from its own answers or REALTIME_COARSE's");
	printf("# %ld reads; halted %d times in the first copy, %d in the second, %d between; "
	       "abandoned %d times\n",
	       reader.reads, halts.first, halts.second, halts.between, halts.abandoned);
	test_killed(kills);
	return done_testing();
}
