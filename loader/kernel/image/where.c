/*
 * where.c - see where.h.
 *
 * An offset alone says little to somebody who has a linker script and a compiler. So it is
 * looked up in the tables, from the ELF header on, each with the names that elf(5) has for its
 * fields. The image may be broken in any way; what cannot be told is said by section, or not at
 * all.
 */
#include <inttypes.h>
#include <stdio.h> /* snprintf */

#include "kernel/image/elf_bytes.h"
#include "kernel/image/where.h"

struct field {
	const char *name;
	unsigned char at64, at32;
};
#define FIELD(type, field)                                                           \
	{                                                                            \
#		field, offsetof(Elf64_##type, field), offsetof(Elf32_##type, field) \
	}

static const struct field ehdr_fields[] = {
	FIELD(Ehdr, e_ident),     FIELD(Ehdr, e_type),     FIELD(Ehdr, e_machine),
	FIELD(Ehdr, e_version),   FIELD(Ehdr, e_entry),    FIELD(Ehdr, e_phoff),
	FIELD(Ehdr, e_shoff),     FIELD(Ehdr, e_flags),    FIELD(Ehdr, e_ehsize),
	FIELD(Ehdr, e_phentsize), FIELD(Ehdr, e_phnum),    FIELD(Ehdr, e_shentsize),
	FIELD(Ehdr, e_shnum),     FIELD(Ehdr, e_shstrndx),
};
static const struct field phdr_fields[] = {
	FIELD(Phdr, p_type),  FIELD(Phdr, p_flags), FIELD(Phdr, p_offset),
	FIELD(Phdr, p_vaddr), FIELD(Phdr, p_paddr), FIELD(Phdr, p_filesz),
	FIELD(Phdr, p_memsz), FIELD(Phdr, p_align),
};
static const struct field shdr_fields[] = {
	FIELD(Shdr, sh_name),    FIELD(Shdr, sh_type),   FIELD(Shdr, sh_flags),
	FIELD(Shdr, sh_addr),    FIELD(Shdr, sh_offset), FIELD(Shdr, sh_size),
	FIELD(Shdr, sh_link),    FIELD(Shdr, sh_info),   FIELD(Shdr, sh_addralign),
	FIELD(Shdr, sh_entsize),
};
static const struct field sym_fields[] = {
	FIELD(Sym, st_name),  FIELD(Sym, st_info),  FIELD(Sym, st_other),
	FIELD(Sym, st_shndx), FIELD(Sym, st_value), FIELD(Sym, st_size),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct name {
	uint32_t number;
	const char *name;
};
static const struct name segment_names[] = {
	{PT_LOAD, "PT_LOAD"},
	{PT_DYNAMIC, "PT_DYNAMIC"},
	{PT_INTERP, "PT_INTERP"},
	{PT_NOTE, "PT_NOTE"},
	{PT_PHDR, "PT_PHDR"},
	{PT_TLS, "PT_TLS"},
	{PT_GNU_EH_FRAME, "PT_GNU_EH_FRAME"},
	{PT_GNU_STACK, "PT_GNU_STACK"},
	{PT_GNU_RELRO, "PT_GNU_RELRO"},
	{0x6474e553, "PT_GNU_PROPERTY"},
};
static const struct name tag_names[] = {
	{DT_NULL, "DT_NULL"},
	{DT_NEEDED, "DT_NEEDED"},
	{DT_PLTRELSZ, "DT_PLTRELSZ"},
	{DT_PLTGOT, "DT_PLTGOT"},
	{DT_HASH, "DT_HASH"},
	{DT_STRTAB, "DT_STRTAB"},
	{DT_SYMTAB, "DT_SYMTAB"},
	{DT_RELA, "DT_RELA"},
	{DT_RELASZ, "DT_RELASZ"},
	{DT_RELAENT, "DT_RELAENT"},
	{DT_STRSZ, "DT_STRSZ"},
	{DT_SYMENT, "DT_SYMENT"},
	{DT_INIT, "DT_INIT"},
	{DT_FINI, "DT_FINI"},
	{DT_SONAME, "DT_SONAME"},
	{DT_RPATH, "DT_RPATH"},
	{DT_SYMBOLIC, "DT_SYMBOLIC"},
	{DT_REL, "DT_REL"},
	{DT_RELSZ, "DT_RELSZ"},
	{DT_RELENT, "DT_RELENT"},
	{DT_PLTREL, "DT_PLTREL"},
	{DT_DEBUG, "DT_DEBUG"},
	{DT_TEXTREL, "DT_TEXTREL"},
	{DT_JMPREL, "DT_JMPREL"},
	{DT_RUNPATH, "DT_RUNPATH"},
	{DT_FLAGS, "DT_FLAGS"},
	{DT_FLAGS_1, "DT_FLAGS_1"},
	{DT_GNU_HASH, "DT_GNU_HASH"},
	{DT_VERSYM, "DT_VERSYM"},
	{DT_VERDEF, "DT_VERDEF"},
	{DT_VERDEFNUM, "DT_VERDEFNUM"},
	{DT_VERNEED, "DT_VERNEED"},
	{DT_VERNEEDNUM, "DT_VERNEEDNUM"},
	{DT_AUXILIARY, "DT_AUXILIARY"},
	{DT_FILTER, "DT_FILTER"},
};

struct place {
	struct elf_bytes elf;
	struct elf_header header;
	uint64_t offset;
	char *to;
	size_t size;
};

static const char *name_of(const struct name *names, size_t count, uint64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].name;
	return "?";
}

/* The field that an offset inside of a struct belongs to: the last one that is not after it. */
static const char *field_at(const struct place *p, const struct field *fields, size_t count,
			    uint64_t into)
{
	const char *name = "?";
	unsigned best = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned at = p->elf.is64 ? fields[i].at64 : fields[i].at32;

		if (at <= into && at >= best) {
			best = at;
			name = fields[i].name;
		}
	}
	return name;
}

/* Is it in a table of count structs? Then which, and how far into that. */
static bool in_table(const struct place *p, uint64_t table, uint64_t count, uint64_t entry,
		     uint64_t *index, uint64_t *into)
{
	if (!entry || p->offset < table || (p->offset - table) / entry >= count)
		return false;
	*index = (p->offset - table) / entry;
	*into = (p->offset - table) % entry;
	return true;
}

static const char *section_name(const struct place *p, const struct elf_section *s)
{
	const char *name = elf_section_name(&p->elf, s);

	return name && *name ? name : "?";
}

static bool in_headers(struct place *p)
{
	const struct elf_header *h = &p->header;
	uint64_t index, into;

	if (p->offset < ELF_SIZEOF(&p->elf, Ehdr)) {
		snprintf(p->to, p->size, "the ELF header, %s",
			 field_at(p, ehdr_fields, COUNT(ehdr_fields), p->offset));
		return true;
	}
	if (in_table(p, h->phoff, h->phnum, h->phentsize, &index, &into)) {
		struct elf_segment s = elf_segment(&p->elf, p->offset - into);

		snprintf(p->to, p->size, "program header %" PRIu64 " (%s), %s", index,
			 name_of(segment_names, COUNT(segment_names), s.type),
			 field_at(p, phdr_fields, COUNT(phdr_fields), into));
		return true;
	}
	if (in_table(p, h->shoff, h->shnum, h->shentsize, &index, &into)) {
		struct elf_section s = elf_section(&p->elf, p->offset - into);

		snprintf(p->to, p->size, "section header %" PRIu64 " (%s), %s", index,
			 section_name(p, &s),
			 field_at(p, shdr_fields, COUNT(shdr_fields), into));
		return true;
	}
	return false;
}

static bool in_dynamic(struct place *p)
{
	const struct elf_header *h = &p->header;
	uint64_t entry = ELF_SIZEOF(&p->elf, Dyn), index, into;

	for (uint64_t i = 0; i < h->phnum; i++) {
		struct elf_segment s = elf_segment(&p->elf, h->phoff + i * h->phentsize);

		if (s.type == PT_DYNAMIC &&
		    in_table(p, s.offset, s.filesz / entry, entry, &index, &into)) {
			struct elf_dyn dyn = elf_dyn(&p->elf, p->offset - into);

			snprintf(p->to, p->size, "entry %" PRIu64 " of .dynamic (%s)", index,
				 name_of(tag_names, COUNT(tag_names), dyn.tag));
			return true;
		}
	}
	return false;
}

static bool in_dynsym(struct place *p)
{
	uint64_t entry = ELF_SIZEOF(&p->elf, Sym), index, into;
	struct elf_section symbols, strings = {0};
	const char *name = NULL;
	struct elf_symbol sym;

	if (!elf_find_section(&p->elf, SHT_DYNSYM, &symbols) ||
	    !in_table(p, symbols.offset, symbols.size / entry, entry, &index, &into))
		return false;
	sym = elf_symbol(&p->elf, p->offset - into);
	if (symbols.link < p->header.shnum)
		strings = elf_section_at(&p->elf, symbols.link);
	if (sym.name < strings.size && elf_inside(&p->elf, strings.offset, strings.size))
		name = elf_string(&p->elf, strings.offset + sym.name,
				  strings.offset + strings.size);
	snprintf(p->to, p->size, "symbol %" PRIu64 " of .dynsym (%s), %s", index,
		 name ? name : "?", field_at(p, sym_fields, COUNT(sym_fields), into));
	return true;
}

static bool in_section(struct place *p)
{
	for (unsigned i = 1; i < p->header.shnum; i++) {
		struct elf_section s = elf_section_at(&p->elf, i);

		if (s.type == SHT_NULL || s.type == SHT_NOBITS || p->offset < s.offset ||
		    p->offset - s.offset >= s.size)
			continue;
		snprintf(p->to, p->size, "%s + %#" PRIx64, section_name(p, &s),
			 p->offset - s.offset);
		return true;
	}
	return false;
}

static bool in_segment(struct place *p)
{
	const struct elf_header *h = &p->header;

	for (uint64_t i = 0; i < h->phnum; i++) {
		struct elf_segment s = elf_segment(&p->elf, h->phoff + i * h->phentsize);

		/* The PT_LOAD holds everything, which says nothing. */
		if (s.type == PT_LOAD || s.type == PT_NULL || p->offset < s.offset ||
		    p->offset - s.offset >= s.filesz)
			continue;
		snprintf(p->to, p->size, "%s + %#" PRIx64,
			 name_of(segment_names, COUNT(segment_names), s.type),
			 p->offset - s.offset);
		return true;
	}
	return false;
}

const char *image_where(const struct image *image, uint64_t offset, char *to, size_t size)
{
	struct place p = {
		.elf = elf_bytes_of(image->bytes, image->size),
		.offset = offset,
		.to = to,
		.size = size,
	};

	if (offset >= image->size) {
		snprintf(to, size, "behind the end of the file");
		return to;
	}
	p.header = elf_header(&p.elf);
	if (!in_headers(&p) && !in_dynamic(&p) && !in_dynsym(&p) && !in_section(&p) &&
	    !in_segment(&p))
		snprintf(to, size, "in no section");
	/* Names are the image's, as in messages. */
	for (char *at = to; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return to;
}
