/*
 * lengths.c - see lengths.h.
 */
#include <errno.h>
#include <limits.h>
#include <sys/time.h>
#include <time.h>
#include <time_calls.h>
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

/* alarm(2): once. With zero it is stopped. */
static enum length_kind convert_seconds(const struct time_stop *stop, struct time_words *words,
					struct length *length)
{
	unsigned seconds = (unsigned)stop->arg[(int)stop->call->time];

	*words = time_words_of(LAYOUT_ITIMERVAL, stop->form);
	length->takes = clock_map_wait(map_of(stop), (s64)seconds * (s64)NSEC_PER_SEC);
	time_words_set(words, 0, 0);
	time_words_set(words, 1, length->takes);
	return LENGTH_IN_TIMER;
}

bool length_sets_real_timer(const struct time_stop *stop)
{
	return stop->call->layout == LAYOUT_IN_SECONDS ||
	       (stop->call->layout == LAYOUT_ITIMERVAL && stop->call->does == TIME_PASSES);
}

struct real_timer length_real_timer(const struct time_words *words, const struct length *length)
{
	struct real_timer timer = {.interval = time_words_ns(words, 0)};

	if (length->takes && __builtin_add_overflow(length->begun, length->takes, &timer.until))
		timer.until = CLOCK_LATEST_NS;
	return timer;
}

/* Too much is better than too little, and none is what says that there was no timer. */
long length_of_alarm(const struct time_stop *stop, const struct real_timer *timer)
{
	s64 now, left, seconds;

	if (!timer->until || kernel_clock(CLOCK_MONOTONIC, &now) ||
	    (now >= timer->until && !timer->interval))
		return 0;
	left = timer->until - now;
	if (left <= 0)
		left = timer->interval - -left % timer->interval;
	left = clock_map_left(map_of(stop), left);
	seconds = left / (s64)NSEC_PER_SEC;
	if (!seconds || left % (s64)NSEC_PER_SEC >= (s64)NSEC_PER_SEC / 2)
		seconds++;
	return seconds > INT_MAX ? INT_MAX : (long)seconds;
}

void length_make_timer(enum time_form form, struct user_regs_struct *regs, uintptr_t words)
{
	static const int setitimer_nr[TIME_FORMS] = TIME_NR(setitimer);
	bool is_32 = form != FORM_64;

	regs_set_nr(regs, setitimer_nr[form]);
	regs_set_arg(regs, is_32, 0, ITIMER_REAL);
	regs_set_arg(regs, is_32, 1, words);
	regs_set_arg(regs, is_32, 2, 0);
}

enum length_kind length_convert(const struct time_stop *stop, struct time_words *words,
				long *value, struct length *length)
{
	enum length_kind kind;

	/* At another rate it must be known what has been set at this one. */
	if (map_of(stop)->rate == CLOCK_RATE_ONE && !length_sets_real_timer(stop))
		return LENGTH_AS_IT_IS;
	if (stop->call->layout == LAYOUT_IN_MS)
		kind = convert_ms(stop, value, length);
	else if (stop->call->layout == LAYOUT_IN_SECONDS)
		kind = convert_seconds(stop, words, length);
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
	if (call->left < 0)
		return result;
	/* A sleep reports it when a signal has come, a timer when it is set. */
	if (call->layout == LAYOUT_TIMESPEC ? result == -EINTR || result == -RESTART_BLOCK
					    : result == 0)
		length_tell_left(stop, (unsigned)call->left, call->layout, TIMENS_MONOTONIC);
	return result;
}
