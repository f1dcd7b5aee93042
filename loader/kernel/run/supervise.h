/*
 * supervise.h - the parent of a program: keeps its time and stays out of its way.
 */
#ifndef KERNEL_RUN_SUPERVISE
#define KERNEL_RUN_SUPERVISE

#include <sys/types.h>

#include "kernel/ptrace/follow.h"
#include "kernel/time/timekeeper.h"

/*
 * Updates tk until child ends, and passes signals on to it: what is sent to us with
 * kill(2) reaches the child; what the terminal sends, it has sent to the child as well.
 * When the terminal stops the child we stop, too, so that the shell notices.
 *
 * With follow (else NULL) child and its descendants are traced, see follow.h.
 *
 * To be called with every signal blocked, from before the fork on. Returns the status
 * of the child as waitpid(2) gives it.
 */
int supervise(struct timekeeper *tk, pid_t child, struct follow *follow);

/*
 * After that: goes on for what the child has left running and is traced, until nothing is
 * left, or SIGHUP, SIGINT, SIGQUIT or SIGTERM comes.
 */
void supervise_rest(struct timekeeper *tk, struct follow *follow);

/*
 * Ends this process as the child ended: with its exit status, or by its signal, without
 * a second core dump.
 */
__attribute__((noreturn)) void die_like(int wait_status);

#endif
