/*
 * 07-cycles.c - how far from the kernel's clock is the vDSO's? A picture of many answers: as
 * many as the argument says.
 *
 * Each is put between two system calls, and held against the middle of these.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BARS    13
#define WIDTH   40 /* nanoseconds of a bar */
#define LONGEST 50

static int64_t in_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

int main(int argc, char **argv)
{
	int asked = argc > 1 ? atoi(argv[1]) : 100000;
	unsigned bars[BARS] = {0}, most = 1;

	for (int i = 0; i < asked; i++) {
		struct timespec before, yours, after;
		int64_t error;
		int bar;

		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
		clock_gettime(CLOCK_MONOTONIC, &yours);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
		error = in_ns(&yours) - (in_ns(&before) + in_ns(&after)) / 2;
		bar = BARS / 2;
		while (error > WIDTH / 2 && bar < BARS - 1)
			error -= WIDTH, bar++;
		while (error < -WIDTH / 2 && bar > 0)
			error += WIDTH, bar--;
		bars[bar]++;
	}
	for (int i = 0; i < BARS; i++)
		most = bars[i] > most ? bars[i] : most;
	printf("Your clock, beside the middle of two system calls, in ns:\n");
	for (int i = 0; i < BARS; i++) {
		printf("  %5d%s %7u  ", (i - BARS / 2) * WIDTH,
		       i == 0 || i == BARS - 1 ? " or more" : "        ", bars[i]);
		for (unsigned n = 0; n < (bars[i] * (uint64_t)LONGEST + most - 1) / most; n++)
			putchar('#');
		putchar('\n');
	}
	return 0;
}
