/*
 * watchdog.h - sees to it that no reader believes data pages that are no longer kept.
 *
 * The kernel's timekeeper cannot die. Ours is a process, and processes are stopped and
 * killed. A fine clock notices by itself: the counter runs past max_cycles. A coarse clock
 * reads no counter, which is its whole point, and would show the same moment for ever. So a
 * second process watches the first. When that is gone, or has not written for a while, the
 * data page is abandoned: its mode says so, its number stays odd, and every reader makes
 * system calls. So does getrandom(), which would not learn of a reseed. A timekeeper that was
 * only stopped repairs all of it with its next update.
 *
 * A kernel's image makes no system call for a coarse clock, whatever its data page says. So
 * with a mirror (foreign/mirror.h) the watchdog keeps these as long as nobody else does.
 *
 * Both may write to the data page at the same time, without harm: the watchdog only ever makes
 * a number odd, and only the timekeeper, at the end of a complete update, makes it even.
 */
#ifndef KERNEL_KEEP_WATCHDOG_H
#define KERNEL_KEEP_WATCHDOG_H

#include "kernel/base/attendant.h"
#include "kernel/map/vvar.h"
#include "kernel/time/timekeeper.h"

/* How often it looks. A data page without an update since the last look is abandoned. */
#define WATCHDOG_PERIOD_MS 20

/* Tells the readers of the data pages to ask the kernel until the next update. */
void watchdog_abandon(union vdso_data_store pages[VDSO_NR_DATA_PAGES]);

struct watchdog {
	struct attendant process;
	int life; /* the pipe that it watches: to be kept open by the timekeeper alone */
};

/*
 * Starts a watchdog over the calling process, which must be the timekeeper and have the data
 * pages mapped writable. It ends when the timekeeper has ended; but not before its owner, if
 * that has become another program which does not use them: the end of a child, even of a hidden
 * one, then sends SIGCHLD (kernel/signal.c, do_notify_parent()). owner is a pidfd or -1,
 * owner_pid its number. tk is what is known of the clocks by now. Returns 0 or -errno.
 */
int watchdog_start(struct watchdog *watchdog, struct vvar *vvar, const struct timekeeper *tk,
		   int owner, pid_t owner_pid);

#endif
