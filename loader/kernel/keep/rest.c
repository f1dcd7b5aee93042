/*
 * rest.c - see rest.h. Safe in a signal handler, as what calls it must be.
 */
#include <sched.h>
#include <time.h>

#include "kernel/base/wait.h"
#include "kernel/keep/rest.h"
#include "kernel/time/sampler.h"

/* Where that is denied, too, nothing is left to try. */
static void become_ordinary(struct rest *rest)
{
	static const struct sched_param none = {0};

	if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none))
		rest->failed = RESTS_MAX;
}

static void note(struct rest *rest, bool failed)
{
	if (!failed) {
		rest->failed = 0;
		return;
	}
	if (rest->failed < RESTS_MAX)
		rest->failed++;
	if (rest->failed == RESTS_ORDINARY)
		become_ordinary(rest);
}

int rest_poll(struct rest *rest, struct pollfd *events, unsigned count, unsigned long ns)
{
	struct timespec wait = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	u64 begun = sampler_clock(CLOCK_MONOTONIC), took;
	int ready = ppoll(events, count, &wait, NULL);
	bool slept = true, event = false;

	for (unsigned i = 0; ready > 0 && i < count; i++)
		event |= events[i].revents != 0;
	if (event)
		return ready;
	if (!ns)
		return ready < 0 ? ready : 0;
	/* Not by a signal: they are all blocked. */
	took = sampler_clock(CLOCK_MONOTONIC) - begun;
	if (ready >= 0 && took < ns / 2)
		ready = -1;
	if (ready < 0) {
		slept = pause_ns(took < ns ? ns - took : 0);
		took = sampler_clock(CLOCK_MONOTONIC) - begun;
	}
	note(rest, !slept || took < ns / 2);
	return ready < 0 ? ready : 0;
}
