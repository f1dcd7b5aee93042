/*
 * image.h - the bytes of an image: the built-in one, or one from a file.
 *
 * The kernel carries its vDSO as an array inside itself and never opens a file for it
 * (arch/arm64/kernel/vdso.S includes the image as it was linked). So do we: a program
 * that is linked with libuvdso.a needs nothing else on the disk.
 */
#ifndef KERNEL_IMAGE_IMAGE_H
#define KERNEL_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image larger than this is refused unread; the largest of a kernel has 8 KiB. */
#define IMAGE_MAX (1u << 20)

struct image {
	const unsigned char *bytes;
	size_t size;
};

/* The image that was built together with this program. Never fails; do not free. */
struct image image_builtin(void);

/*
 * Reads a whole image file into memory, to be freed with image_free(). Returns 0 or -errno:
 * what open(2) and read(2) say, -EFBIG for a file above IMAGE_MAX, -EISDIR for a directory,
 * -ETIMEDOUT for a pipe that stays silent. The contents are not looked at.
 */
int image_read(const char *path, struct image *image);
void image_free(struct image *image);

/* The machine (EM_* of elf.h) that the image is for; 0 if these bytes are not an ELF file. */
unsigned image_machine(const struct image *image);

/* Is it for the machine and the class of this uvdso? An x32 image is not for x86-64. */
bool image_is_for_host(const struct image *image);

/* The names of its machine and of this uvdso's, for messages. */
const char *image_machine_name(const struct image *image);
const char *host_machine_name(void);

/*
 * The entry of its ELF header, for an image that is known to be an ELF file; 0 if there is
 * none. i386's image has one, for AT_SYSINFO.
 */
uint32_t image_entry(const struct image *image);

#endif
