/*
 * deadline.c - when the next update is due, with a clock that the test sets.
 */
#include "kernel/time/deadline.h"
#include "kernel/time/sampler.h"
#include "tap.h"

static u64 now;

/* In the place of sampler.c's. */
u64 sampler_clock(clockid_t clock)
{
	(void)clock;
	return now;
}

static struct timespec at(u64 ns)
{
	return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

static u64 after(u64 deadline, u64 period)
{
	struct timespec next = at(deadline);

	deadline_next(&next, period);
	return (u64)next.tv_sec * 1000000000 + (u64)next.tv_nsec;
}

static bool waits(u64 deadline, time_t sec, long nsec)
{
	struct timespec start = at(deadline), left = deadline_wait(&start);

	return left.tv_sec == sec && left.tv_nsec == nsec;
}

static bool due(u64 deadline)
{
	struct timespec start = at(deadline);

	return deadline_is_due(&start);
}

int main(void)
{
	now = 5000000000;
	is(after(4999999000, 4000000), 5003999000, "the next one is a period after the last");
	is(after(4996000001, 4000000), 5000000001, "... though it is in a nanosecond");
	is(after(4000000000, 4000000), 5004000000, "those that are past are left out");
	is(after(4000000001, 4000000), 5000000001, "... and the rhythm stays");
	is(after(4996000000, 4000000), 5004000000, "one that is due this moment is past");
	cmp_ok(after(0, 4000000), >, now, "zero is long ago");
	cmp_ok(after(0, 4000000), <=, now + 4000000, "... and the next one is soon");

	ok(waits(5003999999, 0, 3999999), "how long it is until then, in nanoseconds");
	if (!ok(waits(7000000001, 0, 4000000), "... and never longer than the longest period"))
		because("a clock that has failed once would keep the timekeeper waiting");
	ok(waits(5000000000, 0, 0) && waits(4999999999, 0, 0),
	   "what is past is not waited for");
	ok(due(5000000000) && due(4000000000), "it is due from that nanosecond on");
	ok(!due(5000000001), "... and not before");
	ok(!due(6000000000), "a whole second before it is not, either");
	return done_testing();
}
