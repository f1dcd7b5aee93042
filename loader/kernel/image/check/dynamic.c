/*
 * dynamic.c - the dynamic section, and the relocations it names.
 *
 * .dynamic is the table of contents that a C library reads: a list of tags with
 * an address or a number each. What a tag means for the page is decided here by a
 * list of the ones that are allowed; a tag that is not on it is reported.
 *
 * Relocations are counted, by the sizes of their tables. The kernel's two checks
 * look for the tags instead (ld.bfd on riscv writes DT_RELA with the size 0: a
 * false alarm), or for names that begin with R_ in the output of readelf (packed
 * RELR entries have none: an image that needs relocation passes).
 */
#include "kernel/image/check/parts.h"

#ifndef DT_RELR
#	define DT_RELRSZ  35
#	define DT_RELR    36
#	define DT_RELRENT 37
#endif
#ifndef DT_AARCH64_BTI_PLT
#	define DT_AARCH64_BTI_PLT 0x70000001
#endif

#define UNKEPT NR_TAGS

/* Every tag that has a meaning here, and what becomes of it. */
static const struct known_tag {
	uint32_t tag;
	enum tag keep;       /* where its value is kept, UNKEPT if nobody asks for it */
	const char *depends; /* on whom a page with this tag would depend */
} known_tags[] = {
	{DT_HASH, TAG_HASH, NULL},
	{DT_GNU_HASH, TAG_GNU_HASH, NULL},
	{DT_STRTAB, TAG_STRTAB, NULL},
	{DT_STRSZ, TAG_STRSZ, NULL},
	{DT_SYMTAB, TAG_SYMTAB, NULL},
	{DT_SYMENT, TAG_SYMENT, NULL},
	{DT_SONAME, TAG_SONAME, NULL},
	{DT_VERSYM, TAG_VERSYM, NULL},
	{DT_VERDEF, TAG_VERDEF, NULL},
	{DT_VERDEFNUM, TAG_VERDEFNUM, NULL},
	{DT_FLAGS, TAG_FLAGS, NULL},
	{DT_FLAGS_1, TAG_FLAGS_1, NULL},
	{DT_SYMBOLIC, UNKEPT, NULL},
	{DT_PLTGOT, UNKEPT, NULL},
	/* Tables of relocations. The tags may be there; the tables must be empty. */
	{DT_REL, TAG_REL, NULL},
	{DT_RELSZ, TAG_RELSZ, NULL},
	{DT_RELENT, UNKEPT, NULL},
	{DT_RELA, TAG_RELA, NULL},
	{DT_RELASZ, TAG_RELASZ, NULL},
	{DT_RELAENT, UNKEPT, NULL},
	{DT_JMPREL, TAG_JMPREL, NULL},
	{DT_PLTRELSZ, TAG_PLTRELSZ, NULL},
	{DT_PLTREL, TAG_PLTREL, NULL},
	{DT_RELR, TAG_RELR, NULL},
	{DT_RELRSZ, TAG_RELRSZ, NULL},
	{DT_RELRENT, UNKEPT, NULL},
	{DT_RELCOUNT, UNKEPT, NULL},
	{DT_RELACOUNT, UNKEPT, NULL},
	/* A page stands alone. */
	{DT_NEEDED, UNKEPT, "DT_NEEDED: no library is loaded for the page"},
	{DT_RPATH, UNKEPT, "DT_RPATH: nothing is searched for; a path of the build leaked in"},
	{DT_RUNPATH, UNKEPT,
	 "DT_RUNPATH: nothing is searched for; a path of the build leaked in"},
	{DT_AUXILIARY, UNKEPT, "DT_AUXILIARY: no library is loaded for the page"},
	{DT_FILTER, UNKEPT, "DT_FILTER: no library is loaded for the page"},
	{DT_VERNEED, UNKEPT, "DT_VERNEED: there is nobody to ask for a version"},
	{DT_VERNEEDNUM, UNKEPT, "DT_VERNEEDNUM: there is nobody to ask for a version"},
	{DT_INIT, UNKEPT, "DT_INIT: nobody runs it"},
	{DT_FINI, UNKEPT, "DT_FINI: nobody runs it"},
	{DT_INIT_ARRAY, UNKEPT, "DT_INIT_ARRAY: nobody runs it"},
	{DT_INIT_ARRAYSZ, UNKEPT, "DT_INIT_ARRAYSZ: nobody runs it"},
	{DT_FINI_ARRAY, UNKEPT, "DT_FINI_ARRAY: nobody runs it"},
	{DT_FINI_ARRAYSZ, UNKEPT, "DT_FINI_ARRAYSZ: nobody runs it"},
	{DT_PREINIT_ARRAY, UNKEPT, "DT_PREINIT_ARRAY: nobody runs it"},
	{DT_PREINIT_ARRAYSZ, UNKEPT, "DT_PREINIT_ARRAYSZ: nobody runs it"},
};
#define NR_KNOWN_TAGS (sizeof(known_tags) / sizeof(known_tags[0]))

static void check_tag(struct check *c, const struct elf_dyn *dyn, bool *seen)
{
	for (unsigned i = 0; i < NR_KNOWN_TAGS; i++) {
		const struct known_tag *known = &known_tags[i];

		if (known->tag != dyn->tag)
			continue;
		if (known->depends) {
			broken(c, RULE_NO_DEPENDENCIES, "there is a %s", known->depends);
			return;
		}
		if (seen[i])
			broken(c, RULE_DYNAMIC_TAGS,
			       "tag %#llx is there twice: clients differ in which one counts",
			       X(dyn->tag));
		seen[i] = true;
		if (known->keep != UNKEPT) {
			c->has_tag[known->keep] = true;
			c->tag[known->keep] = dyn->value;
		}
		return;
	}
	if (dyn->tag == DT_TEXTREL) {
		broken(c, RULE_NO_TEXTREL,
		       "there is a DT_TEXTREL: nobody makes the page writable to relocate it");
		return;
	}
	if (dyn->tag == DT_AARCH64_BTI_PLT && c->header.machine == EM_AARCH64)
		return;
	broken(c, RULE_DYNAMIC_TAGS, "tag %#llx, which no page has: nobody handles it",
	       X(dyn->tag));
}

static void check_flags(struct check *c)
{
	uint64_t flags = c->has_tag[TAG_FLAGS] ? c->tag[TAG_FLAGS] : 0;
	uint64_t flags_1 = c->has_tag[TAG_FLAGS_1] ? c->tag[TAG_FLAGS_1] : 0;

	if (flags & DF_TEXTREL)
		broken(c, RULE_NO_TEXTREL,
		       "DT_FLAGS has DF_TEXTREL: nobody makes the page writable to relocate "
		       "it");
	if (flags & DF_STATIC_TLS)
		broken(c, RULE_NO_TLS, "DT_FLAGS has DF_STATIC_TLS: nobody sets it up");
	flags &= ~(uint64_t)(DF_SYMBOLIC | DF_BIND_NOW | DF_TEXTREL | DF_STATIC_TLS);
	if (flags)
		broken(c, RULE_DYNAMIC_TAGS,
		       "DT_FLAGS has the bits %#llx, which mean nothing here", X(flags));
	if (flags_1 & ~(uint64_t)DF_1_NOW)
		broken(c, RULE_DYNAMIC_TAGS,
		       "DT_FLAGS_1 has the bits %#llx, which mean nothing here",
		       X(flags_1 & ~(uint64_t)DF_1_NOW));
}

bool check_dynamic(struct check *c)
{
	const struct elf_segment *d = &c->dynamic;
	size_t entry = ELF_SIZEOF(&c->elf, Dyn);
	bool seen[NR_KNOWN_TAGS] = {false};
	uint64_t offset, at;

	if (!c->has_dynamic)
		return false;
	if (d->flags & PF_W)
		broken(c, RULE_DYNAMIC_READ_ONLY,
		       "p_flags of the PT_DYNAMIC has PF_W: glibc from 2.35 on then relocates "
		       "the entries in place, and dies of it before main");
	if (d->vaddr % (entry / 2))
		broken(c, RULE_DYNAMIC, "the PT_DYNAMIC is at %#llx, not aligned to its words",
		       X(d->vaddr));
	if (!address(c, "the PT_DYNAMIC", d->vaddr, d->filesz, &offset))
		return false;
	for (at = 0; at + entry <= d->filesz; at += entry) {
		struct elf_dyn dyn = elf_dyn(&c->elf, offset + at);

		if (dyn.tag == DT_NULL)
			break;
		check_tag(c, &dyn, seen);
	}
	if (at + entry > d->filesz)
		broken(c, RULE_DYNAMIC,
		       "no DT_NULL within its %#llx bytes: clients read until they meet one",
		       X(d->filesz));
	check_flags(c);
	return true;
}

void check_relocation_table(struct check *c, const char *what, uint64_t offset, uint64_t size,
			    bool has_addend)
{
	size_t entry = has_addend ? ELF_SIZEOF(&c->elf, Rela) : ELF_SIZEOF(&c->elf, Rel);
	size_t info = c->elf.is64 ? offsetof(Elf64_Rela, r_info) : offsetof(Elf32_Rela, r_info);
	uint64_t nr = 0, first = 0;

	if (size % entry)
		broken(c, RULE_NO_RELOCATIONS,
		       "%s has %#llx bytes, which are no whole relocations of %zu", what,
		       X(size), entry);
	for (uint64_t at = 0; at + entry <= size; at += entry) {
		uint64_t r_info = elf_word(&c->elf, offset + at + info);
		uint64_t type = c->elf.is64 ? ELF64_R_TYPE(r_info) : ELF32_R_TYPE(r_info);

		/* R_X86_64_NONE, R_386_NONE, R_AARCH64_NONE, R_RISCV_NONE are all 0. */
		if (type != 0 && nr++ == 0)
			first = elf_word(&c->elf, offset + at);
	}
	if (nr)
		broken(c, RULE_NO_RELOCATIONS,
		       "%s has %llu, the first for address %#llx: nobody applies them, and the "
		       "code would use what stands there",
		       what, X(nr), X(first));
}

/* A table that .dynamic names by address and size. */
static void check_named_table(struct check *c, const char *what, enum tag where, enum tag size,
			      bool has_addend)
{
	uint64_t offset;

	if (c->has_tag[where] && !c->has_tag[size])
		broken(c, RULE_NO_RELOCATIONS,
		       "%s is there without its size: there may be relocations", what);
	if (!c->has_tag[size] || c->tag[size] == 0)
		return;
	if (!c->has_tag[where])
		broken(c, RULE_NO_RELOCATIONS, "%s has a size of %#llx, but no address", what,
		       X(c->tag[size]));
	else if (!address(c, what, c->tag[where], c->tag[size], &offset))
		broken(c, RULE_NO_RELOCATIONS, "%s has a size of %#llx: nobody applies them",
		       what, X(c->tag[size]));
	else
		check_relocation_table(c, what, offset, c->tag[size], has_addend);
}

void check_relocations(struct check *c)
{
	/* Which of the two the PLT's are is said by a tag; without it, by the machine. */
	bool plt_addend = c->has_tag[TAG_PLTREL] ? c->tag[TAG_PLTREL] == DT_RELA
						 : c->header.machine != EM_386;

	check_named_table(c, "DT_REL", TAG_REL, TAG_RELSZ, false);
	check_named_table(c, "DT_RELA", TAG_RELA, TAG_RELASZ, true);
	check_named_table(c, "DT_JMPREL", TAG_JMPREL, TAG_PLTRELSZ, plt_addend);
	/* Packed: every entry is one or more relocations, there is none that means nothing. */
	if (c->has_tag[TAG_RELRSZ] && c->tag[TAG_RELRSZ])
		broken(c, RULE_NO_RELOCATIONS,
		       "DT_RELR has %#llx bytes of packed relocations: nobody applies them, "
		       "and readelf does not list them among the others",
		       X(c->tag[TAG_RELRSZ]));
	else if (c->has_tag[TAG_RELR] && !c->has_tag[TAG_RELRSZ])
		broken(c, RULE_NO_RELOCATIONS, "DT_RELR is there without its size");
}
