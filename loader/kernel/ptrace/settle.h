/*
 * settle.h - a process that sets the clock finds it set when its call returns.
 *
 * The timekeeper is woken when the clock is set, and publishes it; but the process that has set
 * it goes on at once, and would read the time of before. With --follow its tracer can hold it
 * for a moment: a seccomp filter reports the system calls that set a clock, adjtimex(2) among
 * them whatever it is for, the tracer lets the call be made, and lets the process go on when
 * the data page says the same as the kernel. (Not of TAI alone: that follows within 4 ms.) No
 * other call stops; each costs some tens of nanoseconds more, for the filter. So only a process
 * with CAP_SYS_TIME gets one, and with CAP_SYS_ADMIN, by which it takes no rights away from
 * anybody; in a user namespace that may be one that can set no clock.
 */
#ifndef KERNEL_PTRACE_SETTLE_H
#define KERNEL_PTRACE_SETTLE_H

#include <stdbool.h>
#include <sys/types.h>

/* May this process set the clock, and have the filter? */
bool settle_is_needed(void);

/* For the process that becomes the program, once it is traced. Where it fails, nothing is held.
 */
void settle_filter(void);

/* Of a stop that a filter reports: was it ours, and for a call that sets a clock? */
bool settle_is_ours(pid_t pid);

/*
 * Waits until the data page, of which data is a descriptor, says what the kernel's clocks say:
 * 20 ms at most, and as long as the timekeeper takes to wake up.
 */
void settle_wait(int data);

#endif
