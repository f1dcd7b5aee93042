/*
 * resolver.h - what the tests of the resolver share: the names, and what is true of them.
 *
 * Where a name really lies is read from the section headers, which the resolver never
 * looks at: two ways to one answer.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "image_copy.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"

#define VERSION VDSO_VERSION

/* The name, and the plain one, which is WEAK, where this machine has such. */
#if VDSO_PLAIN_NAMES
#	define NAMES(name)                   \
		{                             \
			VDSO_NAME(name), name \
		}
#else
#	define NAMES(name)                              \
		{                                        \
			VDSO_NAME(name), VDSO_NAME(name) \
		}
#endif
static const char *const names[][2] = {
	NAMES("clock_gettime"), NAMES("gettimeofday"), NAMES("clock_getres"),
#if VDSO_KNOWS_CPU
	NAMES("getcpu"),
#endif
#if VDSO_KNOWS_TIME
	NAMES("time"),
#endif
};
#define NR_NAMES   (sizeof(names) / sizeof(names[0]))
#define NR_EXPORTS (NR_NAMES * (VDSO_PLAIN_NAMES ? 2 : 1))

/* The entry of .dynsym with a name, by way of the section headers. */
__attribute__((unused)) static ElfW(Sym) *
	section_symbol(const struct copy *copy, const char *name)
{
	const ElfW(Ehdr) *ehdr = (const void *)copy->image;
	const ElfW(Shdr) *shdr = (const void *)(copy->image + ehdr->e_shoff);

	for (int i = 0; i < ehdr->e_shnum; i++) {
		const char *strings =
			(const char *)copy->image + shdr[shdr[i].sh_link].sh_offset;
		ElfW(Sym) *sym = (void *)(copy->image + shdr[i].sh_offset);

		if (shdr[i].sh_type != SHT_DYNSYM)
			continue;
		for (size_t n = shdr[i].sh_size / sizeof(*sym); n > 0; n--, sym++)
			if (!strcmp(strings + sym->st_name, name))
				return sym;
	}
	bail_out("the image does not export %s", name);
}

__attribute__((unused)) static bool opens(struct vdso_elf *elf, const void *image, size_t size)
{
	int error = vdso_elf_open(elf, image, size);

	if (error)
		diag("refused: %s", vdso_elf_error(error));
	return !error;
}

/* Not NULL: where a test wants nothing to be found, a refused image is no success. */
#define REFUSED ((const void *)-1)

__attribute__((unused)) static const void *find(const struct copy *copy, const char *name,
						const char *version)
{
	struct vdso_elf elf;

	if (!opens(&elf, copy->image, copy->size))
		return REFUSED;
	return vdso_elf_symbol(&elf, name, version);
}

__attribute__((unused)) static bool found(const void *address)
{
	return address && address != REFUSED;
}

/* Every name, with the version and without, at the address that .dynsym says. */
__attribute__((unused)) static bool finds_all(const struct copy *copy, size_t size)
{
	struct vdso_elf elf;
	bool good = opens(&elf, copy->image, size);

	for (size_t i = 0; good && i < 2 * NR_NAMES; i++) {
		const char *name = names[i / 2][i % 2];
		const void *want = copy->image + section_symbol(copy, name)->st_value;
		const void *got = vdso_elf_symbol(&elf, name, VERSION);
		const void *any = vdso_elf_symbol(&elf, name, NULL);

		if (got == want && any == want)
			continue;
		diag("%s: expected %p, got %p with a version and %p without", name, want, got,
		     any);
		good = false;
	}
	if (!good)
		diag("a program would jump to a wrong place, or quietly use the system call");
	return good;
}

#endif
