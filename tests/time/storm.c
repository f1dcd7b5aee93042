/*
 * storm.c - the timekeeper is killed and stopped while a program reads every clock.
 *
 * Hundreds of times a vDSO is booted and its timekeeper killed at a random moment, in the
 * middle of an update if it happens so. The reader must never hang, never see a clock go
 * backwards, and never be told a time that is further off than these bounds:
 *
 *   fine clocks     FINE_BOUND_NS from the interval between two system calls
 *   coarse clocks   COARSE_BOUND_NS old: two periods of the watchdog, and its lateness.
 *                   A machine with other things to do can make it later still, so one
 *                   read in a hundred may be older; without a watchdog it is one in four
 *
 * run/storms, halted.c and update.c choose the moments, one after the other; these are by
 * chance, and more.
 *
 * What it could catch: a reader that waits for an odd number to become even, a base that
 * is believed for too long, a coarse clock that stands still for ever.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "libc/vdso_names.h"
#include "uvdso.h"

#define KILLS           ((int)rounds(400))
#define STOPS           ((int)rounds(500))
#define STOPS_BOTH      ((int)rounds(150))
#define FINE_BOUND_NS   1000
#define COARSE_BOUND_NS 50000000

static const clockid_t fine[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
				 CLOCK_MONOTONIC_RAW};
static const clockid_t coarse[][2] = {{CLOCK_REALTIME_COARSE, CLOCK_REALTIME},
				      {CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC}};

static int (*gettime)(clockid_t, struct timespec *);
static time_t (*seconds)(time_t *);

struct tally {
	long reads, backwards, fine_off, coarse, coarse_old, coarse_ahead, time_off, outside;
	int64_t worst_fine, worst_coarse, worst_back, last[16];
	clockid_t worst_back_clock;
};

static int64_t ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t kernel(clockid_t id)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, id, &ts);
	return ns(ts);
}

static int64_t ours(struct tally *t, clockid_t id)
{
	struct timespec ts;
	int64_t now;

	gettime(id, &ts);
	now = ns(ts);
	t->reads++;
	t->backwards += now < t->last[id];
	if (t->last[id] - now > t->worst_back) {
		t->worst_back = t->last[id] - now;
		t->worst_back_clock = id;
	}
	t->last[id] = now;
	return now;
}

static void read_all(struct tally *t)
{
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		int64_t before = kernel(fine[i]), here = ours(t, fine[i]),
			after = kernel(fine[i]);
		int64_t off = here < before ? before - here : here > after ? here - after : 0;

		t->outside += off > 0;
		t->fine_off += off > FINE_BOUND_NS;
		if (off > t->worst_fine)
			t->worst_fine = off;
	}
	for (size_t i = 0; i < 2; i++) {
		int64_t before = kernel(coarse[i][1]), here = ours(t, coarse[i][0]);
		int64_t age = before - here;

		t->coarse++;
		t->coarse_old += age > COARSE_BOUND_NS;
		t->coarse_ahead += here > kernel(coarse[i][1]) + FINE_BOUND_NS;
		if (age > t->worst_coarse)
			t->worst_coarse = age;
	}
	t->time_off += kernel(CLOCK_REALTIME) / 1000000000 - seconds(NULL) > 1;
}

/* Reads for us microseconds of the kernel's clock, which nobody here can stop. */
static void read_for(struct tally *t, long us)
{
	int64_t end = kernel(CLOCK_MONOTONIC) + us * 1000;

	do
		read_all(t);
	while (kernel(CLOCK_MONOTONIC) < end);
}

static struct uvdso *boot(void)
{
	struct uvdso *page;
	char why[256];

	if (uvdso_boot(&page, NULL, why, sizeof(why)))
		bail_out("%s", why);
	gettime = uvdso_symbol(page, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	seconds = uvdso_symbol(page, VDSO_NAME("time"), VDSO_VERSION);
	return page;
}

struct shot {
	pid_t target;
	long after_us;
};

static void *shoot(void *arg)
{
	const struct shot *shot = arg;

	usleep((useconds_t)shot->after_us);
	kill(shot->target, SIGKILL);
	return NULL;
}

static void report(const struct tally *t, const char *what)
{
	if (!is(t->backwards, 0, "%s: no clock ever goes backwards", what))
		diag("of %ld reads, at worst clock %d by %lld ns", t->reads,
		     t->worst_back_clock, (long long)t->worst_back);
	if (!is(t->fine_off, 0, "%s: no fine clock is off by more than %d ns", what,
		FINE_BOUND_NS))
		diag("%lld ns at worst", (long long)t->worst_fine);
	is(t->coarse_ahead, 0, "%s: no coarse clock is ahead of its fine one", what);
	if (!cmp_ok(t->coarse_old, <=, t->coarse / 100,
		    "%s: no coarse clock is older than %d ms, but for one read in a hundred",
		    what, COARSE_BOUND_NS / 1000000))
		diag("of %ld reads, %lld us at worst: nobody has abandoned the data page",
		     t->coarse, (long long)t->worst_coarse / 1000);
	is(t->time_off, 0, "%s: time() is never more than a second behind", what);
	printf("# %ld reads; %ld outside of two system calls, by %lld ns at worst; coarse "
	       "clocks "
	       "up to %lld us old\n",
	       t->reads, t->outside, (long long)t->worst_fine,
	       (long long)t->worst_coarse / 1000);
}

/* The process of this name that the timekeeper or we have started; 0 if there is none. */
static pid_t find_watchdog(pid_t timekeeper)
{
	struct dirent *entry;
	pid_t found = 0;
	DIR *proc = opendir("/proc");

	while (proc && !found && (entry = readdir(proc))) {
		char path[64], name[32] = "";
		int pid = atoi(entry->d_name), parent = 0;
		FILE *stat;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		stat = pid > 0 ? fopen(path, "re") : NULL;
		if (!stat)
			continue;
		if (fscanf(stat, "%*d (%31[^)]) %*c %d", name, &parent) == 2 &&
		    !strcmp(name, "uvdso-watchdog") &&
		    (parent == timekeeper || parent == getpid()))
			found = pid;
		fclose(stat);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* As a paused virtual machine or a frozen control group does it, but the reader goes on. */
static void stop_both(struct tally *t, pid_t timekeeper, pid_t watchdog, unsigned *seed)
{
	for (int i = 0; i < STOPS_BOTH; i++) {
		*seed = *seed * 1103515245 + 12345;
		kill(timekeeper, SIGSTOP);
		kill(watchdog, SIGSTOP);
		/* About as long as a line is good for: 8 to 50 ms. */
		read_for(t, 5000 + (long)(*seed >> 8) % (i % 4 ? 10000 : 60000));
		kill(timekeeper, SIGCONT);
		kill(watchdog, SIGCONT);
		*seed = *seed * 1103515245 + 12345;
		read_for(t, (long)(*seed >> 8) % 8000);
	}
}

int main(void)
{
	struct tally killed = {0}, stopped = {0}, halting = {0}, both = {0};
	pid_t watchdog;
	struct uvdso *page;
	unsigned seed = 1;

	alarm(120); /* a reader that hangs is found out */
	for (int i = 0; i < KILLS; i++) {
		pthread_t thread;
		struct shot shot;

		page = boot();
		seed = seed * 1103515245 + 12345;
		shot = (struct shot){uvdso_timekeeper(page), (seed >> 8) % 9000};
		if (pthread_create(&thread, NULL, shoot, &shot))
			bail_out("no thread");
		/* Every tenth time until long after the base is too old. */
		read_for(&killed, shot.after_us + (i % 10 ? 1000 : 80000));
		pthread_join(thread, NULL);
		uvdso_shutdown(page);
	}
	report(&killed, "killed hundreds of times");

	page = boot();
	read_for(&stopped, 100000);
	kill(uvdso_timekeeper(page), SIGSTOP);
	read_for(&stopped, 10000000);
	kill(uvdso_timekeeper(page), SIGCONT);
	read_for(&stopped, 1000000);
	report(&stopped, "stopped for ten seconds and continued");

	for (int i = 0; i < STOPS; i++) {
		seed = seed * 1103515245 + 12345;
		kill(uvdso_timekeeper(page), SIGSTOP);
		/* Every tenth time long enough for the watchdog. */
		read_for(&halting, 100 + (long)(seed >> 8) % (i % 10 ? 3000 : 30000));
		kill(uvdso_timekeeper(page), SIGCONT);
		seed = seed * 1103515245 + 12345;
		read_for(&halting, (long)(seed >> 8) % 5000);
	}
	report(&halting, "stopped five hundred times for up to 30 ms");

	watchdog = find_watchdog(uvdso_timekeeper(page));
	if (!watchdog)
		bail_out("there is no watchdog");
	stop_both(&both, uvdso_timekeeper(page), watchdog, &seed);
	is(both.backwards, 0, "stopped with the watchdog: no clock ever goes backwards");
	if (both.backwards)
		diag("of %ld reads, at worst clock %d by %lld ns", both.reads,
		     both.worst_back_clock, (long long)both.worst_back);
	is(both.fine_off, 0,
	   "stopped with the watchdog: no fine clock is off by more than %d ns", FINE_BOUND_NS);
	is(both.coarse_ahead, 0, "stopped with the watchdog: no coarse clock is ahead");
	uvdso_shutdown(page);
	return done_testing();
}
