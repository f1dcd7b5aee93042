/*
 * namespace.c - a process of ours in a time namespace of the kernel's.
 *
 * The kernel shifts clocks, too (time_namespaces(7)), and its vDSO then takes the same
 * detour as ours: that is the one to compare with. A process cannot enter a namespace
 * that it has made, only its children are born into it. Hence two forks:
 *
 *	bench            waits
 *	  maker          unshare(CLONE_NEWTIME), writes the offsets, waits
 *	    inhabitant   is in the namespace, and runs the code
 *
 * The vDSOs that bench has booted are inherited, so a child can measure them.
 * Privilege is needed, or else a user namespace around it, where one may be made.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* linux/sched.h; older C libraries do not have it. */
#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x00000080
#endif

enum { DONE, NO_NAMESPACE, NO_OFFSETS, NOT_SHIFTED, NO_PROCESS, NR_ENDS };

static const char *const reasons[NR_ENDS] = {
	[NO_NAMESPACE] = "no time namespace can be made here",
	[NO_OFFSETS] = "the namespace's offsets cannot be written",
	[NOT_SHIFTED] = "the namespace has not shifted the clock",
	[NO_PROCESS] = "the child in the namespace failed",
};

static int64_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool write_offsets(void)
{
	char text[80];
	int length = snprintf(text, sizeof(text), "monotonic %d 0\nboottime %d 0\n",
			      SHIFT_SECONDS, SHIFT_SECONDS);
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, (size_t)length) == length;

	if (fd >= 0)
		close(fd);
	return written;
}

/* With the parent gone nobody reads the result, and nobody would end the child. */
static bool die_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/* The status of a child that ended by itself. */
static int status_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return NO_PROCESS;
	return WIFEXITED(status) && WEXITSTATUS(status) < NR_ENDS ? WEXITSTATUS(status)
								  : NO_PROCESS;
}

static int inhabit(void (*code)(void *), void *argument, pid_t maker, int64_t before)
{
	if (!die_with(maker))
		return NO_PROCESS;
	if (seconds() - before < SHIFT_SECONDS)
		return NOT_SHIFTED;
	code(argument);
	return DONE;
}

static int make(void (*code)(void *), void *argument, pid_t bench)
{
	int64_t before = seconds();
	pid_t self = getpid(), child;

	if (unshare(CLONE_NEWTIME) && unshare(CLONE_NEWUSER | CLONE_NEWTIME))
		return NO_NAMESPACE;
	/* Only now: entering a user namespace would take it back (prctl(2)). */
	if (!die_with(bench))
		return NO_PROCESS;
	if (!write_offsets())
		return NO_OFFSETS;
	child = fork();
	if (child == 0)
		_exit(inhabit(code, argument, self, before));
	return child < 0 ? NO_PROCESS : status_of(child);
}

bool in_time_namespace(void (*code)(void *), void *argument, const char **why)
{
	pid_t self = getpid(), child = fork();
	int end;

	if (child == 0)
		_exit(make(code, argument, self));
	end = child < 0 ? NO_PROCESS : status_of(child);
	if (end != DONE)
		*why = reasons[end];
	return end == DONE;
}
