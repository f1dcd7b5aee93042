/*
 * answers.h - the time that a program asks the kernel for, and the one that it sets.
 *
 * It can set the clock of its tree, and never that of the machine. This takes the same
 * capability as the machine's clock (CAP_SYS_TIME).
 */
#ifndef KERNEL_PTRACE_ANSWERS_H
#define KERNEL_PTRACE_ANSWERS_H

#include "kernel/ptrace/time/time_stop.h"

/*
 * For a call that is TIME_TOLD or TIME_SET: does the work of the call, and returns its result,
 * or -errno. answer_is_left(): the call is left to the kernel, which knows the answer.
 */
long answer(struct time_stop *stop);
bool answer_is_left(const struct time_stop *stop);

/* The kernel has answered, and a time in its answer is to be exchanged. */
void answer_exchange(const struct time_stop *stop);

#endif
