/*
 * answers.c - see answers.h.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include <vdso/once.h>

#include "kernel/base/error.h"
#include "kernel/base/proc.h"
#include "kernel/map/timens.h"
#include "kernel/ptrace/time/files.h"
#include "kernel/ptrace/time/answers.h"
#include "kernel/ptrace/time/lengths.h"
#include "kernel/ptrace/traced.h"

/* Where in a struct timex, and a struct sysinfo, the time is: by the form. */
#define TIMEX_MODES 0
static const struct {
	unsigned offset_of_status, offset_of_time;
	bool small;
} timex_form[] = {
	[FORM_64] = {40, 72, false},
	[FORM_32] = {20, 36, true},
	[FORM_32_TIME64] = {40, 72, false},
};

/* The id of the clock that a call asks for, or sets. */
static int clock_of(const struct time_stop *stop)
{
	return stop->call->clock >= 0 ? (int)stop->arg[(int)stop->call->clock] : CLOCK_REALTIME;
}

static int shown_now(const struct time_stop *stop, int clock, s64 *ns)
{
	int err = kernel_clock(clock, ns);

	if (!err)
		*ns = time_stop_shown(stop, clock, *ns);
	return err;
}

/* gettimeofday(2): either may be NULL. The zone is the machine's. */
static long tell_zone(const struct time_stop *stop)
{
	int zone[2] = {0, 0};

	if (!stop->arg[1])
		return 0;
	syscall(SYS_gettimeofday, NULL, zone);
	return traced_write(stop->pid, (uintptr_t)stop->arg[1], zone, sizeof(zone)) ? -EFAULT
										    : 0;
}

static long tell(const struct time_stop *stop)
{
	enum time_layout layout = stop->call->layout;
	struct time_words words = time_words_of(layout, stop->form);
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time];
	s64 ns;
	int err = shown_now(stop, clock_of(stop), &ns);

	if (err)
		return err;
	if (layout == LAYOUT_SECONDS)
		words.word[0] = ns / (s64)NSEC_PER_SEC;
	else
		time_words_set(&words, 0, ns);
	/* clock_gettime(2) wants a place for its answer. */
	if (at || layout == LAYOUT_TIMESPEC)
		err = time_words_write(&words, stop->pid, at);
	if (err)
		return -EFAULT;
	if (layout == LAYOUT_SECONDS)
		return (long)words.word[0];
	return layout == LAYOUT_ZONE ? tell_zone(stop) : 0;
}

static bool is_not_effective(void *arg, const char *line)
{
	static const char effective[] = "CapEff:";
	size_t length = sizeof(effective) - 1;

	if (strncmp(line, effective, length))
		return true;
	*(unsigned long long *)arg = strtoull(line + length, NULL, 16);
	return false;
}

/* CAP_SYS_TIME, of the thread. Before that line are its groups, of which it may have many. */
static bool may_set(pid_t pid)
{
	unsigned long long effective = 0;

	return !proc_lines(pid, "status", is_not_effective, &effective) &&
	       effective >> CAP_SYS_TIME & 1;
}

/* The wall clocks of the tree go to where by is added. TAI keeps its distance. */
static long set_by(struct time_stop *stop, s64 by)
{
	static const int wall[] = {TIMENS_REALTIME, TIMENS_TAI};

	if (stop->control->fixed)
		return -EPERM;
	for (int i = 0; i < 2; i++) {
		struct clock_map *map = &stop->clocks.map[wall[i]];

		if (__builtin_add_overflow(map->shown_ns, by, &map->shown_ns))
			return -EINVAL;
	}
	control_write(stop->control, &stop->clocks);
	control_wait(stop->control);
	stop->changed = true;
	return 0;
}

static long set_to(struct time_stop *stop, s64 ns)
{
	s64 now;
	int err = shown_now(stop, CLOCK_REALTIME, &now);

	return err ? err : set_by(stop, ns - now);
}

/* clock_settime(2), settimeofday(2), stime(2). The machine's zone is not the tree's to set. */
static long set(struct time_stop *stop)
{
	enum time_layout layout = stop->call->layout;
	struct time_words words = time_words_of(layout, stop->form);
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time];

	if (layout == LAYOUT_ZONE && !at)
		return may_set(stop->pid) && !stop->arg[1] ? 0 : -EPERM;
	if (time_words_read(&words, stop->pid, at))
		return -EFAULT;
	if (layout == LAYOUT_SECONDS)
		words.word[1] = 0;
	if (!time_words_valid(&words, 0))
		return -EINVAL;
	if (!may_set(stop->pid))
		return -EPERM;
	return set_to(stop, time_words_ns(&words, 0));
}

static int modes_of(const struct time_stop *stop, unsigned *modes)
{
	return traced_read(stop->pid, (uintptr_t)stop->arg[(int)stop->call->time] + TIMEX_MODES,
			   modes, sizeof(*modes));
}

/* adjtimex(2) that sets: by how much the clock is to be shifted. Nothing else is the tree's. */
static long adjust(struct time_stop *stop, unsigned modes)
{
	bool small = timex_form[stop->form].small;
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time] +
		       timex_form[stop->form].offset_of_time;
	struct time_words by = {.count = 2, .size = small ? 4 : 8};
	s64 ns;

	by.parts = modes & ADJ_NANO ? 1000000000 : 1000000;
	if (!may_set(stop->pid) || (modes & ~(unsigned)ADJ_NANO) != ADJ_SETOFFSET)
		return -EPERM;
	if (time_words_read(&by, stop->pid, at))
		return -EFAULT;
	if (by.word[1] < 0 || by.word[1] >= by.parts)
		return -EINVAL;
	if (__builtin_mul_overflow(by.word[0], (s64)NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, by.word[1] * ((s64)NSEC_PER_SEC / by.parts), &ns))
		return -EINVAL;
	return set_by(stop, ns);
}

bool answer_is_left(const struct time_stop *stop)
{
	unsigned modes;

	if (stop->call->layout == LAYOUT_TIMEX)
		return modes_of(stop, &modes) || modes == 0 || modes == ADJ_OFFSET_SS_READ;
	return stop->call->does == TIME_SHOWN || stop->call->does == FILE_SHOWN;
}

long answer(struct time_stop *stop)
{
	unsigned modes;

	if (stop->call->does == TIME_TOLD)
		return tell(stop);
	if (stop->call->layout != LAYOUT_TIMEX)
		return set(stop);
	return modes_of(stop, &modes) ? -EFAULT : adjust(stop, modes);
}

/* struct timex: the time as REALTIME shows it, in microseconds unless the status says more. */
static void exchange_timex(const struct time_stop *stop)
{
	uintptr_t timex = (uintptr_t)stop->arg[(int)stop->call->time];
	bool small = timex_form[stop->form].small;
	struct time_words words = {.count = 2, .size = small ? 4 : 8};
	unsigned status;
	uintptr_t at = timex + timex_form[stop->form].offset_of_time;

	if (traced_read(stop->pid, timex + timex_form[stop->form].offset_of_status, &status,
			sizeof(status)) ||
	    time_words_read(&words, stop->pid, at))
		return;
	words.parts = status & STA_NANO ? 1000000000 : 1000000;
	time_words_set(&words, 0,
		       time_stop_shown(stop, CLOCK_REALTIME, time_words_ns(&words, 0)));
	time_words_write(&words, stop->pid, at);
}

/* struct sysinfo begins with the uptime, in seconds rounded up. */
static void exchange_uptime(const struct time_stop *stop)
{
	struct time_words words = time_words_of(LAYOUT_SECONDS, stop->form);
	s64 ns;

	if (shown_now(stop, CLOCK_BOOTTIME, &ns))
		return;
	words.word[0] = ns / (s64)NSEC_PER_SEC + (ns % (s64)NSEC_PER_SEC > 0);
	time_words_write(&words, stop->pid, (uintptr_t)stop->arg[(int)stop->call->time]);
}

void answer_exchange(const struct time_stop *stop)
{
	if (stop->call->does == FILE_SHOWN)
		files_exchange(stop);
	else if (stop->call->layout == LAYOUT_TIMEX)
		exchange_timex(stop);
	else if (stop->call->layout == LAYOUT_SYSINFO)
		exchange_uptime(stop);
	else if (timens_clock_of(time_stop_clock(stop)) >= 0 && time_stop_is_rated(stop))
		length_tell_left(stop, (unsigned)stop->call->time, stop->call->layout,
				 timens_clock_of(time_stop_clock(stop)));
}
