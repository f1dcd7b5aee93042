/*
 * time_stop.c - see time_stop.h.
 */
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "kernel/base/proc.h"
#include "kernel/ptrace/time/time_stop.h"

s64 time_stop_shown(const struct time_stop *stop, int clock, s64 ns)
{
	s64 ahead = stop->ahead[timens_clock_of(clock)], sum;
	s64 shown = clock_map_shown(own_clocks_map(&stop->clocks, clock), ns);

	if (__builtin_add_overflow(shown, ahead, &sum))
		return CLOCK_LATEST_NS;
	return sum < 0 ? 0 : sum;
}

s64 time_stop_kernel(const struct time_stop *stop, int clock, s64 ns)
{
	s64 ahead = stop->ahead[timens_clock_of(clock)], kernel, sum;

	/* The latest time means never, by any clock. */
	if (ns == CLOCK_LATEST_NS)
		return ns;
	if (__builtin_sub_overflow(ns, ahead, &sum))
		return CLOCK_LATEST_NS;
	kernel = clock_map_kernel(own_clocks_map(&stop->clocks, clock), sum);
	if (kernel == CLOCK_LATEST_NS || __builtin_add_overflow(kernel, ahead, &sum))
		return CLOCK_LATEST_NS;
	return sum < 0 ? 0 : sum;
}

/* "clockid: 1" and "settime flags: 01" are two lines of it. */
bool timerfd_look(pid_t pid, int fd, int *clock, int *flags)
{
	char name[32], text[1024];
	const char *id, *set;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	if (proc_text(pid, name, text, sizeof(text)) < 0)
		return false;
	id = strstr(text, "\nclockid:");
	set = strstr(text, "\nsettime flags:");
	if (!id || !set)
		return false;
	*clock = atoi(id + strlen("\nclockid:"));
	*flags = (int)strtol(set + strlen("\nsettime flags:"), NULL, 8);
	return true;
}

static int clock_of_timerfd(pid_t pid, int fd)
{
	int clock, flags;

	return timerfd_look(pid, fd, &clock, &flags) ? clock : -1;
}

bool time_stop_is_rated(const struct time_stop *stop)
{
	int clock, flags;

	if (stop->control->rate_all)
		return true;
	return stop->call->clock == BY_TIMERFD &&
	       timerfd_look(stop->pid, (int)stop->arg[0], &clock, &flags) &&
	       flags & TFD_TIMER_ABSTIME;
}

struct timer_clock {
	int id;
	bool found; /* the lines of that timer have begun */
	int clock;
};

/* Some lines for each timer: "ID: 0" is the first, "ClockID: 1" the last. */
static bool is_not_clock(void *arg, const char *line)
{
	struct timer_clock *timer = arg;

	if (!strncmp(line, "ID: ", strlen("ID: ")))
		timer->found = atoi(line + strlen("ID: ")) == timer->id;
	if (!timer->found || strncmp(line, "ClockID: ", strlen("ClockID: ")))
		return true;
	timer->clock = atoi(line + strlen("ClockID: "));
	return false;
}

static int clock_of_timer(pid_t pid, int id)
{
	struct timer_clock timer = {.id = id, .clock = -1};

	proc_lines(pid, "timers", is_not_clock, &timer);
	return timer.clock;
}

static int clock_of_futex(unsigned operation)
{
	if ((operation & FUTEX_OPERATION) == FUTEX_LOCK_PI)
		return CLOCK_REALTIME;
	return operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

int time_stop_clock(const struct time_stop *stop)
{
	switch ((int)stop->call->clock) {
	case BY_REALTIME:
		return CLOCK_REALTIME;
	case BY_BOOTTIME:
		return CLOCK_BOOTTIME;
	case BY_MONOTONIC:
		return CLOCK_MONOTONIC;
	case BY_FUTEX:
		return clock_of_futex((unsigned)stop->arg[1]);
	case BY_TIMERFD:
		return clock_of_timerfd(stop->pid, (int)stop->arg[0]);
	case BY_TIMER:
		return clock_of_timer(stop->pid, (int)stop->arg[0]);
	default:
		return (int)stop->arg[(int)stop->call->clock];
	}
}
