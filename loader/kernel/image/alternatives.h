/*
 * alternatives.h - fits a copy of the image to this CPU (vdso/alternative.h says why).
 */
#ifndef KERNEL_IMAGE_ALTERNATIVES
#define KERNEL_IMAGE_ALTERNATIVES

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the best instructions of a CPU over the places that the image's table names. has
 * says what the CPU has (VDSO_CPU_*); for this one it is cpu_has() of cpu.h. bytes is a
 * copy of a whole image file, size bytes long. An image without the table is left as it is.
 *
 * Returns the number of entries that were applied, or -EINVAL if the table is malformed or
 * points outside of the image; then some places may have been patched already.
 */
int alternatives_apply(unsigned char *bytes, size_t size, bool (*has)(unsigned feature));

#endif
