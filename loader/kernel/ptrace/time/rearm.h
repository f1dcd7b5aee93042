/*
 * rearm.h - timers that run when the clocks of a tree are changed.
 *
 * The kernel has been told when a timer is to expire, by its own clocks. After a change of the
 * clocks of the tree, that is the wrong moment. A timerfd can be asked what it waits for, and
 * set to the right moment through a copy of its descriptor (pidfd_getfd(2)), without help of
 * its program.
 */
#ifndef KERNEL_PTRACE_REARM_H
#define KERNEL_PTRACE_REARM_H

#include <sys/types.h>

#include "kernel/clock/control.h"

/* One change of the clocks, for one process after the other. */
struct rearm {
	struct own_clocks before, after;
	int *done; /* copies of the timers that are armed anew, of whichever process */
	unsigned count;
};

/*
 * Arms all timerfds of a process that were set to an absolute time. A timer that several
 * processes share is armed once. Before Linux 6.9 none is of a process whose first thread has
 * ended.
 */
void rearm_process(struct rearm *rearm, pid_t pid);

/* After the last one. */
void rearm_end(struct rearm *rearm);

#endif
