/*
 * clock_map.c - see clock_map.h.
 */
#include "kernel/clock/clock_map.h"

/* Wide enough for a distance of 2^64 ns at the highest rate. */
typedef __int128 wide;

/* a * b / c, towards minus infinity. */
static wide scale(wide a, wide b, wide c)
{
	wide product = a * b, quotient = product / c;

	return quotient - (product % c < 0);
}

static s64 clamp(wide ns)
{
	return ns < 0 ? 0 : ns > CLOCK_LATEST_NS ? CLOCK_LATEST_NS : (s64)ns;
}

struct clock_map clock_map_shift(s64 ns)
{
	return (struct clock_map){.shown_ns = ns, .rate = CLOCK_RATE_ONE};
}

struct clock_map clock_map_from(s64 now, s64 shown_ns, u64 rate)
{
	return (struct clock_map){.kernel_ns = now, .shown_ns = shown_ns, .rate = rate};
}

bool clock_map_is_none(const struct clock_map *map)
{
	return map->rate == CLOCK_RATE_ONE && map->shown_ns == map->kernel_ns;
}

s64 clock_map_shown(const struct clock_map *map, s64 kernel_ns)
{
	return clamp(map->shown_ns +
		     scale((wide)kernel_ns - map->kernel_ns, map->rate, CLOCK_RATE_ONE));
}

s64 clock_map_kernel(const struct clock_map *map, s64 shown_ns)
{
	wide ahead = (wide)shown_ns - map->shown_ns;

	if (!map->rate)
		return ahead > 0 ? CLOCK_LATEST_NS : 0;
	return clamp(map->kernel_ns - scale(-ahead, CLOCK_RATE_ONE, map->rate));
}

s64 clock_map_wait(const struct clock_map *map, s64 ns)
{
	if (!map->rate)
		return ns > 0 ? CLOCK_LATEST_NS : 0;
	return clamp(-scale(-(wide)ns, CLOCK_RATE_ONE, map->rate));
}

s64 clock_map_left(const struct clock_map *map, s64 kernel_ns)
{
	return clamp(scale(kernel_ns, map->rate, CLOCK_RATE_ONE));
}
