/*
 * kernel_image.c - the kernel's own vDSO of this process, as bytes: for dump and diff.
 *
 * Memory does not say how long its file was: a mapping ends with a page, and the rest of
 * the last one is zeros. The ELF headers do. The last thing in the file is a section, or
 * the table of section headers, which kernels keep for debuggers outside of PT_LOAD. So
 * the file ends where the furthest of these ends, but not beyond what /proc/self/maps
 * shows to be mapped.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "cli.h"

/* Bytes that are mapped from an address on, in the one mapping that holds it; 0: *err says why.
 */
static size_t mapped_from(const void *address, int *err)
{
	uintptr_t at = (uintptr_t)address, from, to;
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t mapped = 0;
	char line[512];
	bool whole = true; /* line[] begins where a line begins */

	*err = maps ? 0 : errno;
	if (!maps)
		return 0;
	errno = 0;
	while (!mapped && fgets(line, sizeof(line), maps)) {
		if (whole && sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 &&
		    from <= at && at < to)
			mapped = to - at;
		whole = strchr(line, '\n') != NULL;
	}
	if (ferror(maps))
		*err = errno ? errno : EIO;
	fclose(maps);
	return mapped;
}

static void reach(size_t *end, size_t mapped, uint64_t offset, uint64_t size)
{
	if (offset > mapped || size > mapped - offset)
		*end = mapped;
	else if (offset + size > *end)
		*end = offset + size;
}

/*
 * The length of the file that lies at image. If the headers are malformed it is all that is
 * mapped: this command shows what is there, it does not judge it.
 */
static size_t image_length(const unsigned char *image, size_t mapped)
{
	const ElfW(Ehdr) *ehdr = (const void *)image;
	const ElfW(Phdr) * phdr;
	const ElfW(Shdr) * shdr;
	size_t end = sizeof(*ehdr);

	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) || ehdr->e_phentsize != sizeof(*phdr) ||
	    ehdr->e_phoff > mapped || ehdr->e_phoff % _Alignof(ElfW(Phdr)) ||
	    ehdr->e_phnum > (mapped - ehdr->e_phoff) / sizeof(*phdr))
		return mapped;
	phdr = (const void *)(image + ehdr->e_phoff);
	for (unsigned int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD)
			reach(&end, mapped, phdr[i].p_offset, phdr[i].p_filesz);

	if (!ehdr->e_shoff)
		return end;
	if (ehdr->e_shentsize != sizeof(*shdr) || ehdr->e_shoff > mapped ||
	    ehdr->e_shoff % _Alignof(ElfW(Shdr)) ||
	    ehdr->e_shnum > (mapped - ehdr->e_shoff) / sizeof(*shdr))
		return mapped;
	shdr = (const void *)(image + ehdr->e_shoff);
	reach(&end, mapped, ehdr->e_shoff, ehdr->e_shnum * sizeof(*shdr));
	for (unsigned int i = 0; i < ehdr->e_shnum; i++)
		if (shdr[i].sh_type != SHT_NOBITS && shdr[i].sh_type != SHT_NULL)
			reach(&end, mapped, shdr[i].sh_offset, shdr[i].sh_size);
	return end;
}

const unsigned char *kernel_image(size_t *size)
{
	const unsigned char *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t mapped;
	int err;

	if (!image) {
		complain("the kernel's vDSO",
			 "there is none: the auxiliary vector has no AT_SYSINFO_EHDR");
		return NULL;
	}
	mapped = mapped_from(image, &err);
	if (mapped < sizeof(ElfW(Ehdr))) {
		if (err)
			complain("/proc/self/maps", "%s", strerror(err));
		else
			complain("the kernel's vDSO", "/proc/self/maps shows no mapping at %p",
				 (void *)image);
		return NULL;
	}
	*size = image_length(image, mapped);
	return image;
}
