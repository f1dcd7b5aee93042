/*
 * clock_map.h - a clock of one's own: what a program is shown, as a function of the kernel's
 * clock.
 *
 * A shifted clock is the kernel's plus a number. One that has another rate, or stands still,
 * is a line through one point:
 *
 *	shown = shown_ns + (kernel - kernel_ns) * rate / CLOCK_RATE_ONE
 *
 * Everybody who tells a program the time, or takes a time from it, goes by this line: the
 * timekeeper, which writes it to the data pages as base and multiplier; and the tracer, which
 * answers system calls and turns the deadlines that a program asks for into the kernel's.
 *
 * Pure: no clock is read here. All in nanoseconds since the epoch of the clock in question.
 */
#ifndef KERNEL_CLOCK_CLOCK_MAP_H
#define KERNEL_CLOCK_CLOCK_MAP_H

#include <stdbool.h>
#include <vdso/types.h>

/* The clocks that can be changed; all others go with one of them. */
enum timens_clock {
	TIMENS_REALTIME,
	TIMENS_MONOTONIC,
	TIMENS_BOOTTIME,
	TIMENS_TAI,
	TIMENS_CLOCKS,
};

/* The one that a clock id goes with; -1: it is not changed with any. */
int timens_clock_of(s64 id);

/* Rates are in billionths: so many nanoseconds are shown for each second of the kernel's. */
#define CLOCK_RATE_ONE 1000000000ull
#define CLOCK_RATE_MIN (CLOCK_RATE_ONE / 1000)
#define CLOCK_RATE_MAX (CLOCK_RATE_ONE * 1000)

/* No time that the kernel can show is later (KTIME_MAX): the year 2262. */
#define CLOCK_LATEST_NS INT64_MAX

/*
 * Never, in the kernel's time: the year 2200. A wait for a clock that stands still is for this
 * time plus the distance that the clock lacks, so that its deadline can be worked out again.
 */
#define CLOCK_NEVER_NS (7258118400ll * (s64)CLOCK_RATE_ONE)

struct clock_map {
	s64 kernel_ns, shown_ns; /* a point of the line */
	u64 rate;                /* 0: it stands still */
};

/* The kernel's own clock. */
#define CLOCK_MAP_NONE                  \
	{                               \
		.rate = CLOCK_RATE_ONE, \
	}

/* Shifted by ns. */
struct clock_map clock_map_shift(s64 ns);

/* From the kernel's time now on it shows shown_ns, and goes at rate. */
struct clock_map clock_map_from(s64 now, s64 shown_ns, u64 rate);

bool clock_map_is_none(const struct clock_map *map);

/* What it shows, rounded down; from 0 to CLOCK_LATEST_NS, whatever the line says. */
s64 clock_map_shown(const struct clock_map *map, s64 kernel_ns);

/*
 * The same with a fraction of a nanosecond: *frac is that of kernel_ns, and becomes that of the
 * result. Both are << shift, which is 32 at most. Rounded down, exactly.
 */
s64 clock_map_shown_parts(const struct clock_map *map, s64 kernel_ns, u64 *frac, u32 shift);

/*
 * The kernel's time at which it shows shown_ns for the first time, rounded up, so that no wait
 * ends early. For a clock that stands still: 0 if it shows that time already, else
 * CLOCK_NEVER_NS or later.
 */
s64 clock_map_kernel(const struct clock_map *map, s64 shown_ns);

/* The other way: the deadline of a wait that the kernel has as kernel_ns. */
s64 clock_map_deadline(const struct clock_map *map, s64 kernel_ns);

/*
 * How long the kernel must wait for what the program counts as ns, rounded up; CLOCK_LATEST_NS
 * if for ever. And the other way, rounded down, for the time that is left of a wait.
 */
s64 clock_map_wait(const struct clock_map *map, s64 ns);
s64 clock_map_left(const struct clock_map *map, s64 kernel_ns);

/*
 * All clocks of a tree of processes. MONOTONIC_RAW is always changed together with MONOTONIC.
 * But the kernel's two clocks show different times, so it has a line through a point of its
 * own.
 */
struct own_clocks {
	struct clock_map map[TIMENS_CLOCKS], raw;
	bool hold; /* no clock goes back by this change: one that would, stands still */
};

/* The line of a clock id that goes with one of them (timens_clock_of()). */
const struct clock_map *own_clocks_map(const struct own_clocks *clocks, s64 id);

bool own_clocks_agree(const struct own_clocks *a, const struct own_clocks *b);

#endif
