/*
 * padding.h - what stands between functions.
 */
#ifndef KERNEL_IMAGE_UNWIND_PADDING_H
#define KERNEL_IMAGE_UNWIND_PADDING_H

#include "kernel/image/check/checked.h"

/*
 * How many of these bytes, from the first on, only fill up: zeros, and instructions that do
 * nothing. Marks of where a jump may lead to, as endbr64, are among those.
 */
bool padding_is_known(const struct checked *c); /* of this machine */
uint64_t padding_length(const struct checked *c, uint64_t offset, uint64_t length);

#endif
