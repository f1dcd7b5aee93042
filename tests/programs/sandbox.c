/*
 * sandbox.c - runs a program under the filter of clock_filter.h.
 *
 *	sandbox PROGRAM ARG...			it has the kernel's vDSO, and lives
 *	sandbox --no-vdso PROGRAM ARG...	it has none: it asks the kernel, and dies
 *
 * The vDSO is hidden as a debugger would do it: at the exec, before the first instruction,
 * AT_SYSINFO_EHDR in the vector on the program's stack becomes AT_IGNORE.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock_filter.h"

/* Where the stack of a program begins that has just been started: field 28 of proc(5), stat. */
static unsigned long start_of_stack(pid_t child)
{
	char path[32], text[1024] = "", *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	file = fopen(path, "re");
	if (file && !fgets(text, sizeof(text), file))
		text[0] = 0;
	if (file)
		fclose(file);
	/* The second field is a name, in which there may be anything. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 28; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

/* argc, the arguments, NULL, the environment, NULL, and then pairs of words. */
static int hide_vdso(pid_t child)
{
	unsigned long at = start_of_stack(child), word;

	if (!at)
		return -1;
	at += sizeof(at);
	for (int lists = 0; lists < 2; at += sizeof(at)) {
		errno = 0;
		word = (unsigned long)ptrace(PTRACE_PEEKDATA, child, at, 0);
		if (errno)
			return -1;
		lists += word == 0;
	}
	for (;; at += 2 * sizeof(at)) {
		errno = 0;
		word = (unsigned long)ptrace(PTRACE_PEEKDATA, child, at, 0);
		if (errno || word == AT_NULL)
			return -1;
		if (word == AT_SYSINFO_EHDR)
			return (int)ptrace(PTRACE_POKEDATA, child, at, (void *)AT_IGNORE);
	}
}

/* In the parent of a child that traces itself: until its exec, and then let go. */
static int run_without_vdso(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		if (hide_vdso(child) || ptrace(PTRACE_DETACH, child, 0, 0)) {
			perror("sandbox: --no-vdso");
			kill(child, SIGKILL);
		}
		waitpid(child, &status, 0);
	}
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		kill(getpid(), WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int no_vdso = argc > 1 && !strcmp(argv[1], "--no-vdso");

	if (argc < 2 + no_vdso) {
		fputs("sandbox: needs a program\n", stderr);
		return 2;
	}
	argv += 1 + no_vdso;
	if (no_vdso) {
		pid_t child = fork();

		if (child > 0)
			return run_without_vdso(child);
		if (child < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0)) {
			perror("sandbox: --no-vdso");
			return 2;
		}
	}
	if (forbid_clock_calls()) {
		perror("sandbox: seccomp");
		return 2;
	}
	execvp(argv[0], argv);
	perror(argv[0]);
	return 2;
}
