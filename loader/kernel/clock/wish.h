/*
 * wish.h - what a user asks of the clocks: an offset, a moment, a rate.
 */
#ifndef KERNEL_CLOCK_WISH_H
#define KERNEL_CLOCK_WISH_H

#include <stdbool.h>

#include "kernel/clock/control.h"

/* "realtime", ... as users write them. */
extern const char *const timens_clock_name[TIMENS_CLOCKS];

/*
 * A moment and a rate are for REALTIME and TAI, which keep their distance. Zeroed: nothing is
 * asked for. All times in ns.
 */
struct clock_wish {
	s64 offset[TIMENS_CLOCKS]; /* from the kernel's clock */
	bool has_offset[TIMENS_CLOCKS];
	bool has_moment, has_rate;
	bool rate_all; /* the rate is for all clocks */
	s64 moment;    /* REALTIME shows it at first; then its offset counts for nothing */
	u64 rate;      /* as in struct clock_map */
};

/*
 * What the kernel's clocks show; and what is to be added to that first. MONOTONIC_RAW is as far
 * ahead as MONOTONIC.
 */
struct clock_now {
	s64 ns[TIMENS_CLOCKS], ahead[TIMENS_CLOCKS], raw;
};

/*
 * Reads "CLOCK=+N", "CLOCK=-1.5d" and the like: seconds, or minutes, hours, days. Returns NULL,
 * or a sentence that says what is wrong with the text.
 */
const char *clock_wish_offset(const char *text, struct clock_wish *wish);

/* For a wish that another process has sent: is it one that a user could have? */
bool clock_wish_is_valid(const struct clock_wish *wish);

/* Nothing is asked for. */
bool clock_wish_says_nothing(const struct clock_wish *wish);

/* It changes how fast clocks are, and not the time that they show now. */
bool clock_wish_only_rate(const struct clock_wish *wish);

/* The rate that is asked for is for that clock, too (enum timens_clock). */
bool clock_wish_rates(const struct clock_wish *wish, int clock);

/* It is about MONOTONIC or BOOTTIME. */
bool clock_wish_is_steady(const struct clock_wish *wish);

/* No clock shows anything but the kernel's time. */
bool clock_wish_is_none(const struct clock_wish *wish);

/* The clocks that are asked for, from now on. */
void clock_wish_start(const struct clock_wish *wish, const struct clock_now *now,
		      struct own_clocks *clocks);

/*
 * Would a clock be negative at first, or beyond what the kernel can represent
 * (CLOCK_LATEST_NS)? Returns NULL if not, else a sentence, in static storage.
 */
const char *clock_wish_check(const struct clock_wish *wish, const struct clock_now *now);

/*
 * The same for clocks that run already: a clock that is not named goes on as before, and one
 * that only gets a rate does not jump. MONOTONIC and BOOTTIME may not be set back;
 * MONOTONIC_RAW is set forward by as much as MONOTONIC is.
 */
void clock_wish_change(const struct clock_wish *wish, const struct clock_now *now,
		       struct own_clocks *clocks);
const char *clock_wish_check_change(const struct clock_wish *wish, const struct clock_now *now,
				    const struct own_clocks *clocks);

#endif
