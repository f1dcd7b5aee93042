/*
 * probe.h - which data pages does an image read? It is asked.
 *
 * Its note says from which release it is, and the table what that release had. But an image may
 * come from a kernel that somebody has changed, or that is newer than the table. So its
 * functions are called, by an attendant, on data pages that say what no clock shows: every
 * field is right in the answer, or it is another layout. Nothing is mapped around the pages
 * that the layout names, so that a look elsewhere is an end, and is told; and what the layout
 * does not name has one value in one round and another one in the next.
 *
 *	still     the counter does not count: bases, zone and resolution, to the nanosecond
 *	moving    cycle_last, mult, shift
 *	none      clock_mode: the kernel's own answer
 *	updates   seq: an odd number is waited for
 *	random    generation and is_ready
 *
 * And all of it once more with a page of offsets before the data, as in a time namespace, for
 * which the functions have code of their own. What cannot be seen from outside is a number that
 * is looked at before the data and not after it.
 *
 * An image that waits for the end of an update in a page of offsets knows no time namespaces;
 * then there is none in the layout that is found.
 */
#ifndef KERNEL_FOREIGN_PROBE_H
#define KERNEL_FOREIGN_PROBE_H

#include "kernel/base/error.h"
#include "kernel/foreign/layout.h"
#include "kernel/image/image.h"

/*
 * Finds the layout of an image of this machine's, which has been found to be no uvdso's. Takes
 * a few milliseconds, and processes of its own. *layout is one that fits, in static storage
 * until the next call. Returns 0; or -ENOEXEC, with error saying what was seen, and *layout is
 * that of its note, or NULL if that is not known or the image looks elsewhere; or another
 * -errno.
 */
int foreign_probe(const struct image *image, const struct foreign_layout **layout,
		  struct error *error);

/*
 * Is it this one? 1 or 0, or -errno; with 1, *no_namespace says whether the image knows none,
 * as far as the layout has one.
 */
int foreign_fits(const struct image *image, const struct foreign_layout *layout,
		 bool *no_namespace);

/*
 * What is to be done about an image before data pages are made for it: NULL in *layout for
 * ours, and for what nobody can run and place.h will refuse. With force one that does not fit
 * is taken for what its note says. Returns 0, or -errno with error filled.
 */
int foreign_recognise(const struct image *image, bool force,
		      const struct foreign_layout **layout, struct error *error);

#endif
