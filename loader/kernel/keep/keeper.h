/*
 * keeper.h - the process that keeps the time, from its start to its end.
 *
 * The owner is the process for which the time is kept: that of a program that called
 * uvdso_boot(), or the one that is about to become the program of `uvdso run`. Timekeeper and
 * watchdog are its attendants (base/attendant.h). The owner never has the data pages mapped
 * writable, and keeps no descriptor.
 *
 * The timekeeper keeps the time as long as any process has the data pages mapped, and as long
 * as its owner lives. Its children may outlive the owner, and have the vDSO as well. If nobody
 * has it mapped while the owner lives, then the owner has become another program. A timekeeper
 * that stands apart ends then. One that is a child only waits, and ends after its owner, for
 * the reason that watchdog.h gives.
 */
#ifndef KERNEL_KEEP_KEEPER_H
#define KERNEL_KEEP_KEEPER_H

#include <stdbool.h>

#include "kernel/base/attendant.h"
#include "kernel/base/error.h"
#include "kernel/map/timens.h"
#include "kernel/map/vvar.h"
#include "kernel/time/counter.h"

struct timekeeper;

/*
 * What else the timekeeper does for its owner, if that asks it to (attendant_ask()), before it
 * keeps nothing but the time.
 */
struct keeper_duty {
	/* With what the owner has said; 0 or -errno. */
	int (*begin)(void *arg, pid_t owner, const void *question, struct error *error);
	/*
	 * After a begin() that returned 0; may write to standard error. It takes a while, in
	 * which the time is not kept: timekeeper_update() before the owner goes on.
	 */
	void (*serve)(void *arg, struct timekeeper *tk);
	void *arg;
	void *question; /* room for what the owner says, and how much that is */
	size_t size;
};

struct keeper {
	struct attendant timekeeper, watchdog;
	struct vvar vvar;        /* the data pages; the owner's descriptors are closed early */
	struct clock_wish wish;  /* what is asked for */
	struct timens timens;    /* ready: what readers see, with what we run in */
	struct control *control; /* to be filled by the timekeeper; or NULL */
	enum counter_choice counter;
	bool apart; /* the owner becomes a program that does not know of us */
	const struct keeper_duty *duty; /* or NULL */
	int owner; /* a pidfd for the timekeeper, or -1 (before Linux 5.3) */
	pid_t owner_pid;
	bool left_timens; /* what the owner starts is in another one (kernel_timens.h) */

	/* From keeper_ready() on. */
	const char *why_no_counter; /* a literal, or NULL */
	const char *counter_call;   /* which failed with this, if that is why; or 0 */
	int counter_err;
	unsigned slower; /* then, unless asked for: how many times as long a fine clock takes */
	double rate;     /* of the counter: ns a cycle */
	uint32_t mult, shift;
};

#define KEEPER_NONE                                                                          \
	{                                                                                    \
		.timekeeper = ATTENDANT_NONE, .watchdog = ATTENDANT_NONE, .vvar = VVAR_NONE, \
		.owner = -1                                                                  \
	}

/*
 * Starts the timekeeper. The caller has filled vvar (vvar_create()), wish, counter and
 * duty. Returns at once: other things can be done before keeper_ready(), while the timekeeper
 * calibrates. Returns 0, or -errno with error filled.
 */
int keeper_start(struct keeper *keeper, struct error *error);

/*
 * Waits until the data pages are ready for readers. Returns 0; or -errno with error filled, and
 * timekeeper and watchdog have ended.
 */
int keeper_ready(struct keeper *keeper, struct error *error);

/* The owner needs nothing more of them: closes all that it has open. May be called twice. */
void keeper_release(struct keeper *keeper);

/*
 * Ends both, and reaps them. Processes that were forked meanwhile, and use the data pages, make
 * system calls from then on. In such a process this does nothing.
 */
void keeper_end(struct keeper *keeper);

#endif
