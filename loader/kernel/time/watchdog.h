/*
 * watchdog.h - sees to it that nobody believes a data page that nobody keeps.
 *
 * The kernel's timekeeper cannot die. Ours is a process, and processes are stopped and
 * killed. A fine clock finds out by itself: the counter runs past max_cycles. A coarse
 * clock reads no counter, which is its whole point, and would show the same moment for
 * ever. So a second process watches the first. When that is gone, or has not written for
 * a while, the page is abandoned: its mode says so, its number stays odd, and every reader
 * makes system calls. So does getrandom(), as nobody would tell it of a reseed. A timekeeper
 * that was only stopped repairs all of it with its next update.
 *
 * Both may write to the page at the same time, without harm: the watchdog only ever makes
 * a number odd, and only the timekeeper, at the end of a complete update, makes it even.
 */
#ifndef KERNEL_TIME_WATCHDOG
#define KERNEL_TIME_WATCHDOG

#include <sys/types.h>
#include <vdso/datapage.h>

/* How often it looks. A page without news since the last look is abandoned. */
#define WATCHDOG_PERIOD_MS 20

/* Tells the readers of the data pages to ask the kernel until the next update. */
void page_abandon(union vdso_data_store pages[VDSO_NR_DATA_PAGES]);

/*
 * Starts a watchdog over the calling process, which must be the timekeeper and have pages
 * mapped writable. It has a session of its own, holds none of our descriptors, and ends
 * soon after the timekeeper. Returns its process id or -errno.
 */
pid_t watchdog_start(union vdso_data_store pages[VDSO_NR_DATA_PAGES]);

/* Ends it early, when the timekeeper itself has abandoned the page. */
void watchdog_stop(pid_t watchdog);

#endif
