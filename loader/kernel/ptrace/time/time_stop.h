/*
 * time_stop.h - a system call that names a time, at whose beginning or end a thread is stopped.
 */
#ifndef KERNEL_PTRACE_TIME_STOP_H
#define KERNEL_PTRACE_TIME_STOP_H

#include <stdbool.h>

#include "kernel/clock/control.h"
#include "kernel/ptrace/time/time_calls.h"
#include "kernel/ptrace/time/time_value.h"

/* What the kernel returns for a call that is to be restarted (include/linux/errno.h). */
#define RESTART_NO_HANDLER 514
#define RESTART_BLOCK      516

struct time_stop {
	pid_t pid;
	const struct time_call *call;
	enum time_form form;
	uint64_t arg[6];

	/*
	 * The clocks of the tree, and how far those of the kernel are ahead in the program's
	 * time namespace.
	 */
	struct control *control;
	struct own_clocks clocks;
	s64 ahead[TIMENS_CLOCKS];

	bool changed; /* the program has set a clock */
};

/* The id of the clock that a call is about; -1 if it cannot be known. */
int time_stop_clock(const struct time_stop *stop);

/* What /proc/PID/fdinfo/FD says of a timerfd: its clock, and the flags it was set with. */
bool timerfd_look(pid_t pid, int fd, int *clock, int *flags);

/*
 * Does the timer that a call is about run at the rate of its clock? One that was set to a
 * length of time does so only where all lengths have a rate. Of a timer of timer_create(2) it
 * cannot be known how it was set.
 */
bool time_stop_is_rated(const struct time_stop *stop);

/*
 * What a clock, by its id, shows when the kernel's is at ns; and the kernel's time for what it
 * shows. It is one that goes with a clock of the tree.
 */
s64 time_stop_shown(const struct time_stop *stop, int clock, s64 ns);
s64 time_stop_kernel(const struct time_stop *stop, int clock, s64 ns);

#endif
