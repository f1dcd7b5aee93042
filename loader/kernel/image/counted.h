/*
 * counted.h - an image that counts the calls of its functions.
 *
 * Nothing in the functions changes. Behind the image one more page of code is added, with
 * a stub for each function, and the symbol table is made to point there:
 *
 *	__vdso_time ->  lock incq  counter(%rip)
 *	                jmp        the function itself
 *
 * The counters lie on the page behind that one, which is shared with us and writable. So
 * a call costs an addition more, from any thread or signal handler, nobody is stopped for
 * it, and an image that is not counted has nothing of all this in it.
 *
 *	+------------------------+
 *	| the image          r-x |
 *	+------------------------+
 *	| stubs              r-x |
 *	+------------------------+
 *	| counters           rw- |  one page of the file for each program (place.h)
 *	+------------------------+
 *
 * An address of a stub is nowhere but in the symbol table. So who has one in its memory
 * has looked that function up.
 */
#ifndef KERNEL_IMAGE_COUNTED
#define KERNEL_IMAGE_COUNTED

#include <stddef.h>
#include <stdint.h>

#include "kernel/image/image.h"

#define COUNTED_MAX 32 /* functions; the page has eight at most */

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
 * Makes a counted image out of one that has passed image_check(). Returns 0 or -errno:
 * -ENOSYS on a machine that we have no stub for, -E2BIG for too many functions. The new
 * image is freed with counted_free().
 */
int counted_open(struct counted *counted, const struct image *image);
void counted_free(struct counted *counted);

#endif
