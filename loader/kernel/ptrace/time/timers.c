/*
 * timers.c - see timers.h.
 */
#include <dirent.h>
#include <errno.h>
#include <host.h>
#include <regs.h>
#include <stdint.h>
#include <stdio.h> /* snprintf */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/base/error.h"
#include "kernel/base/page.h"
#include "kernel/base/proc.h"
#include "kernel/ptrace/inject.h"
#include "kernel/ptrace/time/time_stop.h"
#include "kernel/ptrace/time/timers.h"
#include "kernel/ptrace/traced.h"

#if REGS_GO_ON

static struct timer *find(const struct timers *timers, pid_t process, int id)
{
	for (unsigned i = 0; timers->all && i < TIMERS_MAX; i++)
		if (timers->all[i].process == process && timers->all[i].id == id)
			return &timers->all[i];
	return NULL;
}

static void set_due(struct timers *timers, struct timer *timer, bool due)
{
	timers->due += due;
	timers->due -= timer->due;
	timer->due = due;
}

static void forget(struct timers *timers, struct timer *timer)
{
	set_due(timers, timer, false);
	timer->process = 0;
}

void timers_note(struct timers *timers, const struct timer *timer)
{
	struct timer *place = find(timers, timer->process, timer->id);

	if (!timers->all)
		timers->all = calloc(TIMERS_MAX, sizeof(*timers->all));
	if (!timers->all)
		return;
	if (!place)
		place = &timers->all[timers->next++ % TIMERS_MAX];
	set_due(timers, place, false);
	*place = *timer;
	place->due = false;
}

void timers_gone(struct timers *timers, pid_t process)
{
	for (unsigned i = 0; timers->all && i < TIMERS_MAX; i++)
		if (timers->all[i].process == process)
			forget(timers, &timers->all[i]);
}

/* A number in /proc/PID/status, or -1. */
static int status_number(pid_t pid, const char *name)
{
	char text[4096], *line;

	proc_text(pid, "status", text, sizeof(text));
	line = strstr(text, name);
	return line ? atoi(line + strlen(name)) : -1;
}

/* The letter of proc_pid_stat(5), or 0. */
static char state_of(pid_t pid)
{
	static const char name[] = "\nState:\t";
	char text[4096], *line;

	proc_text(pid, "status", text, sizeof(text));
	line = strstr(text, name);
	if (!line)
		return 0;
	return line[strlen(name)];
}

/*
 * A thread that waits for its child of vfork(2), or is stopped, would not come soon: one of
 * those only where there is no other.
 */
static void interrupt_one(pid_t process)
{
	char path[32];
	struct dirent *entry;
	pid_t slow = 0;
	bool done = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	directory = opendir(path);
	while (directory && !done && (entry = readdir(directory))) {
		pid_t thread = atoi(entry->d_name);
		char state = 0;

		if (thread > 0)
			state = state_of(thread);
		if (!state || strchr("ZX", state))
			continue;
		if (strchr("DT", state))
			slow = thread;
		else
			done = !ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
	}
	if (directory)
		closedir(directory);
	if (!done && slow)
		ptrace(PTRACE_INTERRUPT, slow, NULL, NULL);
}

/* One thread of each process is enough: the first of its timers stands for all. */
static void interrupt_each(const struct timers *timers)
{
	for (unsigned i = 0; timers->due && i < TIMERS_MAX; i++) {
		const struct timer *timer = &timers->all[i];
		unsigned first = 0;

		while (!timers->all[first].due || timers->all[first].process != timer->process)
			if (++first > i)
				break;
		if (timer->due && first == i)
			interrupt_one(timer->process);
	}
}

void timers_changed(struct timers *timers, const struct own_clocks *clocks)
{
	for (unsigned i = 0; timers->all && i < TIMERS_MAX; i++) {
		struct timer *timer = &timers->all[i];

		if (timer->process)
			set_due(timers, timer,
				memcmp(&timer->map, &clocks->map[timer->with],
				       sizeof(timer->map)) != 0);
	}
	interrupt_each(timers);
}

void timers_thread_gone(struct timers *timers)
{
	interrupt_each(timers);
}

/* A time that was worked out twice may differ by what the kernel rounds. */
#	define SLACK_NS 1000000

/* Sooner than this it may expire before it can be set anew, and then would do so twice. */
#	define SOON_NS 2000000

/* Memory of ours in the process. */
struct scratch {
	struct traced *traced;
	uintptr_t at;
};

/*
 * Does the timer still run as it was set, and when does it expire next? What is left of it is
 * asked there, and is held against the kernel's clock before and after.
 */
static bool is_as_set(const struct scratch *scratch, const struct timer *timer, s64 *next,
		      s64 *times)
{
	struct time_words words = time_words_of(LAYOUT_ITIMERSPEC, FORM_64);
	s64 before, after, left, late;

	if (kernel_clock(timer->clock, &before) ||
	    process_call(&scratch->traced->process, SYS_timer_gettime, timer->id,
			 (long)scratch->at) ||
	    kernel_clock(timer->clock, &after) ||
	    time_words_read(&words, scratch->traced->pid, scratch->at))
		return false;
	left = time_words_ns(&words, 1);
	if (left < SOON_NS || time_words_ns(&words, 0) != timer->kernel_interval)
		return false;
	*times = 0;
	if (timer->kernel_interval && after > timer->kernel)
		*times = (after + left - timer->kernel + timer->kernel_interval / 2) /
			 timer->kernel_interval;
	*next = timer->kernel + *times * timer->kernel_interval;
	late = *next - (before + left);
	return late >= -SLACK_NS && late <= after - before + SLACK_NS;
}

/* No time at all would stop it. */
static s64 not_none(s64 ns)
{
	return ns < 1 ? 1 : ns;
}

static s64 later(s64 ns, s64 by)
{
	s64 sum;

	return __builtin_add_overflow(ns, by, &sum) ? CLOCK_LATEST_NS : sum;
}

/* Returns false where there is no such timer any more. */
static bool set_anew(const struct scratch *scratch, struct timer *timer,
		     const struct clock_map *map)
{
	struct time_words words = time_words_of(LAYOUT_ITIMERSPEC, FORM_64);
	struct traced *traced = scratch->traced;
	s64 next, times;

	if (!is_as_set(scratch, timer, &next, &times))
		return false;
	timer->until = later(timer->until, times * timer->interval);
	timer->map = *map;
	timer->kernel = not_none(clock_map_kernel(map, timer->until - timer->ahead));
	timer->kernel_interval =
		timer->interval ? not_none(clock_map_wait(map, timer->interval)) : 0;
	time_words_set(&words, 0, timer->kernel_interval);
	time_words_set(&words, 1, not_none(later(timer->kernel, timer->ahead)));
	return !time_words_write(&words, traced->pid, scratch->at) &&
	       !process_call(&traced->process, SYS_timer_settime, timer->id, TIMER_ABSTIME,
			     (long)scratch->at, 0);
}

static void set_all(struct timers *timers, const struct scratch *scratch, pid_t process,
		    const struct own_clocks *clocks)
{
	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		struct timer *timer = &timers->all[i];

		if (timer->process != process || !timer->due)
			continue;
		set_due(timers, timer, false);
		if (!set_anew(scratch, timer, &clocks->map[timer->with]))
			forget(timers, timer);
	}
}

/*
 * Calls that end with EINTR after any stop, also without a handler (signal(7)). That we have
 * stopped it is not the program's business: they begin again.
 */
static bool is_never_restarted(long nr)
{
	static const long calls[] = {SYS_epoll_pwait,  SYS_rt_sigtimedwait, SYS_io_getevents,
#	ifdef SYS_epoll_wait
				     SYS_epoll_wait,
#	endif
#	ifdef SYS_epoll_pwait2
				     SYS_epoll_pwait2,
#	endif
#	ifdef SYS_semop
				     SYS_semop,        SYS_semtimedop,      SYS_msgrcv,
				     SYS_msgsnd
#	endif
	};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

static int work_in(struct timers *timers, struct traced *traced, pid_t process,
		   const struct own_clocks *clocks)
{
	long at = process_mmap(&traced->process, 0, page_size(), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct scratch scratch = {traced, (uintptr_t)at};

	if (at < 0)
		return (int)at;
	set_all(timers, &scratch, process, clocks);
	process_call(&traced->process, SYS_munmap, at, (long)page_size());
	return 0;
}

/* By a filter of its own it may be killed for a call that it would never make. */
static bool has_own_filter(pid_t pid)
{
	static const char filters[] = "\nSeccomp_filters:";
	int ours = status_number(0, filters), its = status_number(pid, filters);

	return ours < 0 || its < 0 || its > ours + 1;
}

static void forget_due(struct timers *timers, pid_t process)
{
	for (unsigned i = 0; timers->all && i < TIMERS_MAX; i++)
		if (timers->all[i].process == process && timers->all[i].due)
			forget(timers, &timers->all[i]);
}

int timers_stop(struct timers *timers, pid_t pid, uintptr_t image,
		const struct own_clocks *clocks, int *status)
{
	pid_t process = status_number(pid, "\nTgid:");
	struct traced traced = {.pid = pid};
	uintptr_t instruction;
	bool due = false;
	int err = 0;

	for (unsigned i = 0; i < TIMERS_MAX && !due; i++)
		due = timers->all[i].due && timers->all[i].process == process;
	if (!due)
		return 0;
	instruction = inject_find_syscall(pid, image, &err);
	if (!err && (!instruction || has_own_filter(pid)))
		err = error_by("timer_settime", -EPERM);
	if (!err)
		err = traced_take_new(&traced, pid, instruction);
	if (!err) {
		err = work_in(timers, &traced, process, clocks);
		if (!traced.gone && traced_stop_again(&traced))
			err = traced.error;
		if (regs_result(&traced.saved) == -EINTR &&
		    is_never_restarted(regs_nr(&traced.saved)))
			regs_set_result(&traced.saved, -RESTART_NO_HANDLER);
		traced_release(&traced);
	}
	if (traced.gone)
		*status = traced.status;
	forget_due(timers, process);
	return traced.gone ? 0 : err;
}

#else

void timers_note(struct timers *timers, const struct timer *timer)
{
	(void)timers, (void)timer;
}

void timers_gone(struct timers *timers, pid_t process)
{
	(void)timers, (void)process;
}

void timers_changed(struct timers *timers, const struct own_clocks *clocks)
{
	(void)timers, (void)clocks;
}

void timers_thread_gone(struct timers *timers)
{
	(void)timers;
}

int timers_stop(struct timers *timers, pid_t pid, uintptr_t image,
		const struct own_clocks *clocks, int *status)
{
	(void)timers, (void)pid, (void)image, (void)clocks, (void)status;
	return 0;
}

#endif
