/*
 * compare.c - compares the clocks of the C library with those of the kernel for so many
 * milliseconds: compare MILLISECONDS OFFSET, where OFFSET seconds is what REALTIME is
 * expected to differ by. Prints "ready PID" at the start, and at the end how far a clock
 * was outside of the two system calls around it at worst, and how far it ever ran
 * backwards, in nanoseconds; and how many seconds the coarse clock and time() are off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static long long kernel(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ns(ts);
}

int main(int argc, char **argv)
{
	long long offset[2] = {argc > 2 ? atoll(argv[2]) * 1000000000ll : 0, 0};
	long long end = kernel(CLOCK_MONOTONIC) + (argc > 1 ? atoll(argv[1]) : 0) * 1000000;
	struct timespec coarse = {0, 0};
	long long worst = 0, back = 0, last = 0, rounds = 0;

	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	do {
		for (int clock = 0; clock < 2; clock++) { /* REALTIME and MONOTONIC */
			long long before = kernel(clock) + offset[clock], now, after;
			struct timespec ts, pause = {0, 1000000};
			struct timeval tv;

			clock_gettime(clock, &ts);
			gettimeofday(&tv, NULL);
			now = ns(ts);
			after = kernel(clock) + offset[clock];
			if (before - now > worst)
				worst = before - now;
			if (now - after > worst)
				worst = now - after;
			if (clock == CLOCK_MONOTONIC) {
				if (last - now > back)
					back = last - now;
				last = now;
				nanosleep(&pause, NULL);
			}
		}
		rounds++;
	} while (kernel(CLOCK_MONOTONIC) < end);
	/* Seconds only: these two may be a tick behind. */
	clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
	printf("coarse %lld time %lld\n",
	       (long long)(coarse.tv_sec - offset[0] / 1000000000) - kernel(0) / 1000000000,
	       (long long)(time(NULL) - offset[0] / 1000000000) - kernel(0) / 1000000000);
	printf("worst %lld back %lld rounds %lld\n", worst, back, rounds);
	return 0;
}
