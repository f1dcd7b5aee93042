/*
 * supervise.c - see supervise.h.
 *
 * One loop and one thing to wait for: sigwaitinfo(2) returns a signal, with its sender. Nothing
 * runs asynchronously.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/wait.h"
#include "kernel/run/supervise.h"

/* How many turns of the loop between two searches for traced processes that are left. */
#define LOOK_FOR_REST 16

/* How long a turn of a loop takes that no signal wakes. */
#define LOOK_NS 4000000

/* The terminal has gone: nobody waits for what the program has left behind. */
static bool hung_up;

/*
 * The terminal signals a whole process group, us and the program (si_code SI_KERNEL):
 * passing that on would deliver it twice. Only its hangup goes to the leader of the session
 * alone. A kill(2) of our process id is meant for the program, with its value if it has one.
 * What the program itself sent to its group is not.
 */
static void pass_on(pid_t child, siginfo_t *info)
{
	bool hangup = (info->si_signo == SIGHUP || info->si_signo == SIGCONT) &&
		      getsid(0) == getpid();

	hung_up |= hangup && info->si_code == SI_KERNEL;
	if ((info->si_code == SI_KERNEL && !hangup) || info->si_pid == child)
		return;
	/* The kernel lets nobody pretend that a signal of its own, or a plain kill(2), came. */
	if (info->si_code >= 0 || syscall(SYS_rt_sigqueueinfo, child, info->si_signo, info))
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
 * Everything that waitpid(2) reports for now. Returns true when the child has ended, or when
 * only our own end helps.
 */
static bool look_at_children(pid_t child, struct follow *follow, int *status, bool *stopped)
{
	pid_t pid;

	while ((pid = wait_for(-1, status, WNOHANG | __WALL)) > 0) {
		int stop = follow_event(follow, pid, status);

		if (follow->stuck) {
			*status = follow->started ? SIGKILL : ERROR_SELF << 8;
			return true;
		}
		if (pid == child && !WIFSTOPPED(*status))
			return true;
		if (pid == child)
			*stopped |= stop_with(stop);
	}
	return false;
}

int supervise(pid_t child, struct follow *follow)
{
	bool stopped = false;
	sigset_t all;

	sigfillset(&all);
	/* To the end of the child. */
	for (;;) {
		siginfo_t info = {.si_code = 1};
		int status, signal = sigwaitinfo(&all, &info);

		/* Nothing tells: it is looked for. Each signal comes after the next look. */
		if (signal < 0) {
			pause_ns(LOOK_NS);
			signal = SIGCHLD;
		}
		/* One that somebody has sent may also stand for one of the kernel's. */
		if (signal == SIGCHLD && look_at_children(child, follow, &status, &stopped))
			return status;
		if (signal == SIGCHLD && info.si_code > 0)
			continue;
		if (signal == SIGCONT && stopped) {
			stopped = false;
			if (!was_continued(child))
				pass_on(child, &info);
		} else {
			pass_on(child, &info);
		}
	}
}

void supervise_rest(struct follow *follow)
{
	static const struct timespec pause = {0, LOOK_NS};
	sigset_t all;

	sigfillset(&all);
	/* Only now and then: it reads of every process that there is. */
	for (unsigned turns = 0;
	     !hung_up && !follow->stuck && (turns % LOOK_FOR_REST || follow_any_left());
	     turns++) {
		bool stopped = false;
		siginfo_t info;
		int status, signal = sigtimedwait(&all, &info, &pause);

		if (signal < 0 && errno != EAGAIN)
			pause_ns(LOOK_NS);
		/*
		 * Also without a SIGCHLD: that of a process that is stopped may have been taken
		 * together with the one that told of the child's end.
		 */
		look_at_children(-1, follow, &status, &stopped);
		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
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
