/*
 * request.h - the request of `uvdso clock` to the tracer of a tree, and the answer (desk.h).
 */
#ifndef KERNEL_CLOCK_REQUEST_H
#define KERNEL_CLOCK_REQUEST_H

#include <stdbool.h>

#include "kernel/clock/control.h"
#include "kernel/clock/wish.h"

/* Both ends are of the same build, or refuse each other. */
#define CLOCK_REQUEST_VERSION 1

struct clock_request {
	u32 version;
	struct clock_wish wish; /* empty if the clocks are only to be shown */
};

struct clock_reply {
	u32 version;
	int err; /* 0 or -errno; then why says more */
	struct own_clocks clocks;
	struct clock_now now; /* the kernel's clocks at the time of the answer */
	char why[200];
};

#endif
