/*
 * answers.h - the time that a program asks the kernel for, and the one that it sets.
 *
 * What it may set is the clock of its tree, and never that of the machine. It needs the right
 * that the machine's would take (CAP_SYS_TIME).
 */
#ifndef KERNEL_PTRACE_ANSWERS_H
#define KERNEL_PTRACE_ANSWERS_H

#include "kernel/ptrace/time/time_stop.h"

/*
 * For a call that is TIME_TOLD or TIME_SET: does what it is to do, and returns its result, or
 * -errno. answer_is_left() says that it is the kernel that knows the answer.
 */
long answer(struct time_stop *stop);
bool answer_is_left(const struct time_stop *stop);

/* The kernel has answered, and a time in its answer is to be exchanged. */
void answer_exchange(const struct time_stop *stop);

#endif
