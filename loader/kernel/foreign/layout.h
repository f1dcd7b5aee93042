/*
 * layout.h - the data pages that the images of Linux read: a table.
 *
 * Where they lie and what is where in them is no part of any interface. It has changed with the
 * kernel's releases, and differs between machines: include/vdso/datapage.h there, and
 * lib/vdso/datastore.c, or arch/ARCH/include/asm/vvar.h before that. All have in common what a
 * reader of a clock needs: two structures one after the other, one for the clocks that the
 * kernel disciplines and one for MONOTONIC_RAW, and in each of them, in this order,
 *
 *	seq, clock_mode, cycle_last, max_cycles if it has one, mask, mult, shift, basetime[12]
 *
 * with the widths of struct vdso_data. So seq and clock_mode are one word of 64 bits here, too.
 */
#ifndef KERNEL_FOREIGN_LAYOUT_H
#define KERNEL_FOREIGN_LAYOUT_H

#include <vdso/types.h>

struct foreign_layout {
	const char *name; /* for messages: the releases that have it */
	unsigned machine; /* EM_* */
	u32 since, until; /* LINUX_VERSION_CODE: the first one, and the first one without */

	/* Pages, counted from the lowest; -1: there is none. Others are empty. */
	u8 pages; /* how many lie below the image */
	signed char time, timens, rng;
	signed char machines; /* what the machine's own functions read; all zeros will do */

	/* Bytes: from the start of the time page, of the rng page, and of a structure. */
	u16 data, rng_data;
	u16 size; /* of one structure */
	bool max_cycles;

	/* From the first structure: two words for the time zone, and one for the resolution. */
	u16 tz, res;
};

/* All of them, the newest of each machine first; the last one has no name. */
#define FOREIGN_LAYOUTS 32 /* not more than these */
extern const struct foreign_layout foreign_layouts[FOREIGN_LAYOUTS];

/* That of a release; NULL if none is known. */
const struct foreign_layout *foreign_layout_of(unsigned machine, u32 version);

#endif
