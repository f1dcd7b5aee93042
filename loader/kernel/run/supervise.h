/*
 * supervise.h - the parent of a traced program: reports on it, and does not get in its way.
 *
 * With `uvdso trace` the program is a child, as with strace(1): the process that reports what a
 * program has done must outlive it, and report before the shell's next prompt. In all other
 * cases the process that was started becomes the program, and nothing needs to be passed on.
 */
#ifndef KERNEL_RUN_SUPERVISE_H
#define KERNEL_RUN_SUPERVISE_H

#include <sys/types.h>

#include "kernel/ptrace/follow.h"

/*
 * Traces child and its descendants until child ends, and passes signals on to it: what is sent
 * to us with kill(2) reaches the child; what the terminal sends, it sends to the child as well.
 * When the terminal stops the child we stop, too, so that the shell notices.
 *
 * To be called with every signal blocked, from before the fork on. Returns the status
 * of the child as waitpid(2) gives it.
 */
int supervise(pid_t child, struct follow *follow);

/*
 * After that: goes on for the traced processes that the child has left running, until none
 * is left, or SIGHUP, SIGINT, SIGQUIT or SIGTERM comes.
 */
void supervise_rest(struct follow *follow);

/*
 * Ends this process as the child ended: with its exit status, or by its signal, without
 * a second core dump.
 */
__attribute__((noreturn)) void die_like(int wait_status);

#endif
