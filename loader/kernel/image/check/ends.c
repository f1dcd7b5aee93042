/*
 * ends.c - where the image ends, the file ends.
 *
 * What is mapped is the file in whole pages, readable and executable, in every process. Bytes
 * that no header names are of no use to anybody but those who look for code to misuse. Zeros up
 * to the end of a page are the rest of the last page: an image that was cut out of a kernel, or
 * copied from memory, has them.
 */
#include "kernel/image/check/parts.h"

static uint64_t later(uint64_t end, uint64_t offset, uint64_t size)
{
	return offset <= UINT64_MAX - size && offset + size > end ? offset + size : end;
}

void check_end(struct checked *c)
{
	const struct elf_header *h = &c->header;
	const uint32_t page = c->machine ? c->machine->largest_page : MACHINE_PAGE_MAX;
	uint64_t end = later(0, c->load.offset, c->load.filesz), at;

	end = later(end, h->phoff, (uint64_t)h->phnum * h->phentsize);
	if (c->has_sections) {
		end = later(end, h->shoff, (uint64_t)h->shnum * h->shentsize);
		for (unsigned i = 1; i < h->shnum; i++) {
			struct elf_section s = checked_section(c, i);

			if (s.type != SHT_NOBITS)
				end = later(end, s.offset, s.size);
		}
	}
	for (at = end; at < c->elf.size; at++)
		if (elf_u8(&c->elf, at) || at / page > end / page) {
			rule_broken_at(&c->report, RULE_NOTHING_AFTER, at,
				       "the image ends at %#llx and the file at %#llx: what is "
				       "between is mapped into every process, and can be run",
				       X(end), X(c->elf.size));
			return;
		}
}
