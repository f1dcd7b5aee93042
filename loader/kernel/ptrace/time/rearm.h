/*
 * rearm.h - timers that run when the clocks of a tree are changed.
 *
 * The kernel has been told when a timer is to expire, by its own clocks. After a change of the
 * clocks of the tree, that is the wrong moment. A timerfd can be asked what it waits for, and
 * set to the right moment through a copy of its descriptor (pidfd_getfd(2)), without help of
 * its program.
 *
 * A timer of timer_create(2) belongs to its process alone. A thread of that could be
 * interrupted wherever it is, and made to set it; but that shows. Of a send(2) that is under
 * way half is lost, waits with a timeout end or begin again, an rseq section goes on that
 * should not (rseq(2)), an expiry that the program has not taken yet is dropped. And a thread
 * that is made to make calls may end in their midst with its process. So such a timer keeps its
 * moment.
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
