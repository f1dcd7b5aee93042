/*
 * million.c - what a million calls cost: our vDSO, the kernel's vDSO, the system call.
 *
 * The three are measured in small batches that take turns, so that other work on the machine
 * affects all of them. The best batch and the median are shown: noise only adds, so the best
 * is closest to what the code costs, and the distance between the two shows how much noise
 * there was. Batches of calls to an empty function take turns, too: they measure the loop,
 * which is subtracted, the best from the best and the median from the median. No result is
 * below zero.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define BATCHES 20
#define CALLS   50000 /* in one batch */

/* A slow machine does fewer batches; so many nanoseconds are given to one row. */
#define BUDGET_NS 1.5e9

typedef int gettime_fn(clockid_t, struct timespec *);
typedef int gettimeofday_fn(struct timeval *, struct timezone *);
typedef long getcpu_fn(unsigned *, unsigned *, void *);

static void loop_monotonic(void *fn, int calls)
{
	gettime_fn *gettime = fn;
	struct timespec ts;

	while (calls-- > 0)
		gettime(CLOCK_MONOTONIC, &ts);
}

static void loop_coarse(void *fn, int calls)
{
	gettime_fn *gettime = fn;
	struct timespec ts;

	while (calls-- > 0)
		gettime(CLOCK_MONOTONIC_COARSE, &ts);
}

static void loop_gettimeofday(void *fn, int calls)
{
	gettimeofday_fn *gettimeofday = fn;
	struct timeval tv;

	while (calls-- > 0)
		gettimeofday(&tv, NULL);
}

static void loop_getcpu(void *fn, int calls)
{
	getcpu_fn *getcpu = fn;
	unsigned cpu, node;

	while (calls-- > 0)
		getcpu(&cpu, &node, NULL);
}

static int system_gettime(clockid_t clock, struct timespec *ts)
{
	return (int)syscall(SYS_clock_gettime, clock, ts);
}

static int system_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	return (int)syscall(SYS_gettimeofday, tv, tz);
}

static long system_getcpu(unsigned *cpu, unsigned *node, void *cache)
{
	return syscall(SYS_getcpu, cpu, node, cache);
}

/* Takes any arguments in registers and looks at none: the loop and nothing else. */
static long nothing(void)
{
	return 0;
}

static const struct row {
	const char *title, *symbol;
	void (*loop)(void *fn, int calls);
	void *system_call;
} rows[] = {
	{"MONOTONIC", VDSO_NAME("clock_gettime"), loop_monotonic, system_gettime},
	{"MONOTONIC_COARSE", VDSO_NAME("clock_gettime"), loop_coarse, system_gettime},
	{"gettimeofday", VDSO_NAME("gettimeofday"), loop_gettimeofday, system_gettimeofday},
	{"getcpu", VDSO_NAME("getcpu"), loop_getcpu, system_getcpu},
};

enum { OURS, KERNEL, SYSTEM_CALL, EMPTY, WAYS };

struct cost {
	double best, median;
};

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double at_least_0(double ns)
{
	return ns > 0 ? ns : 0;
}

/* Returns how many batches were made of each way. A way without a function costs 0. */
static int measure(const struct row *row, void *const fn[WAYS], struct cost cost[WAYS])
{
	double ns[WAYS][BATCHES], begin = now_ns();
	int batches = 0;

	for (int way = 0; way < WAYS; way++) {
		cost[way] = (struct cost){0, 0};
		if (fn[way])
			row->loop(fn[way], CALLS / 50); /* caches and branches are warm */
	}
	while (batches < BATCHES && (batches < 3 || now_ns() - begin < BUDGET_NS)) {
		/* Every other time backwards, so that nobody always comes after the system
		 * calls. */
		for (int i = 0; i < WAYS; i++) {
			int way = batches % 2 ? WAYS - 1 - i : i;
			double start = now_ns();

			if (fn[way])
				row->loop(fn[way], CALLS);
			ns[way][batches] = (now_ns() - start) / CALLS;
		}
		batches++;
	}
	for (int way = 0; way < WAYS; way++)
		qsort(ns[way], (size_t)batches, sizeof(ns[way][0]), ascending);
	for (int way = 0; way < WAYS; way++)
		if (fn[way])
			cost[way] = (struct cost){
				at_least_0(ns[way][0] - ns[EMPTY][0]),
				at_least_0(ns[way][batches / 2] - ns[EMPTY][batches / 2]),
			};
	return batches;
}

static void print_cost(struct cost cost, bool exists)
{
	if (exists)
		printf("  %8.1f %8.1f", cost.best, cost.median);
	else
		printf("  %8s %8s", "-", "-");
}

int main(void)
{
	struct cost cost[WAYS], first[WAYS] = {{0, 0}};
	struct vdsos vdsos;
	bool no_counter;

	vdsos_open(&vdsos, "million");
	no_counter = uvdso_why_no_counter(vdsos.booted) != NULL;
	printf("  %-16s  %17s  %17s  %17s\n", "", "our vDSO", "kernel's vDSO", "system call");
	printf("  %-16s  %8s %8s  %8s %8s  %8s %8s\n", "ns a call", "best", "median", "best",
	       "median", "best", "median");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *fn[WAYS] = {
			[OURS] = (void *)vdso_elf_symbol(&vdsos.ours, rows[i].symbol,
							 VDSO_VERSION),
			[KERNEL] = (void *)vdso_elf_symbol(&vdsos.kernel, rows[i].symbol,
							   VDSO_VERSION),
			[SYSTEM_CALL] = rows[i].system_call,
			[EMPTY] = (void *)nothing,
		};
		int batches = measure(&rows[i], fn, cost);

		printf("  %-16s", rows[i].title);
		for (int way = 0; way < EMPTY; way++)
			print_cost(cost[way], fn[way]);
		putchar('\n');
		if (batches < BATCHES)
			printf("  (%d calls each: this machine is slow or busy)\n",
			       batches * CALLS);
		if (i == 0)
			for (int way = 0; way < WAYS; way++)
				first[way] = cost[way];
		fflush(stdout);
	}
	/* Of the best ones: there noise has the least part. */
	if (no_counter)
		printf("  Without a usable counter our vDSO makes the system call itself.\n");
	else if (first[OURS].best > 0)
		printf("  MONOTONIC: a system call costs %.1f times what our vDSO costs,\n"
		       "  and the kernel's vDSO %.2f times.\n",
		       first[SYSTEM_CALL].best / first[OURS].best,
		       first[KERNEL].best / first[OURS].best);
	uvdso_shutdown(vdsos.booted);
	return 0;
}
