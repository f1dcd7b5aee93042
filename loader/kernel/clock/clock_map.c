/*
 * clock_map.c - see clock_map.h. All is done in 64 bits, which every machine has. A value that
 * does not fit is beyond the end of time on its side, and so is the result.
 */
#include <string.h>
#include <vdso/clocks.h>

#include "kernel/clock/clock_map.h"

#define ONE ((s64)CLOCK_RATE_ONE)

/* These two stand for all numbers that are too large, or too small. */
static bool is_beyond(s64 ns)
{
	return ns == INT64_MAX || ns == INT64_MIN;
}

static s64 add(s64 a, s64 b)
{
	s64 sum;

	if (is_beyond(b))
		return b;
	return __builtin_add_overflow(a, b, &sum) ? b < 0 ? INT64_MIN : INT64_MAX : sum;
}

static s64 subtract(s64 a, s64 b)
{
	return add(a, b == INT64_MIN ? INT64_MAX : b == INT64_MAX ? INT64_MIN : -b);
}

static s64 multiply(s64 a, s64 b)
{
	s64 product;

	return __builtin_mul_overflow(a, b, &product)
		       ? (a < 0) != (b < 0) ? INT64_MIN : INT64_MAX
		       : product;
}

/* Both parts of a division towards minus infinity: the rest is never negative. */
static s64 divide(s64 a, s64 by, s64 *rest)
{
	s64 quotient = a / by;

	*rest = a % by;
	if (*rest < 0) {
		*rest += by;
		quotient--;
	}
	return quotient;
}

/* ns * rate / ONE, rounded down. Each factor is split into whole seconds and a remainder. */
static s64 to_shown(s64 ns, u64 rate)
{
	s64 rest, times = (s64)rate / ONE, part = (s64)rate % ONE;
	s64 seconds = divide(ns, ONE, &rest);

	return add(multiply(seconds, (s64)rate), rest * times + rest * part / ONE);
}

/*
 * ns * ONE / rate, rounded down, in two steps: a remainder may be as large as the highest rate.
 */
static s64 to_kernel(s64 ns, u64 rate)
{
	s64 rest, by = (s64)rate;
	s64 whole = divide(ns, by, &rest), first;

	first = divide(rest * 100000, by, &rest);
	return add(multiply(whole, ONE), first * 10000 + rest * 10000 / by);
}

static s64 not_negative(s64 ns)
{
	return ns < 0 ? 0 : ns;
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
	s64 since = to_shown(subtract(kernel_ns, map->kernel_ns), map->rate);

	return not_negative(add(map->shown_ns, since));
}

/*
 * The product is taken apart as in to_shown(). All of it that is below a nanosecond is divided
 * in one go: rounded down twice, it could come out one part too small.
 */
s64 clock_map_shown_parts(const struct clock_map *map, s64 kernel_ns, u64 *frac, u32 shift)
{
	u64 times = map->rate / CLOCK_RATE_ONE, part = map->rate % CLOCK_RATE_ONE;
	u64 parts, left;
	s64 rest, shown;

	divide(subtract(kernel_ns, map->kernel_ns), ONE, &rest);
	left = (u64)rest * part % CLOCK_RATE_ONE;
	parts = *frac * times + ((left << shift) + *frac * part) / CLOCK_RATE_ONE;
	shown = to_shown(subtract(kernel_ns, map->kernel_ns), map->rate);
	shown = add(add(map->shown_ns, shown), (s64)(parts >> shift));
	*frac = shown < 0 || shown == CLOCK_LATEST_NS ? 0 : parts & ((1ull << shift) - 1);
	return not_negative(shown);
}

/* course: begin 17c-deadline */
s64 clock_map_kernel(const struct clock_map *map, s64 shown_ns)
{
	s64 until = subtract(map->shown_ns, shown_ns);

	/* A clock before its beginning shows that, too. */
	if (shown_ns <= 0)
		return 0;
	if (!map->rate)
		return until < 0 ? subtract(CLOCK_NEVER_NS, until) : 0;
	return not_negative(subtract(map->kernel_ns, to_kernel(until, map->rate)));
}

s64 clock_map_deadline(const struct clock_map *map, s64 kernel_ns)
{
	if (!map->rate && kernel_ns >= CLOCK_NEVER_NS)
		return not_negative(add(map->shown_ns, kernel_ns - CLOCK_NEVER_NS));
	return clock_map_shown(map, kernel_ns);
}
/* course: end 17c-deadline */

s64 clock_map_wait(const struct clock_map *map, s64 ns)
{
	if (!map->rate)
		return ns > 0 ? CLOCK_LATEST_NS : 0;
	return not_negative(subtract(0, to_kernel(subtract(0, ns), map->rate)));
}

s64 clock_map_left(const struct clock_map *map, s64 kernel_ns)
{
	return not_negative(to_shown(kernel_ns, map->rate));
}

static const int belongs_to[VDSO_BASES] = {
	[VDSO_CLOCK_REALTIME] = TIMENS_REALTIME,
	[VDSO_CLOCK_MONOTONIC] = TIMENS_MONOTONIC,
	[2] = -1, /* CPU time of the process */
	[3] = -1, /* CPU time of the thread */
	[VDSO_CLOCK_MONOTONIC_RAW] = TIMENS_MONOTONIC,
	[VDSO_CLOCK_REALTIME_COARSE] = TIMENS_REALTIME,
	[VDSO_CLOCK_MONOTONIC_COARSE] = TIMENS_MONOTONIC,
	[VDSO_CLOCK_BOOTTIME] = TIMENS_BOOTTIME,
	[VDSO_CLOCK_REALTIME_ALARM] = TIMENS_REALTIME,
	[VDSO_CLOCK_BOOTTIME_ALARM] = TIMENS_BOOTTIME,
	[10] = -1, /* was a clock once */
	[VDSO_CLOCK_TAI] = TIMENS_TAI,
};

int timens_clock_of(s64 id)
{
	return id >= 0 && id < VDSO_BASES ? belongs_to[id] : -1;
}

const struct clock_map *own_clocks_map(const struct own_clocks *clocks, s64 id)
{
	return id == VDSO_CLOCK_MONOTONIC_RAW ? &clocks->raw
					      : &clocks->map[timens_clock_of(id)];
}

bool own_clocks_agree(const struct own_clocks *a, const struct own_clocks *b)
{
	return !memcmp(a->map, b->map, sizeof(a->map)) &&
	       !memcmp(&a->raw, &b->raw, sizeof(a->raw));
}
