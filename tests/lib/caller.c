/*
 * caller.c - see caller.h.
 *
 *	own                 one answer
 *	own check           a thousand, each compared; "check wait" says "ready" first, and
 *	                    waits for a line
 *	own traps           how many system calls a thousand make, from inside the vDSO
 *	own chart [quick]   what an answer costs, as CSV
 *
 * Exit status: 0, 1 for an answer that is wrong, 2 if this vDSO has no such function, 3 if it
 * cannot be found out here.
 */
#include <errno.h>
#include <math.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <x86intrin.h>

#include "caller.h"
#include "measure.h"

#define ANSWERS 1000

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int check(void *function, bool wait)
{
	if (wait) {
		printf("ready\n");
		fflush(stdout);
		if (getchar() == EOF)
			return 3;
	}
	if (!function)
		return 2;
	for (int i = 0; i < ANSWERS; i++)
		if (!is_right(function))
			return 1;
	return 0;
}

/* ---- system calls from inside the vDSO ---- */

static volatile sig_atomic_t traps, trapped_nr;

static void count_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)signal;
	traps++;
	trapped_nr = info->si_syscall;
	at->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

/* From now on a system call of the vDSO is a signal. Its image has two pages at most. */
static bool trap_calls_of_vdso(void)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	uint32_t high = (uint32_t)(vdso >> 32), low = (uint32_t)vdso;
	size_t ip = offsetof(struct seccomp_data, instruction_pointer);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ip + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)ip),
		BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, low),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 2 * 4096, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct sigaction action = {.sa_sigaction = count_trap, .sa_flags = SA_SIGINFO};

	return vdso && !sigaction(SIGSYS, &action, NULL) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int count_traps(void *function)
{
	struct timespec ts;
	int usable = 0, least = INT_MAX;

	if (!function)
		return 2;
	if (!trap_calls_of_vdso()) {
		printf("no seccomp filter may be set here\n");
		return 3;
	}
	/*
	 * Is it the function that asks, or has this machine nothing better? A timekeeper that
	 * is late, on a busy machine, leaves all clocks to the kernel for a moment: the least
	 * counts.
	 */
	for (int look = 0; least && usable < 3 && look < 50; look++) {
		int of_function;

		traps = 0;
		ask_vdso(function, ANSWERS);
		of_function = traps;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		if (!of_function || traps == of_function) {
			usable++;
			least = of_function < least ? of_function : least;
		} else {
			usleep(5000);
		}
	}
	if (!usable) {
		printf("this machine has no usable counter\n");
		return 3;
	}
	printf("%d system calls", least);
	printf(least ? ", number %d\n" : "\n", (int)trapped_nr);
	return 0;
}

/* ---- what an answer costs ---- */

enum whom { OURS, LIBC, KERNEL, NOTHING, WAYS };

static void *function_found;

static __attribute__((noinline)) void nothing(void)
{
	__asm__ volatile("" : : : "memory");
}

static void ask(enum whom whom, long calls)
{
	switch (whom) {
	case OURS:
		ask_vdso(function_found, calls);
		break;
	case LIBC:
		ask_libc(calls);
		break;
	case KERNEL:
		ask_kernel(calls);
		break;
	default:
		while (calls-- > 0)
			nothing();
	}
}

/* The second thread asks the same as the first, as fast as it can, until it is told to end. */
static atomic_int companion_asks;

static void *companion(void *unused)
{
	int way;

	while ((way = atomic_load(&companion_asks)) != WAYS)
		ask((enum whom)way, 200);
	return unused;
}

static void make(const void *way, long calls)
{
	enum whom whom = *(const enum whom *)way;

	if (atomic_load(&companion_asks) != (int)whom)
		atomic_store(&companion_asks, (int)whom);
	ask(whom, calls);
}

static const enum whom all[WAYS] = {OURS, LIBC, KERNEL, NOTHING};

static void warm(bool quick, struct cost *cost)
{
	struct way ways[WAYS];

	for (int i = 0; i < WAYS; i++)
		ways[i] = (struct way){make, &all[i]};
	if (!function_found)
		ways[OURS].make = NULL;
	measure(ways, WAYS, quick ? 15 : 100, cost);
}

/* Larger than the caches that a CPU has for itself. */
#define OTHER_DATA (8 << 20)
#define MOST_COLD  50

static double cycles_per_ns(void)
{
	uint64_t from = now_ns(), begin = __rdtsc(), until;

	do
		until = now_ns();
	while (until - from < 5000000);
	return (double)(__rdtsc() - begin) / (double)(until - from);
}

static double one_cold(enum whom whom, volatile char *other)
{
	unsigned cpu;
	uint64_t begin;

	for (size_t i = 0; i < OTHER_DATA; i += 64)
		other[i]++;
	begin = __rdtscp(&cpu);
	ask(whom, 1);
	return (double)(__rdtscp(&cpu) - begin);
}

/*
 * One call a time, after other data has filled the caches. The counter tells how long it took,
 * since a look at the clock would warm what is measured.
 */
static bool cold(bool quick, struct cost *cost)
{
	size_t rounds = quick ? 9 : MOST_COLD;
	double values[WAYS][MOST_COLD] = {{0}}, per_ns = cycles_per_ns();
	char *other = malloc(OTHER_DATA);

	if (!other)
		return false;
	memset(other, 1, OTHER_DATA);
	for (size_t round = 0; round < rounds; round++) {
		for (int way = function_found ? OURS : LIBC; way < WAYS; way++) {
			atomic_store(&companion_asks, way);
			values[way][round] = one_cold((enum whom)way, other);
		}
	}
	for (int way = 0; way < WAYS; way++)
		cost[way].median = median(values[way], rounds) / per_ns;
	for (int way = 0; way < WAYS; way++)
		cost[way].median = fmax(0, cost[way].median - cost[NOTHING].median);
	if (!function_found)
		cost[OURS].median = NAN;
	free(other);
	return true;
}

static void row(const char *name, int threads, const struct cost *cost)
{
	printf("%s %d thread%s,", name, threads, threads > 1 ? "s" : "");
	for (int way = OURS; way <= KERNEL; way++) {
		putchar(',');
		if (!isnan(cost[way].median))
			printf("%.1f", cost[way].median);
	}
	putchar('\n');
}

static int chart(bool quick)
{
	int status = 0;

	printf("call,floor_ns,ours_ns,kernel_ns,syscall_ns\n");
	for (int threads = 1; threads <= 2; threads++) {
		struct cost cost[WAYS];
		pthread_t second;

		atomic_store(&companion_asks, NOTHING);
		if (threads == 2 && pthread_create(&second, NULL, companion, NULL))
			return 3;
		warm(quick, cost);
		row("warm", threads, cost);
		if (cold(quick, cost))
			row("cold", threads, cost);
		else
			status = 3;
		atomic_store(&companion_asks, WAYS);
		if (threads == 2)
			pthread_join(second, NULL);
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *more = argc > 2 ? argv[2] : "";
	int status = 0;

	function_found = find();
	if (!strcmp(what, "check"))
		status = check(function_found, !strcmp(more, "wait"));
	else if (!strcmp(what, "traps"))
		status = count_traps(function_found);
	else if (!strcmp(what, "chart"))
		status = chart(!strcmp(more, "quick"));
	else
		show(function_found);
	return fflush(stdout) ? 3 : status;
}
