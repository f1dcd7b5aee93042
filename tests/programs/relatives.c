/*
 * relatives.c - tells the time in processes and threads that come from one program, as
 * "name seconds" lines:
 *
 *	relatives			in a child, a grandchild, a child of vfork(2), and
 *					in a thread on every CPU, which is told that CPU
 *	relatives exec PROGRAM ARG...	starts PROGRAM by fork, vfork, posix_spawn and
 *					system(3); prints "NAME status STATUS"
 *	relatives daemon OFFSET		becomes a daemon (a second fork, in a session of
 *					its own) and says "daemon PID"; when its standard
 *					input ends it says whether its clock is between
 *					two looks at the kernel's, shifted by OFFSET
 *					seconds, and how far from it the coarse clock (ms)
 *					and time() (s) are
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void tell(const char *name)
{
	struct timespec ts = {-1, 0};

	clock_gettime(CLOCK_REALTIME, &ts);
	dprintf(STDOUT_FILENO, "%s %lld.%09ld\n", name, (long long)ts.tv_sec, ts.tv_nsec);
}

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int current_cpu(void)
{
#ifdef __GLIBC__
	/* Its sched_getcpu() would not ask the vDSO. */
	unsigned int cpu, node;

	return getcpu(&cpu, &node) ? -1 : (int)cpu;
#else
	return sched_getcpu();
#endif
}

static void *on_cpu(void *arg)
{
	int cpu = *(int *)arg, wrong = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		return NULL;
	for (int i = 0; i < 10000; i++) {
		int here = current_cpu();
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		clock_gettime(CLOCK_MONOTONIC, &b);
		wrong += here != cpu || b.tv_sec < a.tv_sec ||
			 (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
	}
	dprintf(STDOUT_FILENO, "cpu %d wrong %d\n", cpu, wrong);
	tell("thread");
	return NULL;
}

static void tell_on_cpus(void)
{
	static pthread_t thread[CPU_SETSIZE];
	static int cpu[CPU_SETSIZE];
	cpu_set_t set;
	int count = 0;

	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		cpu[count] = i;
		if (!pthread_create(&thread[count], NULL, on_cpu, &cpu[count]))
			count++;
	}
	for (int i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	dprintf(STDOUT_FILENO, "cpus %d\n", count);
}

static int tell_in_children(void)
{
	pid_t child = fork();

	if (child == 0) {
		tell("child");
		child = fork();
		if (child == 0) {
			tell("grandchild");
			_exit(0);
		}
		_exit(wait_for(child) != 0);
	}
	if (wait_for(child))
		return 1;
	child = vfork();
	if (child == 0) {
		tell("vfork");
		_exit(0);
	}
	if (wait_for(child))
		return 1;
	tell_on_cpus();
	tell("parent");
	return 0;
}

static int start_by_all_means(char **argv)
{
	char command[4096] = "exec";
	pid_t child = fork();

	if (child == 0) {
		execvp(argv[0], argv);
		_exit(99);
	}
	dprintf(STDOUT_FILENO, "fork status %d\n", wait_for(child));
	child = vfork();
	if (child == 0) {
		execvp(argv[0], argv);
		_exit(99);
	}
	dprintf(STDOUT_FILENO, "vfork status %d\n", wait_for(child));
	if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ))
		return 1;
	dprintf(STDOUT_FILENO, "posix_spawn status %d\n", wait_for(child));
	for (; *argv && strlen(command) + strlen(*argv) + 4 < sizeof(command); argv++)
		sprintf(command + strlen(command), " '%s'", *argv);
	dprintf(STDOUT_FILENO, "system status %d\n", system(command));
	return 0;
}

static long long now(int from_kernel, clockid_t clock)
{
	struct timespec ts = {0, 0};

	if (from_kernel)
		syscall(SYS_clock_gettime, clock, &ts);
	else
		clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int be_daemon(long long offset)
{
	long long before, ours, after;
	char byte;

	/* Bounds its life, should the test lose sight of it. */
	alarm(60);
	if (fork())
		_exit(0);
	setsid();
	if (fork())
		_exit(0);
	alarm(60);
	dprintf(STDOUT_FILENO, "daemon %d\n", (int)getpid());
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	before = now(1, CLOCK_REALTIME) + offset * 1000000000ll;
	ours = now(0, CLOCK_REALTIME);
	after = now(1, CLOCK_REALTIME) + offset * 1000000000ll;
	dprintf(STDOUT_FILENO, "between %s\n", before <= ours && ours <= after ? "yes" : "no");
	dprintf(STDOUT_FILENO, "coarse %lld time %lld\n",
		(now(0, CLOCK_REALTIME_COARSE) - ours) / 1000000,
		(long long)time(NULL) - ours / 1000000000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "exec"))
		return start_by_all_means(argv + 2);
	if (argc > 2 && !strcmp(argv[1], "daemon"))
		return be_daemon(atoll(argv[2]));
	return tell_in_children();
}
