/*
 * requests.h - the tracer of a tree is asked for its clocks, or to change them, while it waits
 * for stops (`uvdso clock`).
 */
#ifndef KERNEL_PTRACE_REQUESTS_H
#define KERNEL_PTRACE_REQUESTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/clock/control.h"
#include "kernel/clock/desk.h"

/*
 * Waits for the next stop or request. Returns a process and its status, as waitpid(-1) does,
 * which is called in any case; 0 if requests have come; or -1 with errno. If waiting for both
 * fails the desk is closed, and from then on it waits by waitpid(2) alone.
 */
pid_t requests_wait(struct desk *desk, int *status);

/* To be called after the clocks have changed, before the request for that is answered. */
typedef void requests_changed(void *arg);

/* Answers the requests that wait. control is NULL if the clocks are the machine's for good. */
void requests_answer(const struct desk *desk, struct control *control,
		     requests_changed *changed, void *arg);

#endif
