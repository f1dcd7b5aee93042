/*
 * place.h - finds room for data pages and image, at random, and maps both.
 *
 *     random page ->  +-------------------+
 *                     | data page      r--|  in a namespace: the offsets
 *                     +-------------------+
 *                     | (nothing)      ---|  in a namespace: the data page, r--
 *                     +-------------------+
 *                     | random numbers r--|  in a namespace as well
 *     ehdr, what the  +-------------------+
 *     vector says --> | image          r-x|
 *                     +-------------------+
 *
 * Code and data are placed in one piece, because the code finds the data by its
 * distance. The address is a secret worth keeping: whoever knows where code lies
 * can build an attack from it (kernel: map_vdso(), arch/x86/entry/vdso/vma.c).
 */
#ifndef KERNEL_PLACE_H
#define KERNEL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "vvar.h"

struct placement {
	uintptr_t start; /* of the reservation: the data pages */
	size_t length;   /* of all of it */
	uintptr_t ehdr;  /* of the image: the value of AT_SYSINFO_EHDR */
};

/* Why a page was not placed; place_page() fills it on failure. */
struct place_error {
	char why[192];
};

/*
 * Checks the image (image_check.h) before a byte of it is mapped, reserves a random
 * place where nothing is, and maps the data pages of vvar->fd read-only and a private
 * copy of the image read-only and executable. With in_namespace the page of offsets
 * comes first. With unchecked the check is left out.
 *
 * Returns 0, or -errno with error filled; then nothing is left mapped. vvar must have
 * been sealed. Randomisation is off where personality(2) says so, as setarch -R has it.
 */
int place_page(const struct image *image, const struct vvar *vvar, bool in_namespace,
	       bool unchecked, struct placement *placement, struct place_error *error);

/* Unmaps what place_page() mapped. */
void unplace_page(struct placement *placement);

#endif
