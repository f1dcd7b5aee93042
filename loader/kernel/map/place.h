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
#ifndef KERNEL_MAP_PLACE
#define KERNEL_MAP_PLACE

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/image/image.h"
#include "kernel/base/process.h"
#include "kernel/map/vvar.h"

struct placement {
	uintptr_t start; /* of the reservation: the data pages */
	size_t length;   /* of all of it */
	uintptr_t ehdr;  /* of the image: the value of AT_SYSINFO_EHDR */
	uintptr_t entry; /* of the image, if it has one: i386 says it in AT_SYSINFO */
};

/* Why a page was not placed; place_page() fills it on failure. */
struct place_error {
	char why[192];
};

/*
 * What is mapped: the data pages' memfd, and a sealed memfd with the image as it will
 * stand there. Made once, mapped as often as there are processes.
 */
struct page_files {
	int data, image;
	size_t image_length; /* whole pages */
	uint32_t entry;      /* image_entry() */
	bool in_namespace;   /* the page of offsets comes first */
	int counters;        /* a page behind the image for counters (counted.h), or -1 */
	off_t counters_at;   /* and which of that file it is */
};

/*
 * Checks the image (check.h; not with unchecked), makes a copy, fits it to this
 * machine's CPU and seals it. vvar must have been sealed; its descriptor is borrowed, the
 * image's is ours. Returns 0, or -errno with error filled.
 */
int page_files_open(struct page_files *files, const struct image *image,
		    const struct vvar *vvar, bool in_namespace, bool unchecked,
		    struct place_error *error);

/* Closes what page_files_open() opened: the image. */
void page_files_close(struct page_files *files);

/*
 * Reserves a random place in a process, where nothing is, and maps the data pages
 * read-only and a private copy of the image read-only and executable. The descriptors in
 * files must be open in that process.
 *
 * Returns 0, or -errno with error filled; then nothing is left mapped. Randomisation is
 * off where personality(2) of the process says so, as setarch -R has it.
 */
int place_files(struct process *process, const struct page_files *files,
		struct placement *placement, struct place_error *error);

/* All of it in one, for this process. */
int place_page(const struct image *image, const struct vvar *vvar, bool in_namespace,
	       bool unchecked, struct placement *placement, struct place_error *error);

/* Unmaps what was placed. */
void unplace_files(struct process *process, struct placement *placement);
void unplace_page(struct placement *placement);

#endif
