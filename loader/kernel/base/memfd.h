/*
 * memfd.h - a file without a name, for the data pages and for the image.
 *
 * Both are memory that must be mapped with exact rights and must not change under its readers,
 * which is what the seals of memfd_create(2) are for.
 */
#ifndef KERNEL_BASE_MEMFD_H
#define KERNEL_BASE_MEMFD_H

#include <stddef.h>

enum memfd_kind {
	MEMFD_DATA, /* will never be executable */
	MEMFD_CODE, /* will be mapped executable */
};

/*
 * Makes a memfd of size bytes, close-on-exec, with sealing allowed. The name shows
 * in /proc/PID/maps as "/memfd:name". Returns the descriptor or -errno: -EFBIG where the hard
 * limit of this process allows no files of that size (RLIMIT_FSIZE). A limit that is too low
 * is raised for a moment if we may, and there is no SIGXFSZ.
 */
int memfd_sealable(const char *name, size_t size, enum memfd_kind kind);

/*
 * One with these contents, and sealed against every change. It is never mapped here: a mapping
 * that another thread's fork(2) inherits would keep the seal away (EBUSY).
 */
int memfd_sealed(const char *name, const void *bytes, size_t size, enum memfd_kind kind);

#endif
