/*
 * line.c - reads its REALTIME for a while, and looks whether that goes on as it began.
 *
 *	line RATE [fine]	until SIGTERM comes and no coarse clock is late, or for some
 *				seconds (more on a machine that is TEST_SLOW); with "fine" it
 *				may stand still. After SIGUSR1 it says "on time" as soon as
 *				the coarse clock is not late
 *
 * By the vDSO and by system calls, by turns, it must be the line through its first reading with
 * that rate over MONOTONIC, which must be the machine's; none goes back. "ready" after the
 * first readings; at the end "right", or the first reading that was not.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000ll

/* How far a reading may be outside of its bounds: the machine slews its REALTIME. */
#define SLACK_NS 100000

/* A coarse clock is late by a tick, or until somebody who looks after it has been woken. */
#define COARSE_NS 200000000ll

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

static long long by_vdso(clockid_t clock)
{
	struct timespec ts = {0};

	clock_gettime(clock, &ts);
	return ns(&ts);
}

static long long by_kernel(clockid_t clock)
{
	struct timespec ts = {0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ns(&ts);
}

/* A reading, and MONOTONIC before and after it. */
struct reading {
	long long before, shown, after;
};

static struct reading take(long long (*read)(clockid_t), clockid_t clock)
{
	struct reading got;

	got.before = by_vdso(CLOCK_MONOTONIC);
	got.shown = read(clock);
	got.after = by_vdso(CLOCK_MONOTONIC);
	return got;
}

/* How far outside of what the line allows, in ns; below 0 if behind. */
static long long outside(const struct reading *first, const struct reading *now, double rate)
{
	long long low = first->shown + (long long)((double)(now->before - first->after) * rate);
	long long high =
		first->shown + (long long)((double)(now->after - first->before) * rate);

	return now->shown < low ? now->shown - low : now->shown > high ? now->shown - high : 0;
}

/* It ends by itself, but not before the test has come to it. */
static long long longest(void)
{
	return (getenv("TEST_SLOW") ? 200 : 15) * NSEC;
}

static volatile sig_atomic_t stopped, asked;

static void hear(int signal)
{
	if (signal == SIGTERM)
		stopped = 1;
	else
		asked = 1;
}

int main(int argc, char **argv)
{
	double rate = argc > 1 ? atof(argv[1]) : 1;
	long long slack = SLACK_NS + (long long)(SLACK_NS * rate), last = 0, coarse = 0;
	struct reading first = take(by_kernel, CLOCK_REALTIME);
	unsigned turn = 0;
	bool late = false;

	/* The narrowest of some. */
	for (int i = 0; i < 20; i++) {
		struct reading next = take(by_kernel, CLOCK_REALTIME);

		if (next.after - next.before < first.after - first.before)
			first = next;
	}
	signal(SIGTERM, hear);
	signal(SIGUSR1, hear);
	setlinebuf(stdout);
	puts("ready");
	for (; (!stopped || (late && argc <= 2)) &&
	       by_vdso(CLOCK_MONOTONIC) < first.after + longest();
	     turn++) {
		bool kernels = turn % 2;
		struct reading now = take(kernels ? by_kernel : by_vdso, CLOCK_REALTIME);
		long long off = outside(&first, &now, rate);
		const char *who = kernels ? "system call" : "vDSO";

		if (off < -slack || off > slack || now.shown < last) {
			printf("turn %u: %s: %lld ns off, %lld after the one before\n", turn,
			       who, off, now.shown - last);
			return 1;
		}
		last = now.shown;
		now = take(by_vdso, CLOCK_REALTIME_COARSE);
		off = outside(&first, &now, rate);
		late = off < -(long long)((double)COARSE_NS * rate);
		if (off > slack || now.shown < coarse) {
			printf("turn %u: coarse: %lld ns off, %lld after the one before\n",
			       turn, off, now.shown - coarse);
			return 1;
		}
		coarse = now.shown;
		if (asked && !late) {
			asked = 0;
			puts("on time");
		}
		usleep(300);
	}
	puts(late && argc <= 2 ? "coarse: it stands still" : "right");
	return 0;
}
