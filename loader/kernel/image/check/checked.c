/*
 * checked.c - see checked.h.
 */
#include "kernel/image/check/checked.h"

/* Where in the file an address is written: the entry of .dynamic, or the header, that gives it.
 */
static uint64_t where_written(const struct checked *c, uint64_t vaddr)
{
	static const enum tag tables[] = {TAG_HASH,   TAG_GNU_HASH, TAG_STRTAB, TAG_SYMTAB,
					  TAG_VERSYM, TAG_VERDEF,   TAG_REL,    TAG_RELA,
					  TAG_JMPREL, TAG_RELR};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (c->has_tag[tables[i]] && c->tag[tables[i]] == vaddr)
			return c->tag_at[tables[i]];
	for (unsigned i = 0; i < c->header.phnum; i++) {
		struct elf_segment s = checked_segment(c, i);

		if (s.type != PT_LOAD && s.type != PT_NULL && s.vaddr == vaddr)
			return ELF_FIELD(&c->elf, s.at, Phdr, p_vaddr);
	}
	for (unsigned i = 0; c->has_sections && i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);

		if (s.flags & SHF_ALLOC && s.addr == vaddr)
			return ELF_FIELD(&c->elf, s.at, Shdr, sh_addr);
	}
	return IMAGE_NOWHERE;
}

bool checked_offset(struct checked *c, const char *what, uint64_t vaddr, uint64_t len,
		    uint64_t *offset)
{
	uint64_t into = vaddr - c->load.vaddr;

	if (vaddr < c->load.vaddr || into > c->load.filesz || len > c->load.filesz - into ||
	    __builtin_add_overflow(c->load.offset, into, offset) ||
	    !elf_inside(&c->elf, *offset, len)) {
		rule_broken_at(&c->report, RULE_LOAD_COVERS, where_written(c, vaddr),
			       "%s, %#llx bytes at %#llx, is not inside the PT_LOAD: a client "
			       "that reads it faults",
			       what, X(len), X(vaddr));
		return false;
	}
	return true;
}

bool checked_aligned(struct checked *c, const char *what, uint64_t vaddr, unsigned align)
{
	if (vaddr % align == 0)
		return true;
	rule_broken_at(&c->report, RULE_ALIGNMENT, vaddr - c->load.vaddr + c->load.offset,
		       "%s is at %#llx, which is not a multiple of %u: there are machines that "
		       "do not read it",
		       what, X(vaddr), align);
	return false;
}

struct elf_segment checked_segment(const struct checked *c, unsigned index)
{
	return elf_segment(&c->elf, c->header.phoff + (uint64_t)index * c->header.phentsize);
}

struct elf_section checked_section(const struct checked *c, unsigned index)
{
	return elf_section(&c->elf, c->header.shoff + (uint64_t)index * c->header.shentsize);
}

bool section_is_code(const struct elf_section *s)
{
	uint64_t flags = SHF_ALLOC | SHF_EXECINSTR;

	return (s->flags & flags) == flags && s->type != SHT_NOBITS &&
	       s->size <= UINT64_MAX - s->addr;
}

bool checked_is_code(const struct checked *c, uint64_t vaddr, uint64_t length)
{
	for (unsigned i = 1; i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);

		if (section_is_code(&s) && vaddr >= s.addr && vaddr - s.addr <= s.size &&
		    length <= s.size - (vaddr - s.addr))
			return true;
	}
	return false;
}

struct elf_symbol checked_symbol(const struct checked *c, uint32_t index)
{
	return elf_symbol(&c->elf, c->symtab + (uint64_t)index * ELF_SIZEOF(&c->elf, Sym));
}

const char *checked_string(const struct checked *c, uint64_t name)
{
	if (name >= c->strtab_end - c->strtab)
		return NULL;
	return elf_string(&c->elf, c->strtab + name, c->strtab_end);
}

const char *checked_name(const struct checked *c, uint32_t index)
{
	const char *name = checked_string(c, checked_symbol(c, index).name);

	return name ? name : "?";
}

bool symbol_is_exported(const struct elf_symbol *sym)
{
	unsigned bind = ELF64_ST_BIND(sym->info);

	return sym->shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK);
}

bool symbol_is_function(const struct elf_symbol *sym)
{
	return symbol_is_exported(sym) && sym->shndx != SHN_ABS;
}
