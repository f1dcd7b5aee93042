/*
 * where.h - what lies at an offset of an image.
 */
#ifndef KERNEL_IMAGE_WHERE_H
#define KERNEL_IMAGE_WHERE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/image/image.h"

/*
 * In one line of printable ASCII: "symbol 3 of .dynsym (__vdso_time), st_value". Cut if it is
 * longer than size - 1. Reads no byte outside of the image, whatever is in it; allocates
 * nothing, and may be called from any thread. Returns to.
 */
const char *image_where(const struct image *image, uint64_t offset, char *to, size_t size);

#endif
