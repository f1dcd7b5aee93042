/*
 * lengths.c - see lengths.h.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <vdso/once.h>

#include "kernel/ptrace/time/lengths.h"

#define NS_A_MS 1000000

static const struct clock_map *map_of(const struct time_stop *stop)
{
	return &stop->clocks.map[TIMENS_MONOTONIC];
}

static void begin(struct length *length, s64 takes)
{
	length->takes = takes;
	if (kernel_clock(CLOCK_MONOTONIC, &length->begun))
		length->begun = 0;
}

/* Of a timer the interval as well. Nothing is nothing: it does not wait, or is stopped. */
static enum length_kind convert_words(const struct time_stop *stop, struct time_words *words,
				      struct length *length)
{
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time];
	unsigned pairs;

	*words = time_words_of(stop->call->layout, stop->form);
	pairs = words->count / 2;
	if (!at || time_words_read(words, stop->pid, at))
		return LENGTH_AS_IT_IS;
	for (unsigned pair = 0; pair < pairs; pair++) {
		if (!time_words_valid(words, pair))
			return LENGTH_AS_IT_IS;
		length->takes = clock_map_wait(map_of(stop), time_words_ns(words, pair));
		/* Where the parts are microseconds, none would be nothing. */
		if (length->takes && length->takes < (s64)NSEC_PER_SEC / words->parts)
			length->takes = (s64)NSEC_PER_SEC / words->parts;
		time_words_set(words, pair, length->takes);
	}
	return LENGTH_IN_WORDS;
}

/* poll(2) and epoll_wait(2): below zero there is no end. */
static enum length_kind convert_ms(const struct time_stop *stop, long *value,
				   struct length *length)
{
	int ms = (int)stop->arg[(int)stop->call->time];

	if (ms <= 0)
		return LENGTH_AS_IT_IS;
	length->takes = clock_map_wait(map_of(stop), (s64)ms * NS_A_MS);
	*value = length->takes / NS_A_MS >= INT_MAX ? -1
						    : (length->takes + NS_A_MS - 1) / NS_A_MS;
	return LENGTH_IN_REGISTER;
}

/* Whole ones: part of a second is one. */
static long seconds_up(s64 ns)
{
	s64 seconds = ns / (s64)NSEC_PER_SEC + (ns % (s64)NSEC_PER_SEC > 0);

	return seconds > INT_MAX ? INT_MAX : (long)seconds;
}

/* alarm(2). With zero it is stopped, and what was left is told. */
static enum length_kind convert_seconds(const struct time_stop *stop, long *value,
					struct length *length)
{
	unsigned seconds = (unsigned)stop->arg[(int)stop->call->time];

	length->takes = clock_map_wait(map_of(stop), (s64)seconds * (s64)NSEC_PER_SEC);
	*value = seconds_up(length->takes);
	return LENGTH_IN_REGISTER;
}

enum length_kind length_convert(const struct time_stop *stop, struct time_words *words,
				long *value, struct length *length)
{
	enum length_kind kind;

	if (map_of(stop)->rate == CLOCK_RATE_ONE)
		return LENGTH_AS_IT_IS;
	if (stop->call->layout == LAYOUT_IN_MS)
		kind = convert_ms(stop, value, length);
	else if (stop->call->layout == LAYOUT_IN_SECONDS)
		kind = convert_seconds(stop, value, length);
	else
		kind = convert_words(stop, words, length);
	begin(length, length->takes);
	return kind;
}

void length_tell_left(const struct time_stop *stop, unsigned arg, enum time_layout layout,
		      int with)
{
	const struct clock_map *map = &stop->clocks.map[with];
	struct time_words words = time_words_of(layout, stop->form);
	uintptr_t at = (uintptr_t)stop->arg[arg];

	if (!at || map->rate == CLOCK_RATE_ONE || time_words_read(&words, stop->pid, at))
		return;
	for (unsigned pair = 0; pair < words.count / 2; pair++) {
		s64 ns = time_words_ns(&words, pair), left = clock_map_left(map, ns);

		/* A timer that runs has something left. */
		time_words_set(&words, pair, ns && !left ? 1 : left);
	}
	time_words_write(&words, stop->pid, at);
}

/*
 * select(2) and ppoll(2) write the time that is left over their argument, and begin again with
 * that after a signal without a handler. They cannot write to a slot, and return EINTR.
 */
static long update(const struct time_stop *stop, const struct length *length, long result)
{
	struct time_words words = time_words_of(stop->call->layout, stop->form);
	s64 now, left = 0;

	if (!kernel_clock(CLOCK_MONOTONIC, &now) && now - length->begun < length->takes)
		left = clock_map_left(map_of(stop), length->takes - (now - length->begun));
	time_words_set(&words, 0, left);
	if (time_words_write(&words, stop->pid, (uintptr_t)stop->arg[(int)stop->call->time]))
		return result;
	return result == -EINTR ? -RESTART_NO_HANDLER : result;
}

long length_end(const struct time_stop *stop, const struct length *length, long result)
{
	const struct time_call *call = stop->call;

	if (call->updates)
		return update(stop, length, result);
	if (call->layout == LAYOUT_IN_SECONDS)
		return seconds_up(clock_map_left(map_of(stop), result * (s64)NSEC_PER_SEC));
	if (call->left < 0)
		return result;
	/* A sleep reports it when a signal has come, a timer when it is set. */
	if (call->layout == LAYOUT_TIMESPEC ? result == -EINTR || result == -RESTART_BLOCK
					    : result == 0)
		length_tell_left(stop, (unsigned)call->left, call->layout, TIMENS_MONOTONIC);
	return result;
}
