/*
 * wait.c - see wait.h.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel/base/wait.h"

/* A child that is there is denied so often in a row. */
#define DENIALS_MAX 4

/* Turns of a wait by looking at the clock; each is a system call or two. */
#define SPINS_MAX 100000

/* As waitpid(2) writes it. */
static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_KILLED:
		return info->si_status;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	case CLD_CONTINUED:
		return 0xffff;
	default: /* CLD_STOPPED, CLD_TRAPPED: with the event of a traced one above the signal */
		return info->si_status << 8 | 0x7f;
	}
}

/* The stops of a traced child are reported whatever is asked for. */
static pid_t wait_by_id(pid_t pid, int *status, int flags)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(pid > 0 ? P_PID : P_ALL, pid > 0 ? (id_t)pid : 0, &info, flags | WEXITED))
		return -1;
	if (info.si_pid && status)
		*status = status_of(&info);
	return info.si_pid;
}

pid_t wait_for(pid_t pid, int *status, int flags)
{
	unsigned times = 0, denials = 0;
	pid_t got;

	do
		got = waitpid(pid, status, flags);
	while (got < 0 && (interrupted(&times) || (errno != EINTR && ++denials < DENIALS_MAX)));
	if (got >= 0)
		return got;
	times = 0;
	do
		got = wait_by_id(pid, status, flags);
	while (got < 0 && interrupted(&times));
	return got;
}

static unsigned long long now_ns(void)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000000000 + (unsigned long long)ts.tv_nsec;
}

bool pause_ns(unsigned long ns)
{
	unsigned long long end = now_ns() + ns, now = 0;

	for (unsigned turn = 0; turn < SPINS_MAX && (now = now_ns()) < end; turn++) {
		struct timespec left = {(time_t)((end - now) / 1000000000),
					(long)((end - now) % 1000000000)};

		if (!nanosleep(&left, NULL) || !ppoll(NULL, 0, &left, NULL))
			return true;
		sched_yield();
	}
	return false;
}
