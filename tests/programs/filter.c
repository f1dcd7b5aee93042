/*
 * filter.c - a library for LD_PRELOAD=filter.so: puts the program that `uvdso run` starts under
 * the filter of clock_filter.h.
 *
 * uvdso itself asks the kernel for the time, that is its work. The program must not. Before it
 * becomes the program, uvdso calls execve(2) of the C library; or, by hand, it gives the
 * process the program's name (prctl(2)). Both are early enough, and also reach static programs.
 * The program does not get the library: it might have another C library.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock_filter.h"

static void forbid(void)
{
	if (!forbid_clock_calls())
		return;
	perror("filter: seccomp");
	_exit(99);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	forbid();
	return (int)syscall(SYS_execve, path, argv, envp);
}

int prctl(int option, ...)
{
	unsigned long arg[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(list, unsigned long);
	va_end(list);
	/* The names of processes of ours begin with "uvdso". */
	if (option == PR_SET_NAME && strncmp((const char *)arg[0], "uvdso", 5))
		forbid();
	return (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}

__attribute__((constructor)) static void begin(void)
{
	unsetenv("LD_PRELOAD");
}
