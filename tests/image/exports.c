/*
 * exports.c - what kernel/image/exports.h lists is what a program finds.
 *
 * Two parts of the project read what an image exports: the C library's resolver, for programs,
 * which opens images of this machine alone, and exports.h, for images of any. Where both open
 * an image they must say the same, also of one with wrong bytes in it; and neither may read a
 * byte outside of it, or go on for ever. Images of other machines are in other-images.t.
 */
#include <stdint.h>

#include "image_copy.h"
#include "kernel/image/exports.h"
#include "libc/vdso_elf.h"
#include "tap.h"

#define NR_MUTANTS 30000

static uint64_t state = 1;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Symbol by symbol; the first one that differs, or 0. */
static unsigned differs(const struct vdso_elf *elf, const struct exports *exports)
{
	unsigned count = vdso_elf_symbol_count(elf);

	for (unsigned i = 1; i < count || i < exports->nr_symbols; i++) {
		struct vdso_elf_entry theirs = {.name = NULL};
		struct export ours = {.name = NULL};
		bool found = vdso_elf_symbol_at(elf, i, &theirs);

		if (found != exports_at(exports, i, &ours) ||
		    (found && (!same_text(theirs.name, ours.name) ||
			       !same_text(theirs.version, ours.version) ||
			       theirs.type != ELF64_ST_TYPE(ours.symbol.info))))
			return i;
	}
	return 0;
}

static void test_sound(const char *what, const struct image *image)
{
	struct vdso_elf elf;
	struct exports exports;
	struct export export;
	const char *why = exports_open(&exports, image->bytes, image->size);

	if (vdso_elf_open(&elf, image->bytes, image->size) || why) {
		ok(false, "%s can be opened by both", what);
		because("%s", why ? why : "the resolver refuses it");
		return;
	}
	is(differs(&elf, &exports), 0, "%s: both list the same functions and versions", what);
	ok(exports_find(&exports, "__vdso_clock_gettime", &export) ||
		   exports_find(&exports, "__kernel_clock_gettime", &export),
	   "... and one is found by its name");
	ok(!exports_find(&exports, "no_such_function", &export),
	   "... but not one that is none");
}

static void test_mutants(const struct image *image)
{
	unsigned long both = 0, different = 0;
	struct copy copies[2] = {copy_image(*image, GUARD_BEFORE),
				 copy_image(*image, GUARD_BEHIND)};

	for (unsigned n = 0; n < NR_MUTANTS; n++) {
		enum guard guard = n & 1 ? GUARD_BEHIND : GUARD_BEFORE;
		struct copy *copy = &copies[n & 1];
		struct exports exports;
		struct export export;
		struct vdso_elf elf;

		copy_fill(copy, guard, image->bytes, image->size);
		for (uint64_t flips = 1 + next_random() % 4; flips > 0; flips--)
			copy->image[next_random() % copy->size] =
				next_random() & 1 ? (unsigned char)next_random()
						  : (unsigned char)(next_random() % 4);
		/* Sometimes it is said to be of the other class, or the other byte order. */
		if (next_random() % 8 == 0)
			copy->image[EI_CLASS + next_random() % 2] ^= 3;
		if (exports_open(&exports, copy->image, copy->size))
			continue;
		for (uint32_t i = 0; i < exports.nr_symbols; i++)
			exports_at(&exports, i, &export);
		exports_find(&exports, "__vdso_time", &export);
		if (vdso_elf_open(&elf, copy->image, copy->size))
			continue;
		both++;
		different += differs(&elf, &exports) != 0;
	}
	cmp_ok(both, >, NR_MUTANTS / 8, "both open many images with wrong bytes");
	if (!is(different, 0, "... and list the same of each"))
		because("`uvdso diff` would compare what no program finds");
	copy_free(&copies[0]);
	copy_free(&copies[1]);
}

int main(void)
{
	struct image builtin = image_builtin(), kernel = kernel_image();

	test_sound("our image", &builtin);
	if (kernel.bytes)
		test_sound("the kernel's image", &kernel);
	test_mutants(&builtin);
	return done_testing();
}
