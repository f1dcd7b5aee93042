/*
 * tree.c - a program and its child, another program, which hold all clocks of the C library
 * against the kernel's while they run: tree DEPTH [ROUNDS]. For storms of signals over those
 * that serve them (run/storms).
 *
 * Exit status: 0; 3 after a sentence if a clock was wrong; that of the child. One that was
 * killed is none of our business.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BOUND_NS 1000

static const clockid_t fine[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
				 CLOCK_MONOTONIC_RAW};
static const clockid_t coarse[][2] = {{CLOCK_REALTIME_COARSE, CLOCK_REALTIME},
				      {CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC}};
#define NR(array) (sizeof(array) / sizeof((array)[0]))

static int rounds;
static long long offset; /* of REALTIME, in ns */
static long long last[16];

static long long ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static long long kernel(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ns(ts) + (clock == CLOCK_REALTIME ? offset : 0);
}

static void wrong(clockid_t clock, const char *what, long long by)
{
	fprintf(stderr, "tree: process %d: clock %d %s by %lld ns\n", (int)getpid(), (int)clock,
		what, by);
	exit(3);
}

static long long ours(clockid_t clock)
{
	struct timespec ts = {0, 0};

	clock_gettime(clock, &ts);
	if (ns(ts) < last[clock])
		wrong(clock, "went back", last[clock] - ns(ts));
	last[clock] = ns(ts);
	return ns(ts);
}

static void read_all(void)
{
	struct timeval tv;
	time_t seconds;

	for (size_t i = 0; i < NR(fine); i++) {
		long long before = kernel(fine[i]), now = ours(fine[i]), after;

		after = kernel(fine[i]);
		if (before - now > BOUND_NS)
			wrong(fine[i], "is behind", before - now);
		if (now - after > BOUND_NS)
			wrong(fine[i], "is ahead", now - after);
	}
	for (size_t i = 0; i < NR(coarse); i++) {
		long long now = ours(coarse[i][0]), after = kernel(coarse[i][1]);

		if (now - after > BOUND_NS)
			wrong(coarse[i][0], "is ahead", now - after);
	}
	/* Second faces of REALTIME and of its coarse clock. */
	gettimeofday(&tv, NULL);
	if (tv.tv_sec * 1000000ll + tv.tv_usec < last[CLOCK_REALTIME] / 1000)
		wrong(CLOCK_REALTIME, "went back in gettimeofday()", 1);
	seconds = time(NULL);
	if (seconds < last[CLOCK_REALTIME_COARSE] / 1000000000)
		wrong(CLOCK_REALTIME_COARSE, "went back in time()", 1);
	if (ours(CLOCK_REALTIME_COARSE) / 1000000000 < seconds)
		wrong(CLOCK_REALTIME_COARSE, "went back after time()", 1);
}

static void read_for_a_while(void)
{
	const struct timespec pause = {0, 100000};

	for (int i = 0; i < rounds; i++) {
		read_all();
		if (i % 10 == 0)
			nanosleep(&pause, NULL);
	}
}

static void *in_thread(void *unused)
{
	const struct timespec pause = {0, 1000000};

	nanosleep(&pause, NULL);
	return unused;
}

int main(int argc, char **argv)
{
	int depth = argc > 3 ? atoi(argv[1]) : 0, status = 0;
	struct timespec now;
	pthread_t thread;
	pid_t child;

	rounds = argc > 3 ? atoi(argv[2]) : 1;
	offset = argc > 3 ? atoll(argv[3]) * 1000000000 : 0;
	if (argc > 4 && depth < 1) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (kernel(CLOCK_REALTIME) - ns(now) > offset / 2)
			offset = 0;
	}
	read_for_a_while();
	if (depth < 1) {
		/* The watchdog looks every 20 ms. */
		nanosleep(&(struct timespec){0, 45000000}, NULL);
		read_for_a_while();
		return 0;
	}
	if (pthread_create(&thread, NULL, in_thread, NULL))
		return 4;
	child = fork();
	if (child == 0) {
		argv[1] = "0";
		read_all();
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		read_for_a_while();
	pthread_join(thread, NULL);
	read_for_a_while();
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fprintf(stderr, "tree: signal %d has ended the child\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL ? 0 : 5;
}
