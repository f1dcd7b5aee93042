/*
 * deadline.c - see deadline.h.
 */
#include "kernel/time/deadline.h"
#include "kernel/time/sampler.h"
#include "kernel/time/timeline.h"

void deadline_next(struct timespec *deadline, u64 period_ns)
{
	u64 now = sampler_clock(CLOCK_MONOTONIC);
	u64 due = (u64)deadline->tv_sec * NSEC_PER_SEC + (u64)deadline->tv_nsec;

	due += period_ns;
	if (due <= now)
		due = now + period_ns - (now - due) % period_ns;
	deadline->tv_sec = (time_t)(due / NSEC_PER_SEC);
	deadline->tv_nsec = (long)(due % NSEC_PER_SEC);
}

struct timespec deadline_wait(const struct timespec *deadline)
{
	u64 now = sampler_clock(CLOCK_MONOTONIC);
	u64 due = (u64)deadline->tv_sec * NSEC_PER_SEC + (u64)deadline->tv_nsec;
	u64 left = due > now ? due - now : 0;

	if (left > TIMELINE_PERIOD_NS)
		left = TIMELINE_PERIOD_NS;
	return (struct timespec){(time_t)(left / NSEC_PER_SEC), (long)(left % NSEC_PER_SEC)};
}

bool deadline_is_due(const struct timespec *deadline)
{
	struct timespec left = deadline_wait(deadline);

	return left.tv_sec == 0 && left.tv_nsec == 0;
}
