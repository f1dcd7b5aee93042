/*
 * toll.c - how often it is stopped: for a program that it starts, a child, a signal.
 *
 *	toll        "program N", "child N", "signal N": so many times a CPU was given up, as
 *	            wait4(2) and getrusage(2) count it, in the best of some rounds
 *	toll end    is the program
 *
 * Each stop for a tracer is one, however long it takes and however busy the machine is.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 30

extern char **environ;

/* Its end waits for nobody. */
static long stops_of(pid_t pid)
{
	struct rusage usage;
	int status;

	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		exit(1);
	return usage.ru_nvcsw;
}

static long program(void)
{
	char *argv[] = {"toll", "end", NULL};
	pid_t pid;

	return posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) ? -1
									      : stops_of(pid);
}

static long child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return stops_of(pid);
}

static void handler(int signal)
{
	(void)signal;
}

static long one_signal(void)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	raise(SIGUSR1);
	getrusage(RUSAGE_SELF, &after);
	return after.ru_nvcsw - before.ru_nvcsw;
}

static void best(const char *what, long (*once)(void))
{
	long least = once();

	for (int round = 1; round < ROUNDS; round++) {
		long stops = once();

		least = stops < least ? stops : least;
	}
	printf("%s %ld\n", what, least);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	signal(SIGUSR1, handler);
	best("program", program);
	best("child", child);
	best("signal", one_signal);
	return 0;
}
