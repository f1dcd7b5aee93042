/*
 * spin.c - reads the monotonic clock for so many milliseconds, and does nothing else: where
 * it is interrupted, it is most likely in the vDSO. Says "ready PID" first, then how often.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	long long end = now() + (argc > 1 ? atoll(argv[1]) : 0) * 1000000, rounds = 0;

	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	while (now() < end)
		rounds++;
	printf("rounds %lld\n", rounds);
	return 0;
}
