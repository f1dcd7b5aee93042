/*
 * clocks.h - which clock ids the vDSO answers itself, and from which base.
 *
 * The numbers are those of the system call (uapi linux/time.h). A clock belongs to one of three
 * groups. They are bit masks, so that one shift and one AND decide where a call goes:
 *
 *   HRES    high resolution: counter * mult on top of a base, disciplined
 *   RAW     the same arithmetic with a mult of its own, never disciplined
 *   COARSE  the value at the last update, without a read of the counter
 *
 * For everything else (CPU time clocks, alarms, the negative ids of dynamic clocks) the vDSO
 * makes the system call.
 */
#ifndef VDSO_CLOCKS_H
#define VDSO_CLOCKS_H

/* clang-format off */
#define VDSO_CLOCK_REALTIME         0
#define VDSO_CLOCK_MONOTONIC        1
#define VDSO_CLOCK_MONOTONIC_RAW    4
#define VDSO_CLOCK_REALTIME_COARSE  5
#define VDSO_CLOCK_MONOTONIC_COARSE 6
#define VDSO_CLOCK_BOOTTIME         7
#define VDSO_CLOCK_REALTIME_ALARM   8
#define VDSO_CLOCK_BOOTTIME_ALARM   9
#define VDSO_CLOCK_TAI              11

/* One slot for each id up to the highest that the vDSO answers. */
#define VDSO_BASES (VDSO_CLOCK_TAI + 1)

#define VDSO_BIT(id) (1u << (id))
#define VDSO_HRES    (VDSO_BIT(VDSO_CLOCK_REALTIME) | VDSO_BIT(VDSO_CLOCK_MONOTONIC) | \
		      VDSO_BIT(VDSO_CLOCK_BOOTTIME) | VDSO_BIT(VDSO_CLOCK_TAI))
#define VDSO_COARSE  (VDSO_BIT(VDSO_CLOCK_REALTIME_COARSE) | \
		      VDSO_BIT(VDSO_CLOCK_MONOTONIC_COARSE))
#define VDSO_RAW     (VDSO_BIT(VDSO_CLOCK_MONOTONIC_RAW))

/* Those that show a date, which may go at a rate of their own (datapage.h, CS_WALL). */
#define VDSO_WALL    (VDSO_BIT(VDSO_CLOCK_REALTIME) | VDSO_BIT(VDSO_CLOCK_TAI) | \
		      VDSO_BIT(VDSO_CLOCK_REALTIME_COARSE))
/* clang-format on */

/* gettime.c gets from a coarse clock to its fine one by this distance. */
_Static_assert(VDSO_CLOCK_MONOTONIC_COARSE - VDSO_CLOCK_MONOTONIC ==
		       VDSO_CLOCK_REALTIME_COARSE - VDSO_CLOCK_REALTIME,
	       "both coarse clocks are equally far from their fine ones");

#endif
