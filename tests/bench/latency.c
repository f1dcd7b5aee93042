/*
 * latency.c - what a call costs: the floor, our vDSO, the kernel's vDSO, the system call.
 *
 * The floor is the counter read by itself, in order: no vDSO that answers with a fine clock
 * can be faster. What is above it is the vDSO's own work.
 *
 * A row is measured in rounds, in which everybody takes a turn: measure.c.
 *
 * The shifted rows are a second vDSO, booted with offsets. They are measured by a child in a
 * time namespace, where the kernel's vDSO takes its detour, too; without such a namespace, they
 * are measured here and without the kernel. The plain vDSO takes part in each of their rounds,
 * and the difference is what a shift costs.
 *
 * The CSV file has one line for each call, after the line
 *
 *	call,floor_ns,ours_ns,kernel_ns,syscall_ns,ours_vs_kernel
 *
 *	call             clock_gettime(CLOCK), clock_getres(CLOCK), getrandom(BYTES), or the
 *	                 function's name; " shifted" after it means the second vDSO
 *	floor_ns         medians in nanoseconds, one decimal. Empty: there is none, because
 *	ours_ns          the call reads no counter, or because nobody is there who could
 *	kernel_ns        be asked
 *	syscall_ns
 *	ours_vs_kernel   ours_ns / kernel_ns before they were rounded, two decimals
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "calls.h"

#define ROUNDS       MOST_ROUNDS
#define QUICK_ROUNDS 30

enum way_of { FLOOR, OURS, KERNEL, SYSTEM_CALL, PLAIN, EMPTY, WAYS };

struct row {
	struct cost cost[WAYS];
};

static void measure_row(const struct call *call, const struct target target[WAYS],
			size_t rounds, struct row *row)
{
	struct asked asked[WAYS];
	struct way ways[WAYS];

	for (int way = 0; way < WAYS; way++) {
		asked[way] = (struct asked){call, &target[way]};
		ways[way] = (struct way){target[way].fn ? make_calls : NULL, &asked[way]};
	}
	measure(ways, WAYS, rounds, row->cost);
}

/* ---- the table ---- */

static void print_number(int width, double ns)
{
	if (isnan(ns))
		printf("%*s", width, "-");
	else
		printf("%*.*f", width, ns < 10000 ? 1 : 0, ns);
}

/* None to what is shown as 0.0: a call that costs less than the loop around it. */
static double ratio(const struct row *row)
{
	return row->cost[KERNEL].median < 0.05
		       ? NAN
		       : row->cost[OURS].median / row->cost[KERNEL].median;
}

/* The first column is the floor, or what a shift starts from. */
static void print_heading(const struct bench *bench, const char *title, const char *first)
{
	printf("\n%s%s%s\n", bench->bold, title, bench->off);
	printf("  %-20s %7s %14s   %14s %8s  %6s\n", "", first, "our vDSO", "kernel's vDSO",
	       "system", "ours /");
	printf("  %-20s %7s %7s%7s   %7s%7s %8s  %6s\n", "ns a call", "median", "best",
	       "median", "best", "median", "call", "kernel");
}

static void print_row(const struct bench *bench, const struct call *call, const struct row *row,
		      enum way_of first)
{
	double r = ratio(row);

	printf("  %-20s ", call->title);
	print_number(7, row->cost[first].median);
	putchar(' ');
	print_number(7, row->cost[OURS].best);
	print_number(7, row->cost[OURS].median);
	printf("   ");
	print_number(7, row->cost[KERNEL].best);
	print_number(7, row->cost[KERNEL].median);
	putchar(' ');
	print_number(8, row->cost[SYSTEM_CALL].median);
	if (isfinite(r)) /* as printed: 1.004 is 1.00 */
		printf("  %s%6.2f%s\n", r < 1.005 ? bench->good : bench->bad, r, bench->off);
	else
		printf("  %6s\n", "-");
	fflush(stdout);
}

/* ---- the file ---- */

static void write_field(FILE *file, const char *format, double value)
{
	fputc(',', file);
	if (isfinite(value))
		fprintf(file, format, value);
}

static void write_row(FILE *file, const struct call *call, const struct row *row)
{
	fputs(call->name, file);
	write_field(file, "%.1f", row->cost[FLOOR].median);
	write_field(file, "%.1f", row->cost[OURS].median);
	write_field(file, "%.1f", row->cost[KERNEL].median);
	write_field(file, "%.1f", row->cost[SYSTEM_CALL].median);
	write_field(file, "%.2f", ratio(row));
	fputc('\n', file);
}

/* ---- the rows ---- */

/* Everybody who can be asked, except those whom only the shifted rows know. */
static void find_targets(const struct bench *bench, const struct call *call,
			 struct target target[WAYS])
{
	memset(target, 0, sizeof(target[0]) * WAYS);
	if (call->counter && !uvdso_why_no_counter(bench->plain))
		target[FLOOR] = target_floor();
	target[OURS] = target_in(&bench->ours, call);
	target[KERNEL] = target_in(&bench->kernel, call);
	target[SYSTEM_CALL] = target_system_call(call);
	target[EMPTY] = target_empty();
}

static void measure_plain(const struct bench *bench, const struct call *calls, size_t nr,
			  FILE *csv)
{
	for (size_t i = 0; i < nr; i++) {
		struct target target[WAYS];
		struct row row;

		find_targets(bench, &calls[i], target);
		if (!target[OURS].fn)
			continue; /* a vDSO need not have every function */
		measure_row(&calls[i], target, bench->quick ? QUICK_ROUNDS : ROUNDS, &row);
		print_row(bench, &calls[i], &row, FLOOR);
		write_row(csv, &calls[i], &row);
	}
}

struct shifted {
	const struct bench *bench;
	bool kernel; /* it shifts its own */
	struct row row[];
};

static void measure_shifted(void *argument)
{
	struct shifted *shifted = argument;
	const struct bench *bench = shifted->bench;

	for (size_t i = 0; i < nr_shifted_calls; i++) {
		const struct call *call = &shifted_calls[i];
		struct target target[WAYS];

		find_targets(bench, call, target);
		target[PLAIN] = target[OURS];
		target[OURS] = target_in(&bench->ours_shifted, call);
		if (!shifted->kernel)
			target[KERNEL].fn = NULL;
		measure_row(call, target, bench->quick ? QUICK_ROUNDS : ROUNDS,
			    &shifted->row[i]);
	}
}

static void print_cost_of_shift(const struct row *rows)
{
	size_t most = 0;
	double cost[64];

	for (size_t i = 0; i < nr_shifted_calls; i++) {
		cost[i] = rows[i].cost[OURS].median - rows[i].cost[PLAIN].median;
		if (cost[i] > cost[most])
			most = i;
	}
	printf("  A shift costs at most %.1f ns (%s)", cost[most], shifted_calls[most].title);
	printf(", in the median %.1f ns.\n", median(cost, nr_shifted_calls));
}

static int bench_shifted(const struct bench *bench, FILE *csv)
{
	size_t size = sizeof(struct shifted) + nr_shifted_calls * sizeof(struct row);
	struct shifted *shifted =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *why = NULL;

	if (shifted == MAP_FAILED) {
		fprintf(stderr, "bench: shared memory: %s\n", strerror(errno));
		return 1;
	}
	shifted->bench = bench;
	shifted->kernel = true;
	print_heading(bench, "Shifted: the kernel's vDSO in a time namespace", "plain");
	fflush(stdout); /* a child would print it again */
	if (!in_time_namespace(measure_shifted, shifted, &why)) {
		printf("  (No kernel's column: %s.)\n", why);
		shifted->kernel = false;
		measure_shifted(shifted);
	}
	for (size_t i = 0; i < nr_shifted_calls; i++) {
		print_row(bench, &shifted_calls[i], &shifted->row[i], PLAIN);
		write_row(csv, &shifted_calls[i], &shifted->row[i]);
	}
	print_cost_of_shift(shifted->row);
	munmap(shifted, size);
	return 0;
}

static int csv_error(const struct bench *bench)
{
	fprintf(stderr, "bench: %s: %s\n", bench->csv, strerror(errno));
	return 1;
}

int latency_bench(struct bench *bench)
{
	FILE *csv = fopen(bench->csv, "we");
	int err;

	if (!csv)
		return csv_error(bench);
	fputs("call,floor_ns,ours_ns,kernel_ns,syscall_ns,ours_vs_kernel\n", csv);
	print_heading(bench, "What a call costs", "floor");
	measure_plain(bench, plain_calls, nr_plain_calls, csv);
	measure_plain(bench, random_calls, nr_random_calls, csv);
	fflush(csv); /* a child would write it again */
	err = bench_shifted(bench, csv);
	if (ferror(csv) | fclose(csv))
		return csv_error(bench);
	return err;
}
