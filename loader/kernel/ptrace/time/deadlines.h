/*
 * deadlines.h - system calls of a tree of programs that has clocks of its own.
 *
 * The seccomp filter of time_calls.h stops the calls that name a time. Those that ask for one
 * are answered in the kernel's place. Those that name a deadline are converted, so that the
 * kernel sees a time of its own clocks:
 *
 *	stop of the filter    the deadline is read, converted, and put in a slot; the call gets
 *	                      the slot's address in place of the program's pointer
 *	the call              waits, for milliseconds or months
 *	stop at its end       it gets the program's pointer back, and the slot is free
 *
 * Slots lie in memory that each program has after its image (placement.slots), read-only: only
 * we write there, by ptrace(2). The program's own memory is not written to, since other threads
 * may read the same deadline, and it may be read-only. After the end the kernel may restart the
 * call, because a signal has come without a handler: with the program's pointer, through the
 * filter once more. So every restart is converted anew, by what the clocks are then. For that,
 * a call that would go on with a time kept by the kernel (ERESTART_RESTARTBLOCK) is made to
 * begin again with its arguments (ERESTARTNOHAND). Where the signal has a handler both become
 * EINTR.
 *
 * A program may have unmapped all of its memory, and its slots with it: `uvdso run` does so
 * when it starts a program by hand. So the first slot has a mark of ours. Where that is
 * missing, nothing is written before the kernel has confirmed that these are slots.
 *
 * A time that cannot be read, or is not valid, is left to the kernel, which returns EFAULT or
 * EINVAL.
 *
 * A program on the kernel's vDSO has the kernel's clocks, and its calls are left alone. So are
 * those of a process whose memory we may not read: one that has made itself undumpable
 * (PR_SET_DUMPABLE), unless we are root. After any other failure a call is left to the kernel
 * as well, and the failure is noted (failed).
 */
#ifndef KERNEL_PTRACE_DEADLINES_H
#define KERNEL_PTRACE_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/clock/control.h"
#include "kernel/map/place.h"
#include "kernel/ptrace/time/lengths.h"
#include "kernel/ptrace/time/time_value.h"

/* A tree can have one wait less than this under way at a time; more are left to the kernel. */
#define DEADLINE_SLOTS      16384
#define DEADLINE_SLOTS_SIZE (DEADLINE_SLOTS * TIME_VALUE_MAX)

struct deadlines {
	struct control *control;
	const struct vdso_files *files;
	void *tasks;             /* tsearch(3): threads by their id */
	struct own_clocks armed; /* by which all pending waits have been converted */
	uint64_t used[DEADLINE_SLOTS / 64];
	unsigned first_free;     /* below it all are used */
	long mark;               /* in the first slot of each memory that has slots */
	pid_t execs;             /* the process that becomes another program, with */
	struct real_timer timer; /* ... its timer, which goes on */
	pid_t closed; /* a process whose memory turned out to be closed to us; to be reported */
	pid_t failed; /* the first thread with a call that went by the kernel's clocks, or 0;
		       */
	int why;      /* -errno of the failure that caused it */
};

/* A wait that is under way, as the program has asked for it. */
struct deadline_wait {
	pid_t pid;     /* the thread */
	int clock;     /* its id; with enum timens_clock that it goes with */
	int with;      /* ... */
	int64_t until; /* by the program's clock */
	const char *call;
};

/* For the tree with these clocks, which are in force already. */
void deadlines_start(struct deadlines *deadlines, struct control *control,
		     const struct vdso_files *files);

/*
 * At a stop of a filter. Returns how the thread is to go on: PTRACE_CONT, or PTRACE_SYSCALL for
 * a call whose end must be seen; or -1 if it was not our filter.
 */
int deadlines_begin(struct deadlines *deadlines, pid_t pid);

/* At the stop at the end of such a call. */
void deadlines_end(struct deadlines *deadlines, pid_t pid);

/*
 * At the stop of an execve(2), before anything is done there: each later stop has a message of
 * its own. The first thread of the process is no more, and the one that made the call, which
 * had another id until now, has its id.
 */
void deadlines_exec(struct deadlines *deadlines, pid_t pid);

/* A program begins, with its slots at that address; 0: it has the kernel's clocks. */
void deadlines_program(struct deadlines *deadlines, pid_t pid, uintptr_t slots);

/* At the stop of a fork(2), vfork(2) or clone(2): there is a new thread or process. */
void deadlines_fork(struct deadlines *deadlines, pid_t pid);

void deadlines_gone(struct deadlines *deadlines, pid_t pid);

/*
 * The clocks have been changed (control_write()): every wait that is under way for a deadline
 * is interrupted, and converted anew when the kernel restarts it; timers are armed anew
 * (rearm.h). The program does not notice.
 */
void deadlines_changed(struct deadlines *deadlines);

/* Calls each() for every wait that is under way. */
void deadlines_each(struct deadlines *deadlines,
		    void (*each)(void *arg, const struct deadline_wait *wait), void *arg);

#endif
