/*
 * watchdog.c - see watchdog.h.
 *
 * It may be forked from a program with threads, so it does only what is safe in a signal
 * handler.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "kernel/time/timekeeper.h"
#include "kernel/time/watchdog.h"

void watchdog_abandon(union vdso_data_store pages[VDSO_NR_DATA_PAGES])
{
	/*
	 * One step, and no state in between that we could be stopped in. The second copy of the
	 * coarse clocks is not found any more, and MONOTONIC_RAW has its max_cycles.
	 */
	vdso_abandon(&pages[VDSO_TIME_PAGE].data[CS_HRES_COARSE]);
	/* Nothing to pair with: a reader that sees it late is served once more. */
	__atomic_store_n(&pages[VDSO_RNG_PAGE].rng.is_ready, false, __ATOMIC_RELAXED);
}

static void watch(union vdso_data_store *pages, int timekeeper, pid_t parent)
{
	const struct vdso_data *data = pages[VDSO_TIME_PAGE].data;
	u32 seen = atomic_load_explicit(&data->seq, memory_order_relaxed);

	for (;;) {
		struct pollfd death = {.fd = timekeeper, .events = POLLIN};
		int dead = poll(&death, 1, WATCHDOG_PERIOD_MS) > 0;
		u32 seq = atomic_load_explicit(&data->seq, memory_order_relaxed);

		if (dead || getppid() != parent) {
			watchdog_abandon(pages);
			_exit(0);
		}
		if (seq == seen)
			watchdog_abandon(pages);
		seen = atomic_load_explicit(&data->seq, memory_order_relaxed);
	}
}

/* A watchdog that is still in our session could be stopped with us, or found by our caller. */
static pid_t wait_until_ready(pid_t watchdog, int ready[2])
{
	ssize_t got = 1;
	char byte;

	close(ready[1]);
	if (watchdog > 0)
		while ((got = read(ready[0], &byte, 1)) < 0 && errno == EINTR)
			;
	close(ready[0]);
	if (got == 1)
		return watchdog;
	while (waitpid(watchdog, NULL, 0) < 0 && errno == EINTR)
		;
	return -ECHILD;
}

pid_t watchdog_start(union vdso_data_store pages[VDSO_NR_DATA_PAGES])
{
	pid_t parent = getpid(), watchdog;
	int ready[2], fd;
	sigset_t all;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	watchdog = fork();
	if (watchdog != 0)
		return wait_until_ready(watchdog < 0 ? -errno : watchdog, ready);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Out of the way of ^C and ^Z, of unmounting, and of a reader that waits for a pipe to
	 * end. */
	setsid();
	if (chdir("/"))
		_exit(1);
	timekeeper_prioritise();
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	close_range(0, ~0u, 0);
	prctl(PR_SET_NAME, "uvdso-watchdog", 0, 0, 0);
	/* Without pidfds (before Linux 5.3) the change of parent shows at the next look. */
	fd = (int)syscall(SYS_pidfd_open, parent, 0);
	watch(pages, fd, parent);
	__builtin_unreachable();
}

void watchdog_stop(pid_t watchdog)
{
	siginfo_t info;

	/* If it is not our child any more, its number may belong to another process. */
	if (watchdog <= 0 || waitid(P_PID, (id_t)watchdog, &info, WEXITED | WNOHANG | WNOWAIT))
		return;
	kill(watchdog, SIGKILL);
	while (waitpid(watchdog, NULL, 0) < 0 && errno == EINTR)
		;
}
