/*
 * shown_line.h - the line of a clock of one's own, from the line of the kernel's.
 *
 * A clock on the data page is a line: what it shows at counter value cycle_last, and mult and
 * shift (timeline.h). A clock of one's own is a function of the kernel's (clock_map.h), and
 * that is a line as well. So is the one of the other.
 *
 * Pure: no clock is read here.
 */
#ifndef SHOWN_LINE_H
#define SHOWN_LINE_H

#include "kernel/clock/clock_map.h"
#include "kernel/time/timeline.h"

/* From the cycle_last of the kernel's line on. The fields are as those of struct timeline. */
struct shown_line {
	u64 ns, frac;
	u32 mult, shift;
};

/*
 * The line of a clock whose kernel's clock is by so many nanoseconds ahead of the timeline.
 * That may not begin before the map does. All is rounded down, so that no line ends ahead of
 * where the next one begins.
 */
struct shown_line shown_line(const struct timeline *kernel, s64 ahead,
			     const struct clock_map *map);

/* The same clock from the beginning of this line on at another rate: without a jump. */
struct clock_map other_rate(const struct timeline *kernel, s64 ahead,
			    const struct clock_map *map, u64 rate);

#endif
