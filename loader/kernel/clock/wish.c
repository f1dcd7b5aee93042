/*
 * wish.c - see wish.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/clock/wish.h"

#define SECOND_NS 1000000000ll

const char *const timens_clock_name[TIMENS_CLOCKS] = {"realtime", "monotonic", "boottime",
						      "tai"};

/*
 * As from a decimal fraction of a second, "25" for 0.25; digits below a nanosecond are dropped.
 */
static const char *read_fraction(const char *digits, s64 *ns)
{
	s64 place = SECOND_NS / 10;

	for (*ns = 0; *digits >= '0' && *digits <= '9'; digits++, place /= 10)
		*ns += (*digits - '0') * place;
	return digits;
}

/* "12", "1.5": a number without a sign, in ns. Returns what comes after it, or NULL. */
static const char *read_number(const char *text, s64 *ns, bool *too_large)
{
	s64 fraction = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ns = strtoll(text, &end, 10);
	text = end;
	if (*text == '.') {
		if (text[1] < '0' || text[1] > '9')
			return NULL;
		text = read_fraction(text + 1, &fraction);
	}
	*too_large = errno || __builtin_mul_overflow(*ns, SECOND_NS, ns) ||
		     __builtin_add_overflow(*ns, fraction, ns);
	return text;
}

const char *clock_wish_offset(const char *text, struct clock_wish *wish)
{
	static const struct {
		char suffix;
		s64 seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t length = strcspn(text, "=");
	int clock = 0;
	bool back, too_large;
	s64 ns;

	while (clock < TIMENS_CLOCKS && (strncmp(text, timens_clock_name[clock], length) ||
					 timens_clock_name[clock][length]))
		clock++;
	if (clock == TIMENS_CLOCKS || !text[length])
		return "an offset is CLOCK=+N or CLOCK=-N, with realtime, monotonic, boottime "
		       "or tai for CLOCK";
	text += length + 1;
	/* The sign is required: without one it would look like a time to be set. */
	back = *text == '-';
	text = back || *text == '+' ? read_number(text + 1, &ns, &too_large) : NULL;
	if (!text)
		return "an offset needs a sign and a number, like +3600, -2d or +1.5h";
	if (*text) {
		size_t i = 0;

		while (i < 4 && units[i].suffix != *text)
			i++;
		if (i == 4 || text[1])
			return "the unit of an offset is s, m, h or d";
		too_large |= __builtin_mul_overflow(ns, units[i].seconds, &ns);
	}
	if (too_large)
		return "the offset is too large for any clock";
	wish->offset[clock] = back ? -ns : ns;
	wish->has_offset[clock] = true;
	return NULL;
}

/* Another process has sent the byte, and it may be anything. */
static bool is_bool(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, 1);
	return byte <= 1;
}

bool clock_wish_is_valid(const struct clock_wish *wish)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (!is_bool(&wish->has_offset[i]))
			return false;
	if (!is_bool(&wish->has_moment) || !is_bool(&wish->has_rate) ||
	    !is_bool(&wish->rate_all))
		return false;
	return !wish->rate || (wish->rate >= CLOCK_RATE_MIN && wish->rate <= CLOCK_RATE_MAX);
}

bool clock_wish_says_nothing(const struct clock_wish *wish)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (wish->has_offset[i])
			return false;
	return !wish->has_moment && !wish->has_rate;
}

bool clock_wish_only_rate(const struct clock_wish *wish)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (wish->has_offset[i])
			return false;
	return !wish->has_moment && wish->has_rate;
}

bool clock_wish_is_steady(const struct clock_wish *wish)
{
	return wish->rate_all || wish->has_offset[TIMENS_MONOTONIC] ||
	       wish->has_offset[TIMENS_BOOTTIME];
}

bool clock_wish_is_none(const struct clock_wish *wish)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (wish->offset[i])
			return false;
	return !wish->has_moment && !wish->has_rate;
}

static bool is_wall(int clock)
{
	return clock == TIMENS_REALTIME || clock == TIMENS_TAI;
}

bool clock_wish_rates(const struct clock_wish *wish, int clock)
{
	return wish->has_rate && (is_wall(clock) || wish->rate_all);
}

/* Saturates: a sum that is too large stays so, and the check refuses it. */
static s64 add(s64 a, s64 b)
{
	s64 sum;

	return __builtin_add_overflow(a, b, &sum) ? b < 0 ? INT64_MIN : INT64_MAX : sum;
}

/* What a clock is to show now. */
static s64 wished(const struct clock_wish *wish, const struct clock_now *now, int clock)
{
	s64 here = now->ns[clock] + now->ahead[clock];

	if (!wish->has_moment || !is_wall(clock))
		return add(here, wish->offset[clock]);
	if (clock == TIMENS_REALTIME)
		return wish->moment;
	here -= now->ns[TIMENS_REALTIME] + now->ahead[TIMENS_REALTIME];
	return add(add(wish->moment, here), wish->offset[clock]);
}

/* From the kernel's time now on it shows then. */
static struct clock_map map_from(s64 now, s64 then, u64 rate)
{
	return rate == CLOCK_RATE_ONE ? clock_map_shift(add(then, -now))
				      : clock_map_from(now, then, rate);
}

void clock_wish_start(const struct clock_wish *wish, const struct clock_now *now,
		      struct own_clocks *clocks)
{
	s64 raw = now->raw + now->ahead[TIMENS_MONOTONIC];

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		clocks->map[i] =
			map_from(now->ns[i], wished(wish, now, i),
				 clock_wish_rates(wish, i) ? wish->rate : CLOCK_RATE_ONE);
	clocks->raw = map_from(now->raw, add(raw, wish->offset[TIMENS_MONOTONIC]),
			       clocks->map[TIMENS_MONOTONIC].rate);
}

/* "-86400 s (1969-12-31 00:00:00 UTC)": only a wall clock has a date. */
static const char *words(int clock, s64 ns, char *text, size_t size)
{
	time_t seconds = (time_t)(ns / SECOND_NS);
	size_t length = (size_t)snprintf(text, size, "%lld s", (long long)seconds);
	struct tm tm;

	if (is_wall(clock) && gmtime_r(&seconds, &tm))
		strftime(text + length, size - length,
			 clock == TIMENS_TAI ? " (%F %T TAI)" : " (%F %T UTC)", &tm);
	return text;
}

/* A sentence if no clock can show that time, or NULL. */
static const char *check(int clock, s64 was, s64 then)
{
	static char why[200];
	char now[64], later[64];

	if (then >= 0 && then < CLOCK_LATEST_NS / SECOND_NS * SECOND_NS)
		return NULL;
	snprintf(why, sizeof(why),
		 "%s is %s now and would become %s; a clock is between 0 and %lld s",
		 timens_clock_name[clock], words(clock, was, now, sizeof(now)),
		 words(clock, then, later, sizeof(later)), CLOCK_LATEST_NS / SECOND_NS);
	return why;
}

const char *clock_wish_check(const struct clock_wish *wish, const struct clock_now *now)
{
	const char *why = NULL;

	for (int i = 0; i < TIMENS_CLOCKS && !why; i++)
		if (now->ns[i])
			why = check(i, now->ns[i] + now->ahead[i], wished(wish, now, i));
	return why;
}

static s64 shown(const struct own_clocks *clocks, const struct clock_now *now, int clock)
{
	return clock_map_shown(&clocks->map[clock], now->ns[clock]);
}

/* What a clock that runs is to show now. */
static s64 wished_of(const struct clock_wish *wish, const struct clock_now *now,
		     const struct own_clocks *clocks, int clock)
{
	s64 distance;

	if (wish->has_moment && clock == TIMENS_REALTIME)
		return wish->moment;
	if (wish->has_offset[clock])
		return add(now->ns[clock] + now->ahead[clock], wish->offset[clock]);
	if (!wish->has_moment || !is_wall(clock))
		return shown(clocks, now, clock);
	distance = shown(clocks, now, TIMENS_TAI) - shown(clocks, now, TIMENS_REALTIME);
	return add(wish->moment, distance);
}

void clock_wish_change(const struct clock_wish *wish, const struct clock_now *now,
		       struct own_clocks *clocks)
{
	const struct own_clocks before = *clocks;
	s64 step = add(wished_of(wish, now, &before, TIMENS_MONOTONIC),
		       -shown(&before, now, TIMENS_MONOTONIC));

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		clocks->map[i] =
			map_from(now->ns[i], wished_of(wish, now, &before, i),
				 clock_wish_rates(wish, i) ? wish->rate : before.map[i].rate);
	clocks->raw = map_from(now->raw, add(clock_map_shown(&before.raw, now->raw), step),
			       clocks->map[TIMENS_MONOTONIC].rate);
}

/* MONOTONIC and BOOTTIME never go back: programs rely on that. */
static const char *check_step(int clock, s64 was, s64 then)
{
	static char why[160];
	const char *wrong = check(clock, was, then);

	if (wrong || is_wall(clock) || then >= was)
		return wrong;
	snprintf(why, sizeof(why),
		 "%s is %lld s now and would become %lld s; it never goes back",
		 timens_clock_name[clock], (long long)(was / SECOND_NS),
		 (long long)(then / SECOND_NS));
	return why;
}

const char *clock_wish_check_change(const struct clock_wish *wish, const struct clock_now *now,
				    const struct own_clocks *clocks)
{
	const char *why = NULL;

	for (int i = 0; i < TIMENS_CLOCKS && !why; i++)
		if (now->ns[i])
			why = check_step(i, shown(clocks, now, i),
					 wished_of(wish, now, clocks, i));
	return why;
}
