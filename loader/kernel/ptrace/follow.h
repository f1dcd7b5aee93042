/*
 * follow.h - our vDSO for a whole tree of processes: also for what the program starts.
 *
 * At execve(2) the kernel throws away everything that a process had mapped, our vDSO included,
 * and maps its own. So we stay the tracer (ptrace(2)) of the program and of all that it starts,
 * are told of each execve(2), and put our vDSO in (inject.h) before the new program runs.
 *
 * Nothing else is stopped for: not system calls, but those that set the clock, not page faults.
 * A tracer is also told of signals, new threads and new processes, like it or not, and these
 * are passed on unchanged. A traced process cannot be traced by a second one: gdb and strace do
 * not work inside the tree. A tree with clocks of its own (control) is stopped for system calls
 * that name a time (deadlines.h), and ends with us: its clocks would jump. When we are gone
 * from another one, for whatever reason, the kernel lets all processes go on. Those that are in
 * the middle of an injection are killed, because they have registers of ours, and so is the
 * first one up to then, because it would run on other clocks than it was started for; with a
 * trace all are, because their system calls wait for a tracer.
 */
#ifndef KERNEL_PTRACE_FOLLOW_H
#define KERNEL_PTRACE_FOLLOW_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/base/error.h"
#include "kernel/base/event.h"
#include "kernel/clock/control.h"
#include "kernel/clock/desk.h"
#include "kernel/map/place.h"
#include "kernel/ptrace/time/deadlines.h"
#include "kernel/ptrace/trace.h"

struct follow {
	struct vdso_files files;     /* open until the end */
	const struct timens *timens; /* of these files */
	struct control *control;     /* the clocks of the tree, if they are not the kernel's */
	const struct events *events;
	bool keep_kernel_vdso;
	bool first_only;     /* what the program starts keeps the kernel's vDSO */
	bool leave;          /* ... and the first one is not traced any longer than it takes */
	bool settles;        /* who sets the clock is held until it is published (settle.h) */
	struct trace *trace; /* count what each program does with the vDSO, or NULL */

	struct desk desk; /* where it takes requests meanwhile, or DESK_NONE */

	/* Called before the first one goes on, or NULL: placing the vDSO has taken a while. */
	void (*before_first)(void *arg);
	void *arg;

	struct deadlines deadlines; /* with control: its calls that name a time */

	pid_t first;         /* the program itself */
	bool started;        /* it has our vDSO */
	bool left;           /* and we do not trace it any more */
	bool told_by_kernel; /* (EVENT_BY_KERNEL) */
	pid_t told;          /* whose end has been told (EVENT_FAILED), or 0 */
	bool stuck;          /* that one stops again at its end, and goes only with us */
};

/*
 * Becomes the tracer of a process that has the same memory as we have, by clone(2) or fork(2),
 * is waiting for us before its execve(2), and will go through it with the descriptors in files
 * open. Tries on it all that is denied here and there. Returns 0, or -errno with error filled.
 */
int follow_start(struct follow *follow, pid_t first, struct error *error);

/*
 * Deals with what waitpid(2), with __WALL, has said of a traced process, and lets it go on.
 * Returns 0; or, when a process of the tree stopped because it was told to (SIGSTOP, ^Z), that
 * signal.
 *
 * status is changed if the process ended meanwhile.
 */
int follow_event(struct follow *follow, pid_t pid, int *status);

/* Deals with all there is until the first program is left (follow->leave), or all have ended.
 */
void follow_to_end(struct follow *follow);

/*
 * The clocks of the tree have been changed (control_write()): waits for a deadline that are
 * under way are converted anew.
 */
void follow_clocks_changed(struct follow *follow);

/* Is any process still traced by us? */
bool follow_any_left(void);

#endif
