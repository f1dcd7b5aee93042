/*
 * counted.c - see counted.h.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <vdso/datapage.h>

#include "kernel/image/counted.h"
#include "libc/vdso_elf.h"

static size_t page_round(size_t size)
{
	return (size + VDSO_PAGE_SIZE - 1) & ~(size_t)(VDSO_PAGE_SIZE - 1);
}

#if defined(__x86_64__)

#	define STUB_SIZE 16

static void put32(unsigned char *at, int64_t value)
{
	int32_t narrow = (int32_t)value;

	memcpy(at, &narrow, sizeof(narrow));
}

/* lock incq counter(%rip); jmp function. All three are offsets into the image. */
static bool write_stub(unsigned char *bytes, uint64_t stub, uint64_t counter, uint64_t function)
{
	static const unsigned char code[] = {0xf0, 0x48, 0xff, 0x05, 0, 0, 0,
					     0,    0xe9, 0,    0,    0, 0};

	memcpy(bytes + stub, code, sizeof(code));
	/* Distances count from the end of an instruction. */
	put32(bytes + stub + 4, (int64_t)(counter - (stub + 8)));
	put32(bytes + stub + 9, (int64_t)(function - (stub + 13)));
	return true;
}

#else

#	define STUB_SIZE 16

static bool write_stub(unsigned char *bytes, uint64_t stub, uint64_t counter, uint64_t function)
{
	(void)bytes, (void)stub, (void)counter, (void)function;
	return false;
}

#endif

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

static int redirect(struct counted *counted, unsigned char *bytes, size_t stubs,
		    const struct vdso_elf *elf)
{
	size_t counters = stubs + VDSO_PAGE_SIZE;

	for (uint32_t i = 1; i < elf->nr_symbols; i++) {
		ElfW(Sym) *symbol = (ElfW(Sym) *)&elf->symtab[i];
		const char *name = elf->strtab + symbol->st_name;
		size_t at;

		if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
			continue;
		at = function_at(counted, symbol->st_value);
		if (at == COUNTED_MAX)
			return -E2BIG;
		counted->function[at].stub = stubs + at * STUB_SIZE;
		/* Of a name and its alias without the prefix the first says more. */
		if (strlen(name) > strlen(counted->function[at].name))
			strncpy(counted->function[at].name, name,
				sizeof(counted->function[at].name) - 1);
		symbol->st_value = (ElfW(Addr))counted->function[at].stub;
		symbol->st_size = STUB_SIZE;
		if (!write_stub(bytes, counted->function[at].stub, counters + 8 * at,
				counted->function[at].value))
			return -ENOSYS;
	}
	return 0;
}

int counted_open(struct counted *counted, const struct image *image)
{
	size_t stubs = page_round(image->size), size = stubs + VDSO_PAGE_SIZE;
	unsigned char *bytes = aligned_alloc(VDSO_PAGE_SIZE, size);
	struct vdso_elf elf;
	ElfW(Phdr) * load;
	int err;

	*counted = (struct counted){.count = 0};
	if (!bytes)
		return -ENOMEM;
	memset(bytes, 0, size);
	memcpy(bytes, image->bytes, image->size);
	counted->image = (struct image){bytes, size};
	err = vdso_elf_open(&elf, bytes, size) ? -ENOEXEC
					       : redirect(counted, bytes, stubs, &elf);
	if (err) {
		counted_free(counted);
		return err;
	}
	/* The stubs belong to the segment: some clients look no further than its end. */
	load = (ElfW(Phdr) *)elf.load;
	load->p_filesz = load->p_memsz = size;
	return 0;
}

void counted_free(struct counted *counted)
{
	free((void *)counted->image.bytes);
	counted->image = (struct image){NULL, 0};
}
