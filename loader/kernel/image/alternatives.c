/*
 * alternatives.c - see alternatives.h.
 *
 * The image may come from anywhere: a table that is trusted would be a way to write to any
 * address.
 */
#include <errno.h>
#include <host.h>
#include <string.h>
#include <vdso/alternative.h>

#include "kernel/image/alternatives.h"
#include "kernel/image/elf_bytes.h"

/* The file offset and size of the table; size 0 if there is none. */
static void find_table(const struct elf_bytes *elf, uint64_t *offset, uint64_t *size)
{
	struct elf_header header = elf_header(elf);

	*size = 0;
	for (unsigned i = 0; i < header.shnum; i++) {
		struct elf_section section = elf_section_at(elf, i);
		const char *name = elf_section_name(elf, &section);

		if (name && !strcmp(name, VDSO_ALTERNATIVES)) {
			*offset = section.offset;
			*size = section.size;
			return;
		}
	}
}

int alternatives_apply(unsigned char *bytes, size_t size, bool (*has)(unsigned feature))
{
	struct elf_bytes elf = elf_bytes_of(bytes, size);
	uint64_t table, length;
	int patched = 0;

	find_table(&elf, &table, &length);
	if (!length)
		return 0;
	if (!elf_inside(&elf, table, length) || length % sizeof(struct vdso_alternative))
		return -EINVAL;

	for (uint64_t at = table; at < table + length; at += sizeof(struct vdso_alternative)) {
		struct vdso_alternative entry;
		uint64_t place;

		memcpy(&entry, bytes + at, sizeof(entry));
		/* File offsets and addresses are the same in an image: one segment, from 0. */
		place = at + offsetof(struct vdso_alternative, place) +
			(uint64_t)(s64)entry.place;
		if (!elf_inside(&elf, place, entry.length) || entry.with > entry.length ||
		    entry.with > VDSO_ALTERNATIVE_CODE)
			return -EINVAL;
		if (!has(entry.needs))
			continue;
		memset(bytes + place, HOST_NOP, entry.length);
		memcpy(bytes + place, entry.code, entry.with);
		patched++;
	}
	return patched;
}
