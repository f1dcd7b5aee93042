/*
 * 01-system-call.c - what a call costs, by the arithmetic of tests/bench/measure.c, beside what
 * everybody writes first: all the time, divided by all the calls.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../tests/bench/measure.h"

#define ROUNDS 60
#define CALLS  20000

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void ask_kernel(const void *whom, long calls)
{
	struct timespec ts;

	(void)whom;
	while (calls-- > 0)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
}

static void ask_vdso(const void *whom, long calls)
{
	struct timespec ts;

	(void)whom;
	while (calls-- > 0)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

static void ask_nobody(const void *whom, long calls)
{
	(void)whom;
	while (calls-- > 0)
		__asm__ volatile("" : "+r"(calls));
}

static double naive(const struct way *way)
{
	uint64_t start = now_ns();

	way->make(way->whom, CALLS);
	return (double)(now_ns() - start) / CALLS;
}

int main(void)
{
	static const char *const names[] = {"system call", "vDSO", "empty loop"};
	static const struct way ways[] = {
		{ask_kernel, NULL}, {ask_vdso, NULL}, {ask_nobody, NULL}};
	struct cost cost[3];
	double first[3];

	for (int i = 0; i < 3; i++)
		first[i] = naive(&ways[i]);
	measure(ways, 3, ROUNDS, cost);
	printf("ns a call         naive    yours: best   median\n");
	for (int i = 0; i < 3; i++)
		printf("  %-12s %8.1f       %8.1f %8.1f\n", names[i], first[i], cost[i].best,
		       cost[i].median);
	if (cost[1].best > 0)
		printf("By your numbers a system call costs %.1f times what the vDSO does, by "
		       "the naive ones %.1f.\n",
		       cost[0].best / cost[1].best, first[0] / first[1]);
	return 0;
}
