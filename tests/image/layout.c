/*
 * layout.c - uvdso_boot() refuses an image that reads other data pages, and no byte is read
 * outside of an image to find that out.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vdso/identity.h>

#include "image_copy.h"
#include "kernel/image/identity.h"
#include "uvdso.h"

/* A file without a place, and the name by which it is opened. */
static int file;
static char path[32];

/* Where the note's descriptor is in our image. */
static size_t find_desc(const struct image *image)
{
	const struct {
		uint32_t sizes[2], type;
		char owner[8];
	} head = {{6, 8}, VDSO_NOTE_LAYOUT, VDSO_NOTE_OWNER};
	const unsigned char *at = memmem(image->bytes, image->size, &head, sizeof(head));

	if (!at)
		bail_out("our image has no note of its own");
	return (size_t)(at - image->bytes) + sizeof(head);
}

static int boot(const struct copy *copy, bool unchecked, char *why, size_t size)
{
	struct uvdso_options options = {.image = path, .unchecked = unchecked};
	struct uvdso *vdso;
	int err;

	if (pwrite(file, copy->image, copy->size, 0) != (ssize_t)copy->size)
		bail_out("cannot write the image");
	err = uvdso_boot(&vdso, &options, why, size);
	if (!err)
		uvdso_shutdown(vdso);
	return err;
}

static void test_boot(const struct image *good)
{
	struct copy copy = copy_image(*good, GUARD_BEFORE);
	size_t desc = find_desc(good);
	char why[256] = "";

	is(boot(&copy, false, why, sizeof(why)), 0,
	   "an image that reads our data pages is taken");
	copy.image[desc] ^= 1;
	is(boot(&copy, false, why, sizeof(why)), -ENOEXEC, "one of another layout is not");
	if (!ok(strstr(why, "an image of another uvdso: 3 data pages, "),
		"and is named as what it is"))
		diag("got       %s", why);
	is(boot(&copy, true, why, sizeof(why)), 0, "unchecked it is taken nevertheless");
	copy_free(&copy);
}

/* Every length, and every byte of the notes by others: only the guard pages can complain. */
static void test_bounds(const struct image *good)
{
	struct copy copy = copy_image(*good, GUARD_BEHIND);
	size_t desc = find_desc(good);
	unsigned long ours = 0;
	struct image_identity identity;
	char words[16];

	for (size_t size = 0; size <= good->size; size++) {
		copy_fill(&copy, GUARD_BEHIND, good->bytes, good->size);
		memmove(copy.image + good->size - size, copy.image, size);
		identity =
			image_identity(&(struct image){copy.image + good->size - size, size});
		ours += image_reads_our_data(&identity) && size < desc + 8;
	}
	is(ours, 0ul, "an image that is cut off before the end of the note has none");
	copy_fill(&copy, GUARD_BEHIND, good->bytes, good->size);
	for (size_t at = 0; at < desc + 8; at++)
		for (unsigned value = 0; value < 256; value += 17) {
			copy.image[at] = (unsigned char)value;
			identity = image_identity(&(struct image){copy.image, good->size});
			copy.image[at] = good->bytes[at];
		}
	ok(true, "whatever one byte of it is, nothing else is read");
	identity = (struct image_identity){.has_version = true};
	is(image_identity_words(&identity, words, sizeof(words)), "a kernel's imag",
	   "words that are too long are cut");
	copy_free(&copy);
}

int main(void)
{
	struct image good = image_builtin();

	file = memfd_create("image", MFD_CLOEXEC);
	if (file < 0)
		bail_out("no memory for an image");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	test_boot(&good);
	test_bounds(&good);
	return done_testing();
}
