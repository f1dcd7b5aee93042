/*
 * shown_line.c - see shown_line.h. In 128 bits: a time of the year 2262 in parts of a
 * nanosecond, at a thousand times its rate, has more than 64.
 */
#include "shown_line.h"

typedef unsigned __int128 u128;

struct shown_line shown_line(const struct timeline *kernel, s64 ahead,
			     const struct clock_map *map)
{
	/* course: begin 17-own-clock */
	u64 ns = kernel->ns + (u64)(ahead - map->kernel_ns);
	u128 since = (u128)ns << kernel->shift | kernel->frac;
	u128 shown = since * map->rate / CLOCK_RATE_ONE;
	u128 mult = (u128)kernel->mult * map->rate / CLOCK_RATE_ONE;
	u32 shift = kernel->shift;

	for (; mult > UINT32_MAX; shift--) {
		mult >>= 1;
		shown >>= 1;
	}
	return (struct shown_line){
		.ns = (u64)map->shown_ns + (u64)(shown >> shift),
		.frac = (u64)shown & ((1ull << shift) - 1),
		.mult = (u32)mult,
		.shift = shift,
	};
	/* course: end 17-own-clock */
}

struct clock_map other_rate(const struct timeline *kernel, s64 ahead,
			    const struct clock_map *map, u64 rate)
{
	/* course: begin 17b-rate */
	struct shown_line line = shown_line(kernel, ahead, map);

	return clock_map_from((s64)kernel->ns + ahead, (s64)line.ns, rate);
	/* course: end 17b-rate */
}
