/*
 * rest.h - the waits of timekeeper and watchdog, which must not spin.
 *
 * Both may have a real-time priority. A call that should wait and comes back at once, again and
 * again, then takes a CPU from everybody. Where ppoll(2) fails, or has not waited, nanosleep(2)
 * waits; but filters may deny both, or have them return 0 and do nothing. So the clock decides:
 * a wait has failed if it took less than half of its time, or if it was spent on looking at the
 * clock. One that an event has ended counts neither way.
 *
 *	RESTS_ORDINARY failures in a row	the real-time priority is given up, for good
 *	RESTS_MAX				no wait can be relied on: rest_is_broken()
 *
 * A wait is 4 ms in the timekeeper and 20 ms in the watchdog, so what spins has its priority
 * for 80 ms at most, and what could still be done without waits begins after 5 s at most.
 */
#ifndef KERNEL_KEEP_REST_H
#define KERNEL_KEEP_REST_H

#include <poll.h>
#include <stdbool.h>

#define RESTS_ORDINARY 4
#define RESTS_MAX      250

struct rest {
	unsigned failed; /* so many in a row */
};

/*
 * Like ppoll(2) with no signals. If that fails, or says too early that the time is over, this
 * waits by other means, where there are any, and returns -1: nothing is known of the events.
 */
int rest_poll(struct rest *rest, struct pollfd *events, unsigned count, unsigned long ns);

static inline bool rest_is_broken(const struct rest *rest)
{
	return rest->failed >= RESTS_MAX;
}

#endif
