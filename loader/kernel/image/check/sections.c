/*
 * sections.c - the section headers.
 *
 * A program loader has no use for sections, and stripped images drop them. A vDSO
 * needs them: bionic knows the number of symbols from the section .dynsym alone,
 * gdb makes no backtrace through a vDSO without sections, and tools have broken
 * each time a kernel came without (e_shstrndx 0 among them). They may lie after the
 * PT_LOAD: kernels map the file, page by page to its end, and so do we. Who maps no
 * more than the PT_LOAD cuts them off, hence a house rule.
 *
 * Sections also tell what segments hide: variables in the read-only image, where
 * the first store to them would be fatal.
 */
#include <string.h>

#include "kernel/base/page.h"
#include "kernel/image/check/parts.h"

#ifndef SHT_RELR
#	define SHT_RELR 19
#endif

/* Is there a table, and is it inside the file and the last page? */
static bool check_table(struct checked *c)
{
	const struct elf_header *h = &c->header;
	uint64_t len = (uint64_t)h->shnum * h->shentsize;

	if (h->shoff == 0 || h->shnum == 0) {
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS, ELF_FIELD(&c->elf, 0, Ehdr, e_shoff),
			"there are none: bionic finds no symbol, gdb no way out of a frame");
		return false;
	}
	if (h->shentsize != ELF_SIZEOF(&c->elf, Shdr)) {
		rule_broken_at(&c->report, RULE_SECTION_HEADERS,
			       ELF_FIELD(&c->elf, 0, Ehdr, e_shentsize),
			       "e_shentsize is %u, a section header has %zu bytes",
			       h->shentsize, ELF_SIZEOF(&c->elf, Shdr));
		return false;
	}
	if (!elf_inside(&c->elf, h->shoff, len)) {
		rule_broken_at(&c->report, RULE_TRUNCATED, ELF_FIELD(&c->elf, 0, Ehdr, e_shoff),
			       "%u section headers at %#llx are not in a file of %#llx bytes",
			       h->shnum, X(h->shoff), X(c->elf.size));
		return false;
	}
	if (h->shnum > MAX_SECTIONS) {
		rule_broken_at(&c->report, RULE_SECTION_HEADERS,
			       ELF_FIELD(&c->elf, 0, Ehdr, e_shnum),
			       "%u sections, an image has about twenty", h->shnum);
		return false;
	}
	/* No overflow: the one sum is inside the file, the other saturates. */
	if (h->shoff + len > page_up(c->load.filesz))
		rule_broken_at(
			&c->report, RULE_HEADERS_MAPPED, h->shoff,
			"the section headers end at %#llx, after the last page of the PT_LOAD "
			"(%#llx): they are there for who maps the whole file, as kernels do",
			X(h->shoff + len), X(page_up(c->load.filesz)));
	if (h->shstrndx == SHN_UNDEF || h->shstrndx >= h->shnum) {
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS,
			ELF_FIELD(&c->elf, 0, Ehdr, e_shstrndx),
			"e_shstrndx is %u of %u sections: without names gdb and elfutils give "
			"up",
			h->shstrndx, h->shnum);
		return false;
	}
	return true;
}

/* Is a writable section one that only the linker fills, and with constants? */
static bool is_constant(const char *name, const struct elf_section *s)
{
	if (s->type == SHT_DYNAMIC)
		return true;
	/*
	 * ld.bfd always makes a .got on some machines. The kernel folds its own into
	 * .rodata, which turns that "writable" without a variable in it.
	 */
	return s->type == SHT_PROGBITS &&
	       (!strcmp(name, ".got") || !strcmp(name, ".got.plt") || !strcmp(name, ".rodata"));
}

/* A section that is part of the image in memory. */
static void check_allocated(struct checked *c, const char *name, const struct elf_section *s)
{
	uint64_t offset;

	if (s->size == 0)
		return;
	if (s->flags & SHF_TLS)
		rule_broken_at(
			&c->report, RULE_NO_TLS, s->at,
			"section %s has %#llx bytes of thread-local data: nothing sets it up",
			name, X(s->size));
	if (s->type == SHT_NOBITS || (s->flags & SHF_WRITE && !is_constant(name, s)))
		rule_broken_at(
			&c->report, RULE_NO_WRITABLE_DATA, s->at,
			"section %s has %#llx writable bytes at %#llx: the image is mapped "
			"R-X, "
			"and a store to it kills the program",
			name, X(s->size), X(s->addr));
	if (s->type == SHT_NOBITS)
		return;
	if (checked_offset(c, name, s->addr, s->size, &offset) && offset != s->offset)
		rule_broken_at(
			&c->report, RULE_LOAD_COVERS, s->at,
			"section %s is at offset %#llx of the file and at %#llx of the mapped "
			"image: readers of the two see different things",
			name, X(s->offset), X(offset));
	if (s->type == SHT_REL || s->type == SHT_RELA)
		check_relocation_table(c, name, s->offset, s->size, s->type == SHT_RELA);
	if (s->type == SHT_RELR)
		rule_broken_at(
			&c->report, RULE_NO_RELOCATIONS, s->at,
			"section %s has %#llx bytes of packed relocations: nothing applies "
			"them",
			name, X(s->size));
}

static void check_dynsym_section(struct checked *c, unsigned nr_dynsym)
{
	const struct elf_section *s = &c->dynsym;

	if (nr_dynsym != 1) {
		rule_broken(
			&c->report, RULE_SECTION_HEADERS,
			"%u sections of type SHT_DYNSYM, there must be one: bionic counts the "
			"symbols by it",
			nr_dynsym);
		return;
	}
	if (s->entsize != ELF_SIZEOF(&c->elf, Sym) || s->size % ELF_SIZEOF(&c->elf, Sym)) {
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS,
			ELF_FIELD(&c->elf, s->at, Shdr, sh_entsize),
			"the .dynsym has %#llx bytes of entries of %#llx, a symbol has %zu: "
			"bionic divides the one by the other",
			X(s->size), X(s->entsize), ELF_SIZEOF(&c->elf, Sym));
		return;
	}
	if (s->info > s->size / s->entsize)
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS,
			ELF_FIELD(&c->elf, s->at, Shdr, sh_info),
			"sh_info of the .dynsym is %u, and it has %llu symbols: gdb takes "
			"it for no object file",
			s->info, X(s->size / s->entsize));
	if (s->link >= c->header.shnum || checked_section(c, s->link).type != SHT_STRTAB)
		rule_broken_at(&c->report, RULE_SECTION_HEADERS,
			       ELF_FIELD(&c->elf, s->at, Shdr, sh_link),
			       "sh_link of the .dynsym is %u, which is not a string table: gdb "
			       "reads the "
			       "names through it",
			       s->link);
	c->has_dynsym = true;
}

/*
 * gdb goes by the sections where the C libraries go by the dynamic tags: what one of them says
 * again must be the same.
 */
void check_repeated(struct checked *c)
{
	for (unsigned i = 1; c->has_dynsym && i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);

		if (i == c->dynsym.link &&
		    (s.addr != c->tag[TAG_STRTAB] || s.size != c->tag[TAG_STRSZ] ||
		     s.offset != c->strtab))
			rule_broken_at(
				&c->report, RULE_SECTION_HEADERS, s.at,
				"the string table of the .dynsym has %#llx bytes at %#llx, "
				"DT_STRTAB and DT_STRSZ say %#llx at %#llx: gdb goes by the "
				"one and C libraries by the other",
				X(s.size), X(s.addr), X(c->tag[TAG_STRSZ]),
				X(c->tag[TAG_STRTAB]));
		if (s.type != SHT_GNU_verdef || !c->verdef_end)
			continue;
		if (s.addr != c->tag[TAG_VERDEF] || s.info != c->tag[TAG_VERDEFNUM] ||
		    s.offset - c->load.offset != s.addr - c->load.vaddr ||
		    s.size < c->verdef_end - s.addr)
			rule_broken_at(
				&c->report, RULE_SECTION_HEADERS, s.at,
				"the section of the version definitions, %u of them at %#llx "
				"to "
				"%#llx, is not what DT_VERDEF names, %llu at %#llx to %#llx: "
				"gdb reads it, and then names no function",
				s.info, X(s.addr), X(s.addr + s.size), X(c->tag[TAG_VERDEFNUM]),
				X(c->tag[TAG_VERDEF]), X(c->verdef_end));
		if (s.link != c->dynsym.link)
			rule_broken_at(
				&c->report, RULE_SECTION_HEADERS,
				ELF_FIELD(&c->elf, s.at, Shdr, sh_link),
				"sh_link of the version definitions is %u, and the names of "
				"the .dynsym are in section %u: gdb names no function",
				s.link, c->dynsym.link);
	}
}

void check_sections(struct checked *c)
{
	unsigned nr_dynsym = 0;
	struct elf_section names;

	if (!check_table(c))
		return;
	c->has_sections = true;
	names = checked_section(c, c->header.shstrndx);
	if (names.type != SHT_STRTAB || !elf_inside(&c->elf, names.offset, names.size))
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS, names.at,
			"section %u, which e_shstrndx names, is not a string table in the file",
			c->header.shstrndx);
	if (checked_section(c, 0).type != SHT_NULL)
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS,
			ELF_FIELD(&c->elf, c->header.shoff, Shdr, sh_type),
			"section 0 is of type %u, it must be none: bionic takes the first "
			"that is a SHT_DYNSYM",
			checked_section(c, 0).type);
	for (unsigned i = 1; i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);
		const char *name = elf_section_name(&c->elf, &s);

		if (!name) {
			rule_broken_at(&c->report, RULE_SECTION_HEADERS,
				       ELF_FIELD(&c->elf, s.at, Shdr, sh_name),
				       "section %u has no name in .shstrtab: gdb "
				       "and elfutils know sections by name",
				       i);
			name = "?";
		}
		if (s.type == SHT_DYNSYM && nr_dynsym++ == 0)
			c->dynsym = s;
		if (s.type != SHT_NOBITS && s.type != SHT_NULL &&
		    !elf_inside(&c->elf, s.offset, s.size))
			rule_broken_at(
				&c->report, RULE_TRUNCATED, s.at,
				"section %s, %#llx bytes at offset %#llx, is not in the file",
				name, X(s.size), X(s.offset));
		else if (s.flags & SHF_ALLOC)
			check_allocated(c, name, &s);
	}
	check_dynsym_section(c, nr_dynsym);
}
