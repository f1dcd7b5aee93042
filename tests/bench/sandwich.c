/*
 * sandwich.c - how far our clocks are from the kernel's.
 *
 * Two clocks cannot be read at the same moment. So each of our answers is taken between two
 * system calls for the same clock: outside of these two it is wrong, and inside it should be
 * near the middle. How near it is cannot be told better than the system call allows, whose
 * way in and way out are not equally long. So the kernel's vDSO is also put between two system
 * calls, in turns with ours: its distance is that of a vDSO that is right.
 *
 * A vDSO that has just been started knows the rate of the counter from a few milliseconds of
 * measuring, and then more and more precisely. Hence two tables: the first second, and what
 * comes after it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"

#define ROUNDS       1000000
#define QUICK_ROUNDS 20000
#define SLICE        1000 /* rounds of one clock, then it is the next one's turn */
#define FIRST_NS     UINT64_C(1000000000)

/* Distances are counted by the nanosecond; the last place is for all that are longer. */
#define PLACES 65536

struct spread {
	uint32_t count[PLACES];
	uint64_t total, outside, longest;
};

enum { OURS, KERNEL, VDSOS };

static const struct {
	clockid_t id;
	const char *name;
} clocks[] = {
	{CLOCK_REALTIME, "REALTIME"},           {CLOCK_MONOTONIC, "MONOTONIC"},
	{CLOCK_BOOTTIME, "BOOTTIME"},           {CLOCK_TAI, "TAI"},
	{CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW"},
};
#define CLOCKS ARRAY_SIZE(clocks)

typedef struct spread table[CLOCKS][VDSOS];

static void count(struct spread *spread, int64_t before, int64_t answer, int64_t after)
{
	uint64_t distance = (uint64_t)llabs(2 * answer - before - after) / 2;

	spread->count[distance < PLACES ? distance : PLACES - 1]++;
	spread->total++;
	spread->outside += answer < before || answer > after;
	if (distance > spread->longest)
		spread->longest = distance;
}

/* So many rounds of one clock: system call, ours, system call, kernel's, system call, ... */
static void slice(gettime_fn *const gettime[VDSOS], clockid_t clock,
		  struct spread spread[VDSOS], int rounds)
{
	int64_t before = kernel_ns(clock);

	while (rounds-- > 0) {
		for (int who = 0; who < VDSOS; who++) {
			struct timespec answer = {0, 0};
			int64_t after;

			if (!gettime[who])
				continue;
			gettime[who](clock, &answer);
			after = kernel_ns(clock);
			count(&spread[who], before, in_ns(answer), after);
			before = after;
		}
	}
}

/* The distance that the given part of all rounds did not exceed. */
static uint64_t at_most(const struct spread *spread, double part)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < PLACES - 1; i++) {
		seen += spread->count[i];
		if ((double)seen >= part * (double)spread->total)
			return i;
	}
	return spread->longest;
}

/* The longest is what the scheduler or an interrupt did: microseconds, and many. */
static void print_spread(const struct spread *spread)
{
	printf(" %6" PRIu64 " %5" PRIu64 " %6" PRIu64 " %7" PRIu64, at_most(spread, 0.5),
	       at_most(spread, 0.99), at_most(spread, 0.999), (spread->longest + 999) / 1000);
}

static void print_table(const struct bench *bench, const char *title, table spreads)
{
	printf("\n%s%s%s, %" PRIu64 " rounds of each clock\n", bench->bold, title, bench->off,
	       spreads[0][OURS].total);
	printf("  %-13s %7s  %-27s  %s\n", "ns from", "", "our vDSO", "kernel's vDSO");
	printf("  %-13s %7s %6s %5s %6s %7s  %6s %5s %6s %7s\n", "the middle", "outside",
	       "median", "99%", "99.9%", "most us", "median", "99%", "99.9%", "most us");
	for (size_t i = 0; i < CLOCKS; i++) {
		const struct spread *ours = &spreads[i][OURS], *kernel = &spreads[i][KERNEL];

		printf("  %-13s %s%7" PRIu64 "%s", clocks[i].name,
		       ours->outside ? bench->bad : bench->good, ours->outside, bench->off);
		print_spread(ours);
		putchar(' ');
		if (kernel->total)
			print_spread(kernel);
		else
			printf(" %6s %5s %6s %7s", "-", "-", "-", "-");
		putchar('\n');
	}
	fflush(stdout);
}

static void spread_out(gettime_fn *const gettime[VDSOS], uint64_t begin, int rounds,
		       table first, table later)
{
	while (now_ns() - begin < FIRST_NS)
		for (size_t i = 0; i < CLOCKS; i++)
			slice(gettime, clocks[i].id, first[i], SLICE / 10);
	for (; rounds > 0; rounds -= SLICE)
		for (size_t i = 0; i < CLOCKS; i++)
			slice(gettime, clocks[i].id, later[i], SLICE);
}

int sandwich_bench(const struct bench *bench)
{
	const struct uvdso_options options = {.no_counter = bench->no_counter};
	struct spread(*spreads)[CLOCKS][VDSOS] = calloc(2, sizeof(table));
	gettime_fn *gettime[VDSOS];
	struct vdso_elf elf;
	struct uvdso *booted;
	uint64_t begin;

	if (!spreads) {
		fprintf(stderr, "bench: out of memory\n");
		return 1;
	}
	if (boot(&options, &booted, &elf)) {
		free(spreads);
		return 1;
	}
	begin = now_ns();
	gettime[OURS] =
		(gettime_fn *)vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	gettime[KERNEL] = (gettime_fn *)vdso_elf_symbol(
		&bench->kernel, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	spread_out(gettime, begin, bench->quick ? QUICK_ROUNDS : ROUNDS, spreads[0],
		   spreads[1]);
	uvdso_shutdown(booted);
	print_table(bench, "Between two system calls: the first second", spreads[0]);
	print_table(bench, "Between two system calls: later", spreads[1]);
	free(spreads);
	return 0;
}
