/*
 * padding.h - what stands between functions.
 */
#ifndef KERNEL_IMAGE_UNWIND_PADDING_H
#define KERNEL_IMAGE_UNWIND_PADDING_H

#include "kernel/image/elf_bytes.h"

/*
 * How many other bytes are code: all of them on x86, and elsewhere four instructions. Less than
 * that may be a constant that stands among the code, as ppc64's image has one.
 */
uint64_t padding_least_code(const struct elf_bytes *elf);
bool padding_is_known(const struct elf_bytes *elf); /* of this machine */
/*
 * How many of these bytes, from the first on, only fill up: zeros, and instructions that do
 * nothing. Marks of where a jump may lead to, as endbr64, are among those.
 */
uint64_t padding_length(const struct elf_bytes *elf, uint64_t offset, uint64_t length);

#endif
