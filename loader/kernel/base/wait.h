/*
 * wait.h - what bounds a wait.
 *
 * A call that waits can return early: a signal interrupts it (EINTR), and a filter, a
 * tracer or a faulty kernel may have it fail again and again. Each loop over such a call has a
 * number of turns, here or at the line, or ends with a process that it waits for.
 *
 * All of it is safe in a signal handler.
 */
#ifndef KERNEL_BASE_WAIT_H
#define KERNEL_BASE_WAIT_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* A call that has something to do, and nothing to wait for, is not interrupted more often. */
#define INTERRUPTS_MAX 100

/* After a call that failed: is it to be made again? times counts, from 0 on. */
static inline bool interrupted(unsigned *times)
{
	return errno == EINTR && ++*times < INTERRUPTS_MAX;
}

/*
 * waitpid(2) for a child that is known to be there, or for any (-1). It is asked again if it is
 * interrupted, or denies that there are children; then waitid(2) is asked, which filters may
 * know better. Blocks as waitpid(2) does. Returns what that does, with errno.
 */
pid_t wait_for(pid_t pid, int *status, int flags);

/*
 * Waits so many nanoseconds, and not much less, where the calls for it fail: without a clock
 * that goes some milliseconds at most. False if it has not slept, but looked at the clock.
 */
bool pause_ns(unsigned long ns);

#endif
