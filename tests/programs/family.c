/*
 * family.c - starts a program in one of the ways that there are, and waits for it.
 *
 *	family WAY PROGRAM [ARG]...
 *
 * fork, vfork, spawn (posix_spawn), clone (as a container's init: no signal at its end),
 * thread (a thread of several execs, which ends the others), exec (this process itself),
 * kill-parent (kills the parent of this process first), many (one hundred at once).
 * The exit status is the last program's.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char **program;

static int execute(void *unused)
{
	(void)unused;
	execvp(program[0], program);
	_exit(127);
}

static void *execute_thread(void *unused)
{
	execute(unused);
	return NULL;
}

static void *wait_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, __WALL) != pid)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t start_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		execute(NULL);
	return pid;
}

static pid_t start_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execvp(program[0], program);
		_exit(127);
	}
	return pid;
}

static pid_t start_spawn(void)
{
	pid_t pid;

	return posix_spawnp(&pid, program[0], NULL, NULL, program, environ) ? -1 : pid;
}

static pid_t start_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	return clone(execute, stack + sizeof(stack), CLONE_FS | CLONE_FILES, NULL);
}

static int start_many(void)
{
	pid_t pid[100];
	int status = 0;

	for (int i = 0; i < 100; i++)
		pid[i] = start_fork();
	for (int i = 0; i < 100; i++)
		status |= wait_for(pid[i]);
	return status;
}

static void start_thread(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, wait_thread, NULL);
	pthread_create(&thread, NULL, execute_thread, NULL);
	wait_thread(NULL);
}

int main(int argc, char **argv)
{
	const char *way = argc > 2 ? argv[1] : "";

	program = argv + 2;
	if (!strcmp(way, "fork"))
		return wait_for(start_fork());
	if (!strcmp(way, "vfork"))
		return wait_for(start_vfork());
	if (!strcmp(way, "spawn"))
		return wait_for(start_spawn());
	if (!strcmp(way, "clone"))
		return wait_for(start_clone());
	if (!strcmp(way, "many"))
		return start_many();
	if (!strcmp(way, "thread"))
		start_thread();
	if (!strcmp(way, "kill-parent"))
		kill(getppid(), SIGKILL);
	if (!strcmp(way, "kill-parent") || !strcmp(way, "exec"))
		execute(NULL);
	fprintf(stderr, "usage: family WAY PROGRAM [ARG]...\n");
	return 2;
}
