/*
 * timens.h - time namespaces: clocks that run like all others, but at another time.
 *
 * The kernel can shift MONOTONIC and BOOTTIME for a group of processes (time_namespaces(7)).
 * Our data pages belong to one program alone, so they can shift REALTIME and TAI as well.
 *
 * What the offsets are is decided here; vvar.c writes them to the data page, which the
 * functions of the image add to every answer.
 */
#ifndef KERNEL_MAP_TIMENS_H
#define KERNEL_MAP_TIMENS_H

#include <stdbool.h>
#include <vdso/datapage.h>

#include "kernel/clock/clock_map.h"

/* "realtime", ... as users write them. */
extern const char *const timens_clock_name[TIMENS_CLOCKS];

struct timens {
	s64 seconds[TIMENS_CLOCKS];
};

/*
 * Reads "CLOCK=+N", "CLOCK=-Nd" and the like: N whole seconds, or minutes, hours, days.
 * Returns NULL, or a sentence that says what is wrong with the text.
 */
const char *timens_parse(const char *text, struct timens *timens);

/* True if no clock is shifted: then no namespace is needed. */
bool timens_is_empty(const struct timens *timens);

/*
 * Would a shifted clock be negative, or beyond what the kernel can represent (a signed
 * 64-bit number of nanoseconds)? Returns NULL if not, else a sentence, in static storage.
 */
const char *timens_check(const struct timens *timens);

/*
 * Adds what the clocks of this process are ahead of the kernel's: it may itself run on a vDSO
 * of ours, and what it starts is to see its clocks, shifted further. To be called after
 * timens_check(), which asks these clocks; by the timekeeper, since it takes system calls, and
 * the clock system calls of its owner should be those of the program.
 */
void timens_inherit(struct timens *timens);

/*
 * The offset of each clock id: coarse clocks and alarms are shifted with their clock. What the
 * kernel has shifted a program's clocks by is added (kernel_timens.h), or NULL.
 */
void timens_offsets(const struct timens *timens,
		    const struct timens_offset ahead[TIMENS_CLOCKS],
		    struct timens_offset offset[VDSO_BASES]);

#endif
