/*
 * process.c - see process.h: this process, the simple one of the two.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "kernel/base/newer.h"
#include "kernel/base/process.h"

static long call_self(struct process *process, long nr, const long arg[6])
{
	long result = syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);

	(void)process;
	return result == -1 ? -errno : result;
}

void process_kill(pid_t pid)
{
	const union sigval nothing = {0};

	if (kill(pid, SIGKILL) && syscall(SYS_tgkill, pid, pid, SIGKILL))
		sigqueue(pid, SIGKILL, nothing);
}

bool process_has_ended(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno != EPERM;
}

void process_close(struct process *process, int fd)
{
	if (process_call(process, SYS_close, fd) && process_call(process, SYS_close, fd))
		process_call(process, SYS_close_range, fd, fd);
}

struct process process_self = {.call = call_self};
