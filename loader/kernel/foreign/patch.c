/*
 * patch.c - see patch.h. File offsets and addresses are the same in an image: one segment, from
 * 0.
 */
#include <string.h>
#include <vdso/alternative.h>

#include "kernel/foreign/patch.h"
#include "kernel/image/elf_bytes.h"

#define NOP 0x90

/* Lengths of code that is known, or that may be put back. */
#define LONGEST 8

struct entry {
	uint64_t place, code;
	unsigned length, with;
};

struct table {
	struct elf_bytes elf;
	struct elf_section entries, code, text;
	unsigned size; /* of an entry */
};

static void find_sections(struct table *table)
{
	const struct elf_bytes *elf = &table->elf;
	struct elf_header header = elf_header(elf);

	for (unsigned i = 0; i < header.shnum; i++) {
		struct elf_section section = elf_section_at(elf, i);
		const char *name = elf_section_name(elf, &section);

		if (!name || !elf_inside(elf, section.offset, section.size))
			continue;
		if (!strcmp(name, ".altinstructions"))
			table->entries = section;
		else if (!strcmp(name, ".altinstr_replacement"))
			table->code = section;
		else if (!strcmp(name, ".text"))
			table->text = section;
	}
}

static bool inside(const struct elf_section *section, uint64_t at, uint64_t length)
{
	return at >= section->offset && at - section->offset <= section->size &&
	       length <= section->size - (at - section->offset);
}

/* An entry, and whether it makes sense. Both places are relative to the fields that name them.
 */
static bool entry_at(const struct table *table, uint64_t at, struct entry *entry)
{
	const struct elf_bytes *elf = &table->elf;
	uint64_t lengths = at + (table->size == 14 ? 12 : 10);

	entry->place = at + (uint64_t)(int64_t)(int32_t)elf_u32(elf, at);
	entry->code = at + 4 + (uint64_t)(int64_t)(int32_t)elf_u32(elf, at + 4);
	entry->length = elf_u8(elf, lengths);
	entry->with = elf_u8(elf, lengths + 1);
	return entry->length && entry->with <= entry->length &&
	       inside(&table->text, entry->place, entry->length) &&
	       (inside(&table->code, entry->code, entry->with) ||
		inside(&table->text, entry->code, entry->with));
}

static bool makes_sense(const struct table *table)
{
	struct entry entry;

	if (table->entries.size % table->size)
		return false;
	for (uint64_t at = 0; at < table->entries.size; at += table->size)
		if (!entry_at(table, table->entries.offset + at, &entry))
			return false;
	return true;
}

static bool is_code(const unsigned char *code, unsigned length, const char *wanted, unsigned n)
{
	return length == n && !memcmp(code, wanted, n);
}

/* Is it better than what was there, and has this CPU got it? */
static bool is_for_us(const unsigned char *place, const unsigned char *code, unsigned length,
		      bool (*has)(unsigned feature))
{
	/* lfence; rdtsc: with SSE2, as every CPU of the last twenty years. */
	if (is_code(code, length, "\x0f\xae\xe8\x0f\x31", 5))
		return true;
	if (is_code(code, length, "\x0f\x01\xf9", 3))
		return has(VDSO_CPU_RDTSCP);
	/*
	 * arm64: a no-operation over a branch around what needs the floating-point registers.
	 * All programs for Linux have these.
	 */
	if (is_code(code, length, "\x1f\x20\x03\xd5", 4) && place[3] == 0x14)
		return true;
	/* rdpid %eax or %rax */
	return is_code(code, length, "\xf3\x0f\xc7\xf8", 4) && has(VDSO_CPU_RDPID);
}

/*
 * What stands at a place of i386's image after the kernel has written an entry there, and what
 * did before: no-operations before "int $0x80", or that one.
 */
static bool was_written(const unsigned char *place, const unsigned char *code,
			const struct entry *entry, unsigned char before[LONGEST])
{
	static const unsigned char int80[] = {0x3e, 0x3e, 0x3e, 0xcd, 0x80};
	static const unsigned char int80_ret[] = {0xcd, 0x80, 0xc3};

	if (entry->with == 4 && entry->length == 4 &&
	    (is_code(code + 2, 2, "\x0f\x34", 2) || is_code(code + 2, 2, "\x0f\x05", 2))) {
		memset(before, NOP, 4);
		return place[2] == 0x0f;
	}
	/* A call of __kernel_vsyscall. */
	if (entry->with == 5 && entry->length == 5 && code[0] == 0xe8) {
		memcpy(before, int80, sizeof(int80));
		return place[0] == 0xe8;
	}
	if (entry->with == 0 && entry->length == sizeof(int80_ret)) {
		memcpy(before, int80_ret, sizeof(int80_ret));
		return memcmp(place, int80_ret, sizeof(int80_ret)) != 0;
	}
	return false;
}

static int write_entry(unsigned char *bytes, const struct entry *entry,
		       bool (*has)(unsigned feature))
{
	unsigned char *place = bytes + entry->place, before[LONGEST];
	const unsigned char *code = bytes + entry->code;

	if (is_for_us(place, code, entry->with, has)) {
		memset(place, NOP, entry->length);
		memcpy(place, code, entry->with);
		return 1;
	}
	if (entry->length <= LONGEST && was_written(place, code, entry, before)) {
		memcpy(place, before, entry->length);
		return 1;
	}
	return 0;
}

int foreign_patch(unsigned char *bytes, size_t size, bool (*has)(unsigned feature))
{
	static const unsigned char sizes[] = {14, 12, 13};
	struct table table = {.elf = elf_bytes_of(bytes, size)};
	struct entry entry;
	int written = 0;

	find_sections(&table);
	for (size_t i = 0; i < sizeof(sizes) && !written; i++) {
		table.size = sizes[i];
		if (!makes_sense(&table))
			continue;
		for (uint64_t at = 0; at < table.entries.size; at += table.size) {
			entry_at(&table, table.entries.offset + at, &entry);
			written += write_entry(bytes, &entry, has);
		}
		break;
	}
	return written;
}
