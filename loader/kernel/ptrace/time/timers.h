/*
 * timers.h - timers of timer_create(2) that run when the clocks of a tree are changed.
 *
 * As with a timerfd (rearm.h), the kernel has been told when they are to expire, and by the
 * changed clocks that is another moment. But a process has such a timer to itself: nobody else
 * can set it. So one of its threads is interrupted, and is made to set it anew:
 *
 *	PTRACE_INTERRUPT          the thread stops, wherever it was: perhaps in a system call
 *	                          that the kernel will go on with
 *	timer_gettime(2)          is it still the timer that was set, and has not expired?
 *	timer_settime(2)          until the same time, by the changed clocks
 *	PTRACE_INTERRUPT          it stops a second time, gets its own registers back and goes
 *	                          on as if it had stopped once
 *
 * The second stop is for the kernel: only on the way from such a stop does it look whether a
 * call is to be restarted, or a handler makes that an EINTR. Meanwhile signals are blocked.
 *
 * Where the kernel has prepared the restart before it stops the thread (aarch64, riscv64) there
 * is no way back into the call, and these timers keep the moment that they had. So do those of
 * a 32-bit program under a kernel of 64, of a process with a seccomp filter of its own, which
 * might kill it for our calls, and the oldest of more than TIMERS_MAX.
 */
#ifndef KERNEL_PTRACE_TIMERS_H
#define KERNEL_PTRACE_TIMERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/clock/control.h"
#include "kernel/map/place.h"

/* So many are known of a tree at a time. */
#define TIMERS_MAX 1024

/* One that was set to an absolute time. A process id of 0: none. */
struct timer {
	pid_t process;
	int id;                      /* of timer_create(2) */
	int clock;                   /* its id; with enum timens_clock that it goes with */
	int with;                    /* ... */
	s64 until, interval;         /* by the program's clock */
	s64 kernel, kernel_interval; /* by the kernel's: what it has been set to */
	s64 ahead;                   /* of the kernel's clock in its time namespace */
	struct clock_map map;        /* by which that was worked out */
	bool due;                    /* to be set anew: a thread has been interrupted */
};

struct timers {
	struct timer *all; /* TIMERS_MAX, or NULL as long as there are none */
	unsigned next;     /* in a ring: the oldest one */
	unsigned due;
};

/* timer_settime(2) with TIMER_ABSTIME has succeeded in a thread of that process. */
void timers_note(struct timers *timers, const struct timer *timer);

/* The process has ended, or has become another program: it has no timers. */
void timers_gone(struct timers *timers, pid_t process);

/* The clocks are these now. Interrupts a thread of each process that has timers by others. */
void timers_changed(struct timers *timers, const struct own_clocks *clocks);

/*
 * At a PTRACE_EVENT_STOP with SIGTRAP of that thread: sets what is due of its process. image is
 * where that has ours. Returns 0, or -errno if a timer keeps its moment for a reason that its
 * program does not know; *status is changed if the process has ended meanwhile.
 */
int timers_stop(struct timers *timers, pid_t pid, uintptr_t image,
		const struct own_clocks *clocks, int *status);

/* A thread has ended, which may have been the one that was interrupted. */
void timers_thread_gone(struct timers *timers);

#endif
