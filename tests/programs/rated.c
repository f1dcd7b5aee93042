/*
 * rated.c - REALTIME by all the functions that show it, beside MONOTONIC, for so many seconds.
 *
 *	rate N      how fast REALTIME was, by MONOTONIC
 *	back N      answers that were behind one before them
 *	apart N     answers that were not between those of the system call before and after
 *	ns N        what one takes, of the fastest of some thousand in a row, by MONOTONIC
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CALLS 2000

static int64_t in_ns(struct timespec ts)
{
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

	clock_gettime(clock, &ts);
	return in_ns(ts);
}

static int64_t kernel_ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return in_ns(ts);
}

static int64_t timeofday_ns(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return tv.tv_sec * (int64_t)1000000000 + tv.tv_usec * (int64_t)1000;
}

/* Both at once, as far as can be: of some tries the shortest. */
static void both(int64_t *real, int64_t *mono)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 50; i++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC), here = clock_ns(CLOCK_REALTIME);
		int64_t took = clock_ns(CLOCK_MONOTONIC) - before;

		if (took >= least)
			continue;
		least = took;
		*real = here;
		*mono = before + took / 2;
	}
}

static unsigned back, apart;

/* In whole units it must not be behind the last, and not outside of what the kernel says. */
static void look(int64_t got, int64_t *last, int64_t low, int64_t high, int64_t unit)
{
	back += got / unit < *last / unit;
	apart += got / unit < low / unit || got / unit > high / unit;
	if (got > *last)
		*last = got;
}

static double cost(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 100; i++) {
		int64_t begun = clock_ns(CLOCK_MONOTONIC), took;

		for (int call = 0; call < CALLS; call++)
			clock_ns(CLOCK_REALTIME);
		took = clock_ns(CLOCK_MONOTONIC) - begun;
		if (took < least)
			least = took;
	}
	return (double)least / CALLS;
}

int main(int argc, char **argv)
{
	int64_t length = (int64_t)(atof(argv[1]) * 1e9), fine = 0, coarse = 0;
	int64_t seconds = 0; /* musl's time() is not that of the coarse clock */
	int64_t begun, begun_mono, end, mono;

	both(&begun, &begun_mono);
	printf("begun %lld\n", (long long)(begun / 1000000000));
	fflush(stdout);
	do {
		int64_t low = kernel_ns(CLOCK_REALTIME), got = clock_ns(CLOCK_REALTIME);
		int64_t micro = timeofday_ns(), slow = clock_ns(CLOCK_REALTIME_COARSE);
		int64_t second = time(NULL) * (int64_t)1000000000;
		int64_t high = kernel_ns(CLOCK_REALTIME);

		look(low, &fine, 0, INT64_MAX, 1);
		look(got, &fine, low, high, 1);
		look(micro, &fine, low, high, 1000);
		look(high, &fine, 0, INT64_MAX, 1);
		look(slow, &coarse, 0, high, 1);
		look(second, &seconds, 0, high, 1000000000);
		mono = clock_ns(CLOCK_MONOTONIC);
	} while (mono - begun_mono < length);
	both(&end, &mono);
	printf("rate %.5f\nback %u\napart %u\n",
	       (double)(end - begun) / (double)(mono - begun_mono), back, apart);
	if (argc > 2)
		printf("ns %.1f\n", cost());
	return 0;
}
