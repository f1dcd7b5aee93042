/*
 * random.h - random bytes, from getrandom(2) or where it is denied from /dev/urandom.
 */
#ifndef KERNEL_BASE_RANDOM_H
#define KERNEL_BASE_RANDOM_H

#include <stddef.h>

/* At most 256 bytes, which come as a whole. Returns 0 or -errno, of getrandom(2). */
int random_bytes(void *bytes, size_t size);

#endif
