/*
 * image.h - the bytes of a page: the built-in one, or one from a file.
 *
 * The kernel carries its vDSO as an array inside itself and never opens a file
 * for it (arch/arm64/kernel/vdso.S includes the image as it was linked). So do
 * we: a program that is linked with libuvdso.a needs nothing else on the disk.
 */
#ifndef KERNEL_IMAGE_IMAGE
#define KERNEL_IMAGE_IMAGE

#include <stddef.h>

/* An image larger than this is refused unread; the largest kernel page is 8 KiB. */
#define IMAGE_MAX (1u << 20)

struct image {
	const unsigned char *bytes;
	size_t size;
};

/* The page that was built together with this program. Never fails; do not free. */
struct image image_builtin(void);

/*
 * Reads a whole image file into memory of the caller's, to be freed with
 * image_free(). Returns 0 or -errno: what open(2) and read(2) say, -EFBIG for a
 * file above IMAGE_MAX, -EISDIR for a folder, -ETIMEDOUT for a pipe that stays silent. The
 * contents are not looked at.
 */
int image_read(const char *path, struct image *image);
void image_free(struct image *image);

#endif
