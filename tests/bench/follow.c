/*
 * follow.c - what --follow costs: the things that a tracer is told of, with it and without.
 *
 * This program runs itself four times in turns: as it is, under `uvdso run`, under
 * `uvdso run --follow`, and in a tree with clocks of its own; there it measures from inside
 * (follow_inside()) and prints a line. A system call and a call of the vDSO are in the table to
 * show that they cost nothing more: a tracer that does not ask for them is not told. In a tree
 * with clocks of its own it asks for those that name a time of a changed clock; all deadlines
 * here are over, so that nothing waits. How
 * often the others are stopped for it the test ptrace/stops says, on a busy machine as well.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TURNS  5
#define ROUNDS 40

extern char **environ;

static void one_call(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
}

static void one_syscall(void)
{
	syscall(SYS_getppid);
}

/* The filter looks at its operation, and lets it go. */
static void one_wake(void)
{
	static unsigned word;

	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void one_clock(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
}

static const struct timespec over = {1000000000, 0};

static void one_deadline(void)
{
	static unsigned word;

	syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &over,
		NULL, FUTEX_BITSET_MATCH_ANY);
}

static void one_sleep(void)
{
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &over, NULL);
}

static void one_timerfd(void)
{
	static const struct itimerspec end = {.it_value = {4000000000, 0}};
	static int fd;

	if (!fd)
		fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &end, NULL);
}

static void handler(int signal)
{
	(void)signal;
}

static void one_signal(void)
{
	raise(SIGUSR1);
}

/* From another process: it has one back for each. */
static pid_t partner;

static void one_exchange(void)
{
	sigset_t wanted, others;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, &others);
	kill(partner, SIGUSR1);
	sigsuspend(&others);
	sigprocmask(SIG_SETMASK, &others, NULL);
}

/* It must not wait before it can be told. */
static void begin_exchange(void)
{
	sigset_t wanted, others;
	pid_t parent = getpid();

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, &others);
	partner = fork();
	while (partner == 0) {
		sigsuspend(&others);
		if (getppid() != parent || kill(parent, SIGUSR1))
			_exit(0);
	}
	sigprocmask(SIG_SETMASK, &others, NULL);
}

static void end_exchange(void)
{
	kill(partner, SIGKILL);
	while (waitpid(partner, NULL, 0) < 0 && errno == EINTR)
		;
}

static void *nothing(void *arg)
{
	return arg;
}

static void one_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, nothing, NULL))
		pthread_join(thread, NULL);
}

static void one_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void one_exec(void)
{
	char *argv[] = {"/bin/true", NULL};
	pid_t pid;

	if (!posix_spawn(&pid, argv[0], NULL, NULL, argv, environ))
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}

static const struct {
	const char *name;
	void (*once)(void);
	unsigned batch; /* what is too short to be timed alone is done so often */
} tolls[] = {
	{"clock_gettime()", one_call, 1000},
	{"a system call", one_syscall, 1000},
	{"a signal", one_signal, 1},
	{"a signal, and one back", one_exchange, 1},
	{"a thread, joined", one_thread, 1},
	{"a fork, waited for", one_fork, 1},
	{"a program, /bin/true", one_exec, 1},
	{"futex(), a wake", one_wake, 1000},
	{"the system call clock_gettime", one_clock, 10},
	{"futex(), a deadline", one_deadline, 10},
	{"clock_nanosleep(), until", one_sleep, 10},
	{"timerfd_settime(), until", one_timerfd, 10},
};
#define NR_TOLLS ARRAY_SIZE(tolls)

int follow_inside(void)
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; i < NR_TOLLS; i++) {
		double us[ROUNDS];
		bool exchange = tolls[i].once == one_exchange;

		if (exchange)
			begin_exchange();
		if (exchange && partner < 0)
			return 1;

		for (size_t round = 0; round < ROUNDS; round++) {
			uint64_t begin = now_ns();

			for (unsigned n = 0; n < tolls[i].batch; n++)
				tolls[i].once();
			us[round] = (double)(now_ns() - begin) / 1e3 / tolls[i].batch;
		}
		if (exchange)
			end_exchange();
		printf("%.4f ", median(us, ROUNDS));
	}
	putchar('\n');
	return 0;
}

/* Runs a shell command whose last line is that of follow_inside(). */
static int ask(const char *command, double us[NR_TOLLS])
{
	FILE *answer = popen(command, "re");
	size_t got = 0;

	while (answer && got < NR_TOLLS && fscanf(answer, "%lf", &us[got]) == 1)
		got++;
	if (answer && !pclose(answer) && got == NR_TOLLS)
		return 0;
	fprintf(stderr, "bench: failed: %s\n", command);
	return 1;
}

int follow_bench(const struct bench *bench)
{
	/* The shell has the directory from its environment: the name may have quotes. */
	static const char *const how[] = {
		"exec \"$BENCH\"/bench --follow-inside",
		"exec \"$BENCH\"/../uvdso run -- \"$BENCH\"/bench --follow-inside",
		"exec \"$BENCH\"/../uvdso run --follow -- \"$BENCH\"/bench --follow-inside",
		"exec \"$BENCH\"/../uvdso run --offset realtime=+1h -- \"$BENCH\"/bench "
		"--follow-inside",
	};
	size_t turns = bench->quick ? 1 : TURNS;
	double us[ARRAY_SIZE(how)][NR_TOLLS][TURNS];

	for (size_t turn = 0; turn < turns; turn++)
		for (size_t h = 0; h < ARRAY_SIZE(how); h++) {
			double got[NR_TOLLS];

			if (setenv("BENCH", bench->dir, true) || ask(how[h], got))
				return 1;
			for (size_t i = 0; i < NR_TOLLS; i++)
				us[h][i][turn] = got[i];
		}
	printf("\n%sWhat --follow costs%s, median of %zu runs\n", bench->bold, bench->off,
	       turns);
	printf("  %-29s %8s %8s %8s %6s %11s\n", "us", "plain", "run", "--follow", "ratio",
	       "own clocks");
	for (size_t i = 0; i < NR_TOLLS; i++) {
		double plain = median(us[0][i], turns), follow = median(us[2][i], turns);

		printf("  %-29s %8.3f %8.3f %8.3f %5.1fx %11.3f\n", tolls[i].name, plain,
		       median(us[1][i], turns), follow, follow / plain,
		       median(us[3][i], turns));
	}
	return 0;
}
