/*
 * where.c - image_where() says what lies at an offset of an image, and reads nothing outside of
 * it.
 */
#include "image_copy.h"
#include "kernel/image/where.h"

#define ROUNDS 20000

static uint64_t next_random(void)
{
	/* The same numbers each time: a failure can be looked at. */
	static uint64_t state = 12;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static void says(const struct image *image, const void *field, const char *words)
{
	char where[128];

	image_where(image, (uint64_t)((const unsigned char *)field - image->bytes), where,
		    sizeof(where));
	if (!ok(!strcmp(where, words), "%s", words))
		but_got("%s", where);
}

/* One of each table, and in each a field that is not the first. */
static void test_words(const struct copy *copy)
{
	struct image image = {copy->image, copy->size};
	const ElfW(Ehdr) *ehdr = (const void *)copy->image;
	const ElfW(Phdr) *phdr = (const void *)(copy->image + ehdr->e_phoff);
	const ElfW(Shdr) *shdr = (const void *)(copy->image + ehdr->e_shoff);
	const ElfW(Sym) *sym = copy_table(copy, DT_SYMTAB);
	const char *strings = copy_table(copy, DT_STRTAB);
	const ElfW(Dyn) *dynamic = NULL;
	char words[128];

	says(&image, copy->image, "the ELF header, e_ident");
	says(&image, &ehdr->e_phnum, "the ELF header, e_phnum");
	says(&image, (const char *)&ehdr->e_shstrndx + 1, "the ELF header, e_shstrndx");
	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_DYNAMIC) {
			snprintf(words, sizeof(words),
				 "program header %d (PT_DYNAMIC), p_flags", i);
			says(&image, &phdr[i].p_flags, words);
			dynamic = (const void *)(copy->image + phdr[i].p_offset);
		}
	for (int i = 0; i < ehdr->e_shnum; i++)
		if (shdr[i].sh_type == SHT_DYNSYM) {
			snprintf(words, sizeof(words),
				 "section header %d (.dynsym), sh_entsize", i);
			says(&image, &shdr[i].sh_entsize, words);
		}
	snprintf(words, sizeof(words), "symbol 1 of .dynsym (%s), st_value",
		 strings + sym[1].st_name);
	says(&image, &sym[1].st_value, words);
	snprintf(words, sizeof(words), "entry %zu of .dynamic (DT_SYMTAB)",
		 (size_t)(copy_dynamic(copy, DT_SYMTAB) - dynamic));
	says(&image, copy_dynamic(copy, DT_SYMTAB), words);
	says(&image, (const char *)copy_table(copy, DT_STRTAB) + 3, ".dynstr + 0x3");
	says(&image, copy->image + copy->size, "behind the end of the file");
	says(&image, copy->image - 1, "behind the end of the file");
}

/* Whatever the image is: one line of printable ASCII, within the buffer. The rest is a SIGSEGV.
 */
static void test_broken(const struct image *good)
{
	struct copy copy = copy_image(*good, GUARD_BEHIND);
	unsigned long bad = 0;

	for (int round = 0; round < ROUNDS; round++) {
		size_t size = good->size - (next_random() % 4 ? 0 : next_random() % good->size);
		char where[65];
		size_t room = 1 + next_random() % (sizeof(where) - 1);
		struct image image;

		copy_fill(&copy, GUARD_BEHIND, good->bytes, size);
		/* The headers and tables, where all numbers are, have the first quarter. */
		for (uint64_t n = next_random() % 8; n > 0; n--)
			copy.image[next_random() % (n & 1 ? size : size / 4 + 1)] =
				(unsigned char)next_random();
		image = (struct image){copy.image, size};
		memset(where, 0x7f, sizeof(where));
		image_where(&image, next_random() % (size + 2), where, room);
		bad += strnlen(where, room) == room || where[room] != 0x7f;
		for (const char *p = where; p < where + room && *p; p++)
			bad += *p < ' ' || *p > '~';
	}
	if (!ok(bad == 0, "of %d broken images each gives a line that can be printed", ROUNDS))
		diag("%lu do not", bad);
	copy_free(&copy);
}

int main(void)
{
	struct image good = image_builtin();
	struct copy copy = copy_image(good, GUARD_BEFORE);

	test_words(&copy);
	copy_free(&copy);
	test_broken(&good);
	return done_testing();
}
