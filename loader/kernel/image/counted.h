/*
 * counted.h - an image that counts the calls of its functions.
 *
 * Nothing in the functions changes. One more page of code is added after the image, with a
 * stub for each function, and the symbol table is made to point there:
 *
 *	__vdso_time ->  lock incq  counter(%rip)          (on x86-64)
 *	                jmp        the function itself
 *
 * The counters lie on the page after that one, which is shared with us and writable. So a
 * call costs an addition more, from any thread or signal handler, nothing is stopped for it,
 * and an image that is not counted pays nothing.
 *
 *	+------------------------+
 *	| the image          r-x |
 *	+------------------------+
 *	| stubs              r-x |
 *	+------------------------+
 *	| counters           rw- |  one page of the file for each program (map/place.h)
 *	+------------------------+
 *
 * The address of a stub appears nowhere but in the symbol table. A program that has one in
 * its memory has therefore looked that function up.
 */
#ifndef KERNEL_IMAGE_COUNTED_H
#define KERNEL_IMAGE_COUNTED_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/image/image.h"

#define COUNTED_MAX 32 /* functions; our image has eight at most */

struct counted {
	struct image image; /* to be mapped instead of the original */
	size_t count;
	struct {
		char name[48];  /* the exported name; of several the longest */
		uint64_t value; /* where the function is */
		uint64_t stub;  /* where it seems to be */
	} function[COUNTED_MAX];
};

/*
 * Makes a counted image out of one that has passed image_check(). Returns 0 or -errno: -E2BIG
 * for too many functions, -ENOEXEC for an image without a PT_LOAD or a .dynsym. The new image
 * is freed with counted_free().
 */
int counted_open(struct counted *counted, const struct image *image);
void counted_free(struct counted *counted);

#endif
