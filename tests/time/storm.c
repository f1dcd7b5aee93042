/*
 * storm.c - the timekeeper is killed and stopped while a program reads every clock.
 *
 * A thousand times a page is booted and its timekeeper killed at a random moment, in the
 * middle of an update if it happens so. The reader must never hang, never see a clock go
 * backwards, and never be told a time that is further off than these bounds:
 *
 *   fine clocks     FINE_BOUND_NS from the interval between two system calls
 *   coarse clocks   COARSE_BOUND_NS old: two periods of the watchdog, and its lateness.
 *                   A machine with other things to do can make it later still, so one
 *                   read in a hundred may be older; without a watchdog it is one in four
 *
 * What it could catch: a reader that waits for an odd number to become even, a base that
 * is believed for too long, a coarse clock that stands still for ever.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "uvdso.h"

#define KILLS           1000
#define STOPS           500
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
	gettime = uvdso_symbol(page, "__vdso_clock_gettime", "LINUX_2.6");
	seconds = uvdso_symbol(page, "__vdso_time", "LINUX_2.6");
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
	if (!ok(t->backwards == 0, "%s: no clock ever goes backwards", what))
		diag("%ld of %ld reads, at worst clock %d by %lld ns", t->backwards, t->reads,
		     t->worst_back_clock, (long long)t->worst_back);
	if (!ok(t->fine_off == 0, "%s: no fine clock is off by more than %d ns", what,
		FINE_BOUND_NS))
		diag("%ld times, %lld ns at worst", t->fine_off, (long long)t->worst_fine);
	ok(t->coarse_ahead == 0, "%s: no coarse clock is ahead of its fine one", what);
	if (!ok(t->coarse_old <= t->coarse / 100,
		"%s: no coarse clock is older than %d ms, but for one read in a hundred", what,
		COARSE_BOUND_NS / 1000000))
		diag("%ld of %ld reads, %lld us at worst: nobody has abandoned the page",
		     t->coarse_old, t->coarse, (long long)t->worst_coarse / 1000);
	ok(t->time_off == 0, "%s: time() is never more than a second behind", what);
	printf("# %ld reads; %ld outside of two system calls, by %lld ns at worst; coarse "
	       "clocks "
	       "up to %lld us old\n",
	       t->reads, t->outside, (long long)t->worst_fine,
	       (long long)t->worst_coarse / 1000);
}

int main(void)
{
	struct tally killed = {0}, stopped = {0}, halting = {0};
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
	report(&killed, "killed a thousand times");

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
	uvdso_shutdown(page);
	return done_testing();
}
