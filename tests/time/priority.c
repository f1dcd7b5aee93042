/*
 * priority.c - the timekeeper gets a CPU, whatever the program does with its own.
 *
 * A real-time program that does not sleep keeps its CPU to itself, and coarse clocks and time()
 * stand still as long as the timekeeper and its watchdog wait for it. So they use all CPUs, and
 * their priority is one step above the caller's, never below. Each case is a child that becomes
 * such a caller.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/time/timekeeper.h"
#include "tap.h"

struct state {
	int policy, priority, cpus, error;
};

static struct state state(void)
{
	struct sched_param param = {0};
	struct state now = {.policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK};
	cpu_set_t cpus;

	sched_getparam(0, &param);
	now.priority = param.sched_priority;
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	now.cpus = CPU_COUNT(&cpus);
	return now;
}

/* A caller of this policy and priority, on one CPU: what its timekeeper has. */
static struct state keeper_of(int policy, int priority)
{
	struct sched_param param = {.sched_priority = priority};
	struct state keeper = {.error = EIO};
	int result[2];
	pid_t child;

	if (pipe(result))
		bail_out("no pipe");
	child = fork();
	if (child == 0) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(sched_getcpu(), &one);
		sched_setaffinity(0, sizeof(one), &one);
		if (sched_setscheduler(0, policy, &param)) {
			keeper.error = errno;
		} else {
			timekeeper_prioritise();
			keeper = state();
		}
		_exit(write(result[1], &keeper, sizeof(keeper)) != sizeof(keeper));
	}
	close(result[1]);
	if (read(result[0], &keeper, sizeof(keeper)) != sizeof(keeper))
		keeper.error = EPIPE;
	close(result[0]);
	waitpid(child, NULL, 0);
	return keeper;
}

static void holds(int policy, int priority, int wanted, const char *what)
{
	struct state keeper = keeper_of(policy, priority);

	if (keeper_of(SCHED_FIFO, 1).error == EPERM) {
		skip(1, "real-time priorities are denied here");
		return;
	}
	if (!ok(!keeper.error && keeper.policy == SCHED_FIFO && keeper.priority == wanted, "%s",
		what))
		diag("policy %d, priority %d; %s", keeper.policy, keeper.priority,
		     strerror(keeper.error));
}

int main(void)
{
	int cpus = state().cpus;
	struct state keeper = keeper_of(SCHED_OTHER, 0);

	ok(!keeper.error && keeper.cpus >= cpus,
	   "a caller on one CPU: the timekeeper has all %d", cpus);
	holds(SCHED_FIFO, 50, 51, "a caller of priority 50: one step above");
	holds(SCHED_RR, 7, 8,
	      "a caller that takes turns at priority 7: one step above, and no turns");
	holds(SCHED_FIFO, 99, 99, "a caller of the highest priority: the same");
	holds(SCHED_OTHER, 0, 1, "a caller of ordinary priority: the lowest one");
	holds(SCHED_IDLE, 0, 1, "a caller in the background: the same");
	return done_testing();
}
