/*
 * relocations.c - what is left to relocate, which must be nothing.
 *
 * Relocations are counted, by the sizes of their tables. The kernel's two checks look for the
 * tags instead (ld.bfd on riscv writes DT_RELA with the size 0: a false alarm), or for names
 * that begin with R_ in the output of readelf (packed RELR entries have none: an image that
 * needs relocation passes).
 */
#include "kernel/image/check/parts.h"

void check_relocation_table(struct checked *c, const char *what, uint64_t offset, uint64_t size,
			    bool has_addend)
{
	size_t entry = has_addend ? ELF_SIZEOF(&c->elf, Rela) : ELF_SIZEOF(&c->elf, Rel);
	uint64_t nr = 0, first = 0;

	if (size % entry)
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, offset,
			       "%s has %#llx bytes, not a multiple of a relocation's %zu", what,
			       X(size), entry);
	for (uint64_t at = 0; at + entry <= size; at += entry) {
		struct elf_relocation r = elf_relocation(&c->elf, offset + at);

		if (r.type != 0 && nr++ == 0)
			first = r.offset;
	}
	if (nr)
		rule_broken_at(
			&c->report, RULE_NO_RELOCATIONS, offset,
			"%s has %llu, the first for address %#llx: nothing applies them, "
			"and the "
			"code would use what stands there",
			what, X(nr), X(first));
}

/* A table that .dynamic names by address and size. */
static void check_named_table(struct checked *c, const char *what, enum tag where,
			      enum tag size, bool has_addend)
{
	uint64_t offset;

	if (c->has_tag[where] && !c->has_tag[size])
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[where],
			       "%s is there without its size: there may be relocations", what);
	if (!c->has_tag[size] || c->tag[size] == 0)
		return;
	if (!c->has_tag[where])
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[size],
			       "%s has a size of %#llx, but no address", what, X(c->tag[size]));
	else if (!checked_offset(c, what, c->tag[where], c->tag[size], &offset))
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[size],
			       "%s has a size of %#llx: nothing applies them", what,
			       X(c->tag[size]));
	else
		check_relocation_table(c, what, offset, c->tag[size], has_addend);
}

/* glibc has assertions about what it will not use, too; about the machine's own kind. */
static void check_entry_size(struct checked *c, const char *what, enum tag where,
			     enum tag entry, uint64_t right)
{
	if (!c->has_tag[where])
		return;
	if (!c->has_tag[entry])
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[where],
			       "%s is there without %sENT: glibc reads it all the same, and "
			       "dies of it",
			       what, what);
	else if (c->tag[entry] != right)
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[entry],
			       "%sENT is %llu, an entry has %llu bytes: glibc stops with an "
			       "assertion",
			       what, X(c->tag[entry]), X(right));
}

void check_relocations(struct checked *c)
{
	/* A tag says which of the two the PLT's are; without it the machine decides. */
	bool plt_addend = c->has_tag[TAG_PLTREL] ? c->tag[TAG_PLTREL] == DT_RELA
						 : !(c->machine && c->machine->rel);

	if (c->machine && c->machine->rel)
		check_entry_size(c, "DT_REL", TAG_REL, TAG_RELENT, ELF_SIZEOF(&c->elf, Rel));
	else
		check_entry_size(c, "DT_RELA", TAG_RELA, TAG_RELAENT,
				 ELF_SIZEOF(&c->elf, Rela));
	check_entry_size(c, "DT_RELR", TAG_RELR, TAG_RELRENT, c->elf.is64 ? 8 : 4);
	if (c->has_tag[TAG_PLTREL] && c->tag[TAG_PLTREL] != DT_RELA &&
	    (c->tag[TAG_PLTREL] != DT_REL || !(c->machine && c->machine->rel)))
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[TAG_PLTREL],
			       "DT_PLTREL is %#llx, which is not how this machine's "
			       "relocations are: glibc stops with an assertion",
			       X(c->tag[TAG_PLTREL]));
	check_named_table(c, "DT_REL", TAG_REL, TAG_RELSZ, false);
	check_named_table(c, "DT_RELA", TAG_RELA, TAG_RELASZ, true);
	check_named_table(c, "DT_JMPREL", TAG_JMPREL, TAG_PLTRELSZ, plt_addend);
	/* Packed: every entry is one or more relocations, there is none that means nothing. */
	if (c->has_tag[TAG_RELRSZ] && c->tag[TAG_RELRSZ])
		rule_broken_at(
			&c->report, RULE_NO_RELOCATIONS, c->tag_at[TAG_RELRSZ],
			"DT_RELR has %#llx bytes of packed relocations: nothing applies them, "
			"and readelf does not list them among the others",
			X(c->tag[TAG_RELRSZ]));
	else if (c->has_tag[TAG_RELR] && !c->has_tag[TAG_RELRSZ])
		rule_broken_at(&c->report, RULE_NO_RELOCATIONS, c->tag_at[TAG_RELR],
			       "DT_RELR is there without its size");
}
