/*
 * patch.h - fits a copy of a kernel's image to this CPU, as that kernel does at boot.
 *
 * The table is .altinstructions (asm/alternative.h there, of x86 and arm64): where, with what,
 * and a feature of the CPU. Features are numbered anew from release to release, and entries
 * have had 12, 13 and 14 bytes. So entries are judged by the code that they write, of which
 * images have had few kinds. What is not known is not written: the image was built with code
 * that works everywhere.
 *
 * One kind is even taken back, in an image that was cut from memory: sysenter and syscall in
 * the image of i386. After these the kernel returns to where it has mapped its own image.
 */
#ifndef KERNEL_FOREIGN_PATCH_H
#define KERNEL_FOREIGN_PATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * bytes is a copy of a whole image file. has as for alternatives_apply()
 * (image/alternatives.h). Returns the number of places that were written; 0 for a table that
 * makes no sense.
 */
int foreign_patch(unsigned char *bytes, size_t size, bool (*has)(unsigned feature));

#endif
