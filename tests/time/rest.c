/*
 * rest.c - waits of timekeeper and watchdog that do not wait: a filter denies the calls for it,
 * or has them do nothing. Each case is a child, which may take so much time of a CPU and no
 * more.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/keep/rest.h"
#include "tap.h"

#define WAIT_NS     2000000
#define CPU_SECONDS 10

enum { ORDINARY = 1, BROKEN = 2, EVENTS = 4, EARLY = 8 };

static int denied(int nr, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Waits until it is known that none is one, with an end of a pipe that has something, or not.
 */
static int waits(int end, int turns)
{
	struct rest rest = {0};
	int got = 0;

	for (int turn = 1; turn <= turns && !rest_is_broken(&rest); turn++) {
		struct pollfd event = {.fd = end, .events = POLLIN};

		if (rest_poll(&rest, &event, 1, WAIT_NS) > 0)
			got |= EVENTS;
		if (sched_getscheduler(0) == (SCHED_OTHER | SCHED_RESET_ON_FORK)) {
			if (turn < RESTS_ORDINARY)
				got |= EARLY;
			got |= ORDINARY;
		}
	}
	return got | (rest_is_broken(&rest) ? BROKEN : 0);
}

/* In a child with the highest priority that it may have, where all of NR fail, or return 0. */
static int outcome(int error, const int *nr, int ready, int turns)
{
	struct rlimit limit = {CPU_SECONDS, CPU_SECONDS};
	struct sched_param first = {.sched_priority = 1};
	pid_t child = fork();
	int status, pipe_of[2];

	if (child == 0) {
		if (pipe(pipe_of) || setrlimit(RLIMIT_CPU, &limit) ||
		    (ready && write(pipe_of[1], "", 1) != 1))
			_exit(99);
		sched_setscheduler(0, SCHED_FIFO, &first);
		for (; *nr >= 0; nr++)
			if (denied(*nr, error))
				_exit(99);
		_exit(waits(pipe_of[0], turns));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Only one ppoll(2) waits: that of no descriptors, but with an address for them. */
static bool denied_with_events(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ||
	       denied(SYS_nanosleep, EPERM) || denied(SYS_clock_nanosleep, EPERM);
}

/* One call less than would count fails, one waits, and as many fail again. In a child. */
static int forgiven(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct pollfd event = {.fd = -1};
		struct rest rest = {0};

		if (denied_with_events())
			_exit(99);
		for (int turn = 1; turn < 2 * RESTS_ORDINARY; turn++)
			rest_poll(&rest, &event, turn != RESTS_ORDINARY, WAIT_NS);
		_exit(sched_getscheduler(0) == (SCHED_OTHER | SCHED_RESET_ON_FORK) ? ORDINARY
										   : 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define ALL                                                       \
	(const int[])                                             \
	{                                                         \
		SYS_ppoll, SYS_nanosleep, SYS_clock_nanosleep, -1 \
	}

int main(void)
{
	is(outcome(0, ALL, 0, 10000), ORDINARY | BROKEN,
	   "calls that do not wait: an ordinary priority, and then the end");
	is(outcome(EPERM, ALL, 0, 10000), ORDINARY | BROKEN, "calls that are denied: the same");
	is(outcome(EPERM, (const int[]){SYS_ppoll, -1}, 0, RESTS_ORDINARY + 1), 0,
	   "ppoll alone is denied: another call waits");
	is(outcome(0, (const int[]){SYS_ppoll, -1}, 0, RESTS_ORDINARY + 1), 0,
	   "ppoll alone returns at once: the same");
	is(outcome(0, (const int[]){-1}, 0, RESTS_ORDINARY + 1), 0, "waits: nothing of that");
	is(forgiven(), 0, "calls that do not wait count in a row alone");
	is(outcome(0, (const int[]){-1}, 1, 10000), EVENTS,
	   "events that come at once: neither");
	is(outcome(EPERM,
		   (const int[]){SYS_ppoll, SYS_nanosleep, SYS_clock_nanosleep,
				 SYS_sched_setscheduler, -1},
		   0, RESTS_ORDINARY),
	   BROKEN, "the priority cannot be given up: the end comes at once");
	return done_testing();
}
