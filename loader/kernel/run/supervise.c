/*
 * supervise.c - see supervise.h.
 *
 * One loop and one thing to wait for: sigtimedwait(2) returns a signal, with its sender, or
 * times out when the next update is due. Nothing runs asynchronously.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/run/supervise.h"
#include "kernel/time/deadline.h"

/* How many turns of the loop between two searches for traced processes that are left. */
#define LOOK_FOR_REST 16

/*
 * The terminal signals a whole process group, us and the program (si_code SI_KERNEL):
 * passing that on would deliver it twice. A kill(2) of our process id is meant for the
 * program. What the program itself sent to its group is not.
 */
static void pass_on(pid_t child, const siginfo_t *info)
{
	if (info->si_code == SI_KERNEL || info->si_pid == child)
		return;
	kill(child, info->si_signo);
}

/*
 * The child was stopped. If the terminal did it (^Z, or reading in the background), then
 * the shell waits to see us stopped, and will continue the whole group. After a SIGSTOP for
 * the child alone we go on: nothing would continue us. Returns whether we stopped.
 */
static bool stop_with(int signal)
{
	if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
		return false;
	kill(getpid(), SIGSTOP);
	return true;
}

/*
 * Was the SIGCONT that ended our common stop meant for the group, and has it arrived?
 *
 * waitid(2) reports the stops of a traced child whatever it is asked for. One that is reported
 * here means that the child goes on, too: a stopped process stops anew only after a SIGCONT.
 * WNOWAIT leaves the stop to look_at_children(); without that nothing would ever end it.
 */
static bool was_continued(pid_t child)
{
	siginfo_t info = {.si_pid = 0};

	return !waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOHANG | WNOWAIT) &&
	       info.si_pid == child;
}

/*
 * Everything that waitpid(2) reports for now. Returns true when the child has ended. In a tree
 * that starts processes by the hundred this may take long, so it ends when the next update is
 * due; the signal that says there is more is raised again.
 */
static bool look_at_children(pid_t child, struct follow *follow,
			     const struct timespec *deadline, int *status, bool *stopped)
{
	for (;;) {
		/* A process that we no longer trace is an ordinary child. */
		bool traced = follow && !follow->left;
		int flags = traced ? WNOHANG | __WALL : WNOHANG | WUNTRACED, stop;
		pid_t pid = waitpid(traced ? -1 : child, status, flags);

		if (pid <= 0)
			return false;
		stop = WIFSTOPPED(*status) ? WSTOPSIG(*status) : 0;
		if (traced)
			stop = follow_event(follow, pid, status);
		if (pid == child && !WIFSTOPPED(*status))
			return true;
		if (pid == child)
			*stopped |= stop_with(stop);
		if (follow && deadline_is_due(deadline)) {
			kill(getpid(), SIGCHLD);
			return false;
		}
	}
}

/*
 * The time first: signals can come in such numbers that its turn would never come. Then waits
 * for a signal, or until the next update is due; returns as sigtimedwait(2).
 */
static int keep_time_and_wait(struct timekeeper *tk, struct timespec *deadline, siginfo_t *info)
{
	struct timespec left;
	sigset_t all;

	sigfillset(&all);
	if (deadline_is_due(deadline)) {
		timekeeper_update(tk);
		deadline_next(deadline, timekeeper_period(tk));
	}
	left = deadline_wait(deadline);
	return sigtimedwait(&all, info, &left);
}

int supervise(struct timekeeper *tk, pid_t child, struct follow *follow)
{
	struct timespec deadline = {0, 0};
	bool stopped = false;

	deadline_next(&deadline, timekeeper_period(tk));
	for (;;) {
		siginfo_t info;
		int status, signal = keep_time_and_wait(tk, &deadline, &info);

		if (signal < 0)
			continue;
		if (signal == SIGCHLD) {
			if (look_at_children(child, follow, &deadline, &status, &stopped))
				return status;
		} else if (signal == SIGCONT && stopped) {
			stopped = false;
			if (!was_continued(child))
				pass_on(child, &info);
		} else {
			pass_on(child, &info);
		}
	}
}

void supervise_rest(struct timekeeper *tk, struct follow *follow)
{
	struct timespec deadline = {0, 0};
	unsigned turns = 0;

	deadline_next(&deadline, timekeeper_period(tk));
	for (;;) {
		bool stopped = false;
		siginfo_t info;
		int status, signal;

		/* Only now and then: it reads of every process that there is. */
		if (turns++ % LOOK_FOR_REST == 0 && !follow_any_left())
			return;
		signal = keep_time_and_wait(tk, &deadline, &info);
		if (signal == SIGCHLD)
			look_at_children(-1, follow, &deadline, &status, &stopped);
		else if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
			 signal == SIGQUIT)
			return;
	}
}

void die_like(int wait_status)
{
	if (WIFSIGNALED(wait_status)) {
		int signal = WTERMSIG(wait_status);
		struct sigaction plain = {.sa_handler = SIG_DFL};
		struct rlimit none = {0, 0};
		sigset_t set;

		/* The child has left a core dump if one was wanted. */
		setrlimit(RLIMIT_CORE, &none);
		sigaction(signal, &plain, NULL);
		sigemptyset(&set);
		sigaddset(&set, signal);
		kill(getpid(), signal);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	_exit(WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
				       : WEXITSTATUS(wait_status));
}
