/*
 * identity.h - what an image is: whose, and which data pages it reads.
 *
 * Its notes say so. Ours has the note of vdso/identity.h, kernels' have one with their version;
 * other makers of vDSOs write the latter, too, or none at all.
 */
#ifndef KERNEL_IMAGE_IDENTITY_H
#define KERNEL_IMAGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/image/image.h"

struct image_identity {
	unsigned nr_layouts;       /* notes that say which: more than one say nothing */
	bool has_layout;           /* the note of vdso/identity.h is there */
	uint32_t layout, nr_pages; /* and what it says */
	uint32_t ours;             /* the layout of our image for its machine */
	bool has_version;          /* owner "Linux", type 0 */
	uint32_t version;          /* as LINUX_VERSION_CODE */
};

/* Reads no byte outside of the image, whatever is in it. */
struct image_identity image_identity(const struct image *image);

/*
 * Are the data pages that it reads ours, on its machine? (foreign/probe.h is about those of
 * kernels.)
 */
bool image_reads_our_data(const struct image_identity *identity);

/*
 * Both in words: "a kernel's image, Linux 6.12: it reads that kernel's data pages". Longer
 * ones are cut. Returns text.
 */
const char *image_identity_words(const struct image_identity *identity, char *text,
				 size_t size);

#endif
