/*
 * filter.c - a library for LD_PRELOAD=filter.so: puts `uvdso run` under the filter of
 * clock_filter.h, from its fork on.
 *
 * uvdso itself asks the kernel for the time, that is its work. The program that it starts
 * must not; and this is the child of a fork(2) that execs nothing, so that a handler in the
 * child is early enough, and also reaches static programs. What uvdso starts does not get
 * the library: it might have another C library.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock_filter.h"

static void in_child(void)
{
	if (!forbid_clock_calls())
		return;
	perror("filter: seccomp");
	_exit(99);
}

__attribute__((constructor)) static void begin(void)
{
	unsetenv("LD_PRELOAD");
	pthread_atfork(NULL, NULL, in_child);
}
