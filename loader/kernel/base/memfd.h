/*
 * memfd.h - a file without a name, for the data pages and for the image.
 *
 * Both are memory that must be mapped with exact rights and must not change
 * under its readers, which is what the seals of memfd_create(2) are for.
 */
#ifndef KERNEL_BASE_MEMFD
#define KERNEL_BASE_MEMFD

#include <stddef.h>

enum memfd_kind {
	MEMFD_DATA, /* will never be executable */
	MEMFD_CODE, /* will be mapped executable */
};

/*
 * Makes a memfd of size bytes, close-on-exec, with sealing allowed. The name shows
 * in /proc/PID/maps as "/memfd:name". Returns the descriptor or -errno.
 */
int memfd_sealable(const char *name, size_t size, enum memfd_kind kind);

#endif
