/*
 * rearm.c - see rearm.h.
 */
#include <dirent.h>
#include <linux/kcmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> /* snprintf */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/proc.h"
#include "kernel/clock/clock_map.h"
#include "kernel/ptrace/time/rearm.h"
#include "kernel/ptrace/time/time_stop.h"
#include "kernel/ptrace/traced.h"

/* Linux 3.18, where it has CONFIG_CHECKPOINT_RESTORE; not in the C library's header. */
#ifndef TFD_IOC_SET_TICKS
#	define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

/* So many timers at a time; those beyond keep the moment that they had. */
#define TIMERS_MAX 1024

static s64 ns_of(const struct timespec *ts)
{
	return ts->tv_sec * (s64)CLOCK_RATE_ONE + ts->tv_nsec;
}

static struct timespec timespec_of(s64 ns)
{
	return (struct timespec){(time_t)(ns / (s64)CLOCK_RATE_ONE),
				 (long)(ns % (s64)CLOCK_RATE_ONE)};
}

/* Is it a timer that is done already? Without kcmp(2) that cannot be known. */
static bool is_done(const struct rearm *rearm, int timer)
{
	pid_t self = getpid();

	for (unsigned i = 0; i < rearm->count; i++)
		if (!syscall(SYS_kcmp, self, self, KCMP_FILE, rearm->done[i], timer))
			return true;
	return false;
}

/* For a timer no time at all means that it is stopped. */
static s64 not_none(s64 ns)
{
	return ns < 1 ? 1 : ns;
}

/* What has expired and was not read, of a timer of ours. */
static uint64_t ticks_of(int timer)
{
	char name[32], text[1024];
	const char *line;

	snprintf(name, sizeof(name), "fdinfo/%d", timer);
	if (proc_text(getpid(), name, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nticks: ");
	return line ? strtoull(line + strlen("\nticks: "), NULL, 10) : 0;
}

/* We may lose our CPU between two questions; then both are asked again. */
#define LOOKS       10
#define SOON_ENOUGH 20000

/*
 * What is left of a timer, and the time of its clock then: never earlier, so that it is not
 * armed early, and later by no more than the question took.
 */
static bool look(int timer, clockid_t clock, struct itimerspec *set, s64 *now)
{
	s64 least = INT64_MAX;

	for (int turn = 0; turn < LOOKS && least > SOON_ENOUGH; turn++) {
		struct itimerspec left;
		struct timespec before, after;
		s64 took;

		if (clock_gettime(clock, &before) || timerfd_gettime(timer, &left) ||
		    clock_gettime(clock, &after))
			return false;
		took = ns_of(&after) - ns_of(&before);
		/* Below zero: the machine's clock was set meanwhile. */
		if (took < 0 || took >= least)
			continue;
		least = took;
		*set = left;
		*now = ns_of(&after);
	}
	return least < INT64_MAX;
}

static void arm(const struct rearm *rearm, int timer, clockid_t clock, int with, int flags)
{
	const struct clock_map *before = &rearm->before.map[with],
			       *after = &rearm->after.map[with];
	struct itimerspec set;
	s64 left, interval, now;
	uint64_t ticks;

	/* That of one with an interval counts what has expired, too. */
	if (!look(timer, clock, &set, &now))
		return;
	left = ns_of(&set.it_value);
	interval = ns_of(&set.it_interval);
	if (!left)
		return;
	set.it_value = timespec_of(
		not_none(clock_map_kernel(after, clock_map_deadline(before, now + left))));
	if (interval)
		set.it_interval = timespec_of(
			not_none(clock_map_wait(after, clock_map_left(before, interval))));
	ticks = ticks_of(timer);
	/* It forgets what its program has not read yet; so that is put back. */
	if (!timerfd_settime(timer, flags, &set, NULL) && ticks)
		ioctl(timer, TFD_IOC_SET_TICKS, &ticks);
}

static void look_at(struct rearm *rearm, pid_t pid, int fd)
{
	int clock, flags, with, timer;

	if (rearm->count == TIMERS_MAX || !timerfd_look(pid, fd, &clock, &flags) ||
	    !(flags & TFD_TIMER_ABSTIME))
		return;
	with = timens_clock_of(clock);
	if (with < 0 || !memcmp(&rearm->before.map[with], &rearm->after.map[with],
				sizeof(struct clock_map)))
		return;
	timer = traced_borrow_fd(pid, fd);
	if (timer < 0)
		return;
	if (!rearm->done)
		rearm->done = calloc(TIMERS_MAX, sizeof(*rearm->done));
	if (!rearm->done || is_done(rearm, timer)) {
		descriptor_close(timer);
		return;
	}
	arm(rearm, timer, clock, with, flags);
	rearm->done[rearm->count++] = timer;
}

static bool is_timer(const char *directory, const char *fd)
{
	static const char timer[] = "anon_inode:[timerfd]";
	char path[64], target[sizeof(timer)];

	if (*fd < '0' || *fd > '9')
		return false;
	snprintf(path, sizeof(path), "%s/%.16s", directory, fd);
	return readlink(path, target, sizeof(target)) == sizeof(timer) - 1 &&
	       !memcmp(target, timer, sizeof(timer) - 1);
}

static bool is_over(const char *status)
{
	const char *state = strstr(status, "\nState:\t");

	return state &&
	       (state[strlen("\nState:\t")] == 'Z' || state[strlen("\nState:\t")] == 'X');
}

static pid_t living_thread(pid_t pid)
{
	char path[32], text[4096];
	pid_t found = 0;
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		pid_t thread = atoi(entry->d_name);

		if (thread > 0 && proc_text(thread, "status", text, sizeof(text)) > 0 &&
		    !is_over(text))
			found = thread;
	}
	if (directory)
		closedir(directory);
	return found;
}

/*
 * Threads have the descriptors of their process. The first one has them no more if it has ended
 * before the others. Returns who has them, or 0.
 */
static pid_t holder(pid_t pid)
{
	char text[4096], *line;
	ssize_t got = proc_text(pid, "status", text, sizeof(text));

	line = got > 0 ? strstr(text, "\nTgid:") : NULL;
	if (!line || atoi(line + strlen("\nTgid:")) != pid)
		return 0;
	return is_over(text) ? living_thread(pid) : pid;
}

void rearm_process(struct rearm *rearm, pid_t pid)
{
	char path[32];
	struct dirent *entry;
	DIR *directory;

	pid = holder(pid);
	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)))
		if (is_timer(path, entry->d_name))
			look_at(rearm, pid, atoi(entry->d_name));
	if (directory)
		closedir(directory);
}

void rearm_end(struct rearm *rearm)
{
	for (unsigned i = 0; i < rearm->count; i++)
		descriptor_close(rearm->done[i]);
	free(rearm->done);
	rearm->done = NULL;
	rearm->count = 0;
}
