/*
 * counted.c - see counted.h.
 *
 * The symbols are found through the section .dynsym, as bionic does it. With --force the image
 * may be any file, so everything is read through elf_bytes.h, and what is written has been
 * read there first.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <stub.h>

#include "kernel/base/page.h"
#include "kernel/image/counted.h"
#include "kernel/image/elf_bytes.h"

/* An address or a size: four or eight bytes, least significant first. */
static void put_word(const struct elf_bytes *elf, unsigned char *bytes, uint64_t offset,
		     uint64_t value)
{
	for (unsigned i = 0; i < (elf->is64 ? 8 : 4); i++)
		bytes[offset + i] = (unsigned char)(value >> 8 * i);
}

/* The number of the function at an address, which is a new one if need be. */
static size_t function_at(struct counted *counted, uint64_t value)
{
	size_t i = 0;

	while (i < counted->count && counted->function[i].value != value)
		i++;
	if (i == counted->count && i < COUNTED_MAX)
		counted->function[counted->count++].value = value;
	return i;
}

/* Lets one symbol point to the stub of its function, and writes that. */
static int redirect(struct counted *counted, unsigned char *bytes, const struct elf_bytes *elf,
		    uint64_t offset, const char *name)
{
	size_t stubs = elf->size - page_size();
	struct elf_symbol symbol = elf_symbol(elf, offset);
	size_t at = function_at(counted, symbol.value);

	if (at == COUNTED_MAX)
		return -E2BIG;
	counted->function[at].stub = stubs + at * STUB_SIZE;
	/* A name says more than its alias without the prefix. */
	if (strlen(name) > strlen(counted->function[at].name))
		strncpy(counted->function[at].name, name,
			sizeof(counted->function[at].name) - 1);
	put_word(elf, bytes, ELF_FIELD(elf, offset, Sym, st_value), counted->function[at].stub);
	put_word(elf, bytes, ELF_FIELD(elf, offset, Sym, st_size), STUB_SIZE);
	stub_write(bytes, counted->function[at].stub, elf->size + 8 * at, symbol.value);
	return 0;
}

/*
 * What no program calls by its symbol: signal handlers return to sigreturn, and on i386 the
 * vector tells where __kernel_vsyscall is.
 */
static bool is_trampoline(const char *name)
{
	static const char end[] = "sigreturn";
	size_t length = strlen(name);

	return (length >= sizeof(end) - 1 && !strcmp(name + length - (sizeof(end) - 1), end)) ||
	       !strcmp(name, "__kernel_vsyscall");
}

static int redirect_all(struct counted *counted, unsigned char *bytes,
			const struct elf_bytes *elf)
{
	struct elf_section table, names;
	size_t entry = ELF_SIZEOF(elf, Sym);
	int err = 0;

	if (!elf_find_section(elf, SHT_DYNSYM, &table))
		return -ENOEXEC;
	names = elf_section_at(elf, table.link);
	for (uint64_t at = entry; !err && at + entry <= table.size; at += entry) {
		struct elf_symbol symbol = elf_symbol(elf, table.offset + at);
		const char *name =
			elf_string(elf, names.offset + symbol.name, names.offset + names.size);

		if (!name || symbol.shndx == SHN_UNDEF ||
		    ELF64_ST_TYPE(symbol.info) != STT_FUNC || is_trampoline(name))
			continue;
		err = redirect(counted, bytes, elf, table.offset + at, name);
	}
	return err;
}

/* The stubs belong to the segment: some clients look no further than its end. */
static int lengthen_segment(unsigned char *bytes, const struct elf_bytes *elf)
{
	struct elf_header header = elf_header(elf);

	for (unsigned i = 0; i < header.phnum; i++) {
		uint64_t offset = header.phoff + (uint64_t)i * header.phentsize;

		if (elf_segment(elf, offset).type != PT_LOAD ||
		    !elf_inside(elf, offset, ELF_SIZEOF(elf, Phdr)))
			continue;
		put_word(elf, bytes, ELF_FIELD(elf, offset, Phdr, p_filesz), elf->size);
		put_word(elf, bytes, ELF_FIELD(elf, offset, Phdr, p_memsz), elf->size);
		return 0;
	}
	return -ENOEXEC;
}

int counted_open(struct counted *counted, const struct image *image)
{
	size_t size = page_up(image->size) + page_size();
	unsigned char *bytes = aligned_alloc(page_size(), size);
	struct elf_bytes elf;
	int err;

	*counted = (struct counted){.count = 0};
	if (!bytes)
		return -ENOMEM;
	memset(bytes, 0, size);
	memcpy(bytes, image->bytes, image->size);
	counted->image = (struct image){bytes, size};
	elf = elf_bytes_of(bytes, size);
	err = redirect_all(counted, bytes, &elf);
	if (!err)
		err = lengthen_segment(bytes, &elf);
	if (err)
		counted_free(counted);
	return err;
}

void counted_free(struct counted *counted)
{
	free((void *)counted->image.bytes);
	counted->image = (struct image){NULL, 0};
}
