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
	is(outcome(0, (const int[]){-1}, 1, 10000), EVENTS,
	   "events that come at once: neither");
	is(outcome(EPERM,
		   (const int[]){SYS_ppoll, SYS_nanosleep, SYS_clock_nanosleep,
				 SYS_sched_setscheduler, -1},
		   0, RESTS_ORDINARY),
	   BROKEN, "the priority cannot be given up: the end comes at once");
	return done_testing();
}
