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
 * Each of the three is a stride long, on some machines more than a page (vdso/datapage.h).
 *
 * Image and data are placed in one piece, because the code finds the data by its distance. The
 * address is a secret worth keeping: an attacker who knows where code lies can use it (kernel:
 * map_vdso(), arch/x86/entry/vdso/vma.c).
 */
#ifndef KERNEL_MAP_PLACE_H
#define KERNEL_MAP_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/base/error.h"
#include "kernel/base/process.h"
#include "kernel/image/image.h"
#include "kernel/map/vvar.h"

struct placement {
	uintptr_t start;   /* of the reservation: the data pages */
	size_t length;     /* of all of it */
	uintptr_t ehdr;    /* of the image: the value of AT_SYSINFO_EHDR */
	uintptr_t entry;   /* of the image, if it has one: i386 says it in AT_SYSINFO */
	uintptr_t landing; /* after the image: where a start by hand ends (arch/jump.h) */
	uintptr_t slots;   /* after that: memory that only a tracer can write, or 0 */
};

/*
 * What is mapped: the memfd of the data pages, and a sealed memfd with the image as it will
 * stand there. Made once, mapped as often as there are processes.
 */
struct vdso_files {
	int data, image;
	size_t image_size;
	size_t image_length; /* with the landing, in whole pages */
	uint32_t entry;      /* image_entry() */
	bool in_namespace;   /* the data page of offsets comes first; false when opened */
	int offsets;         /* a file with that page alone; -1: it is among the data pages */
	/* What the image reads: NULL for our data pages. */
	const struct foreign_layout *foreign;
	int counters;      /* a page after the image for counters (counted.h), or -1 */
	off_t counters_at; /* and which of that file it is */
	size_t slots;      /* how much memory for a tracer comes after all that (deadlines.h) */
};

/*
 * Checks the image (check.h; not with unchecked) and that it reads our data pages (identity.h),
 * unless vvar->foreign says which others, makes a copy, fits it to this machine's CPU and seals
 * it. vvar must have been sealed; its descriptor is borrowed, the image's is ours. Returns 0,
 * or -errno with error filled.
 */
int vdso_files_open(struct vdso_files *files, const struct image *image,
		    const struct vvar *vvar, bool unchecked, struct error *error);

/* From one data page to the next, and how many bytes of them lie right before the image. */
size_t vdso_files_stride(const struct vdso_files *files);
size_t vdso_files_data_length(const struct vdso_files *files);

/* How far after the beginning of the image its slots are. */
size_t vdso_files_slots_at(const struct vdso_files *files);

/* Closes what vdso_files_open() opened: the image. */
void vdso_files_close(struct vdso_files *files);

/*
 * Reserves a random place in a process, where nothing is, and maps the data pages read-only and
 * a private copy of the image read-only and executable. The descriptors in files must be open
 * in that process.
 *
 * Returns 0, or -errno with error filled; then nothing is left mapped. The place is not random
 * where personality(2) of the process says so, as setarch -R sets it.
 */
int vdso_files_place(struct process *process, const struct vdso_files *files,
		     struct placement *placement, struct error *error);

/* All of it in one, for this process. */
int vdso_place(const struct image *image, const struct vvar *vvar, bool in_namespace,
	       bool unchecked, struct placement *placement, struct error *error);

/* Unmaps what was placed in a process. */
void vdso_unplace(struct process *process, struct placement *placement);

#endif
