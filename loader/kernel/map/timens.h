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

#include "kernel/clock/wish.h"

struct timens {
	s64 ns[TIMENS_CLOCKS];
	bool answered; /* system calls are answered with these clocks already, by a tracer */
	bool own; /* ... and the data page has them: no offsets, for all but a kernel's image */
};

/* True if the data page shows what readers are to see: then no namespace is needed. */
bool timens_is_empty(const struct timens *timens);

/* What the clocks of this process show, for clock_wish_check(). */
void timens_now(struct clock_now *now);

/*
 * What the clocks of the kernel show, and how far those of this process are ahead of them: it
 * may itself run on a vDSO of ours, and the programs that it starts are to see its clocks,
 * shifted further. For the timekeeper, since it takes system calls, and the clock system calls
 * of its owner should be those of the program.
 */
void timens_kernel_now(struct clock_now *now);

/*
 * Does this process run on a vDSO of ours on which REALTIME has another rate than MONOTONIC?
 * Then no timekeeper can keep the time by its clocks, of which one is set all the time.
 */
bool timens_is_rated(void);

/* Clocks that have been shifted, and nothing else. */
void timens_set(struct timens *timens, const struct own_clocks *clocks);

/*
 * What is to be added to the kernel's own answers (CS_KERNEL): the offsets but those that the
 * kernel has added itself, or a tracer.
 */
void timens_kernels(const struct timens *timens, struct timens_offset offset[VDSO_BASES]);

/*
 * The offset of each clock id: coarse clocks and alarms are shifted with their clock. What the
 * kernel has shifted a program's clocks by is added (kernel_timens.h), or NULL.
 */
void timens_offsets(const struct timens *timens,
		    const struct timens_offset ahead[TIMENS_CLOCKS],
		    struct timens_offset offset[VDSO_BASES]);

#endif
