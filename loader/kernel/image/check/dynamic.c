/*
 * dynamic.c - the dynamic section, and the relocations it names.
 *
 * .dynamic is the table of contents that a C library reads: a list of tags with
 * an address or a number each. What a tag means for a vDSO is decided here by a list
 * of the ones that are allowed; a tag that is not on it is reported.
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
	enum tag keep;       /* where its value is kept, UNKEPT if no part needs it */
	const char *depends; /* what a vDSO with this tag would depend on */
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
	/* A vDSO stands alone. */
	{DT_NEEDED, UNKEPT, "DT_NEEDED: no library is loaded for a vDSO"},
	{DT_RPATH, UNKEPT, "DT_RPATH: nothing is searched for; a path of the build leaked in"},
	{DT_RUNPATH, UNKEPT,
	 "DT_RUNPATH: nothing is searched for; a path of the build leaked in"},
	{DT_AUXILIARY, UNKEPT, "DT_AUXILIARY: no library is loaded for a vDSO"},
	{DT_FILTER, UNKEPT, "DT_FILTER: no library is loaded for a vDSO"},
	{DT_VERNEED, UNKEPT, "DT_VERNEED: there is nothing to ask for a version"},
	{DT_VERNEEDNUM, UNKEPT, "DT_VERNEEDNUM: there is nothing to ask for a version"},
	{DT_INIT, UNKEPT, "DT_INIT: nothing runs it"},
	{DT_FINI, UNKEPT, "DT_FINI: nothing runs it"},
	{DT_INIT_ARRAY, UNKEPT, "DT_INIT_ARRAY: nothing runs it"},
	{DT_INIT_ARRAYSZ, UNKEPT, "DT_INIT_ARRAYSZ: nothing runs it"},
	{DT_FINI_ARRAY, UNKEPT, "DT_FINI_ARRAY: nothing runs it"},
	{DT_FINI_ARRAYSZ, UNKEPT, "DT_FINI_ARRAYSZ: nothing runs it"},
	{DT_PREINIT_ARRAY, UNKEPT, "DT_PREINIT_ARRAY: nothing runs it"},
	{DT_PREINIT_ARRAYSZ, UNKEPT, "DT_PREINIT_ARRAYSZ: nothing runs it"},
};
#define NR_KNOWN_TAGS (sizeof(known_tags) / sizeof(known_tags[0]))

static void check_tag(struct checked *c, const struct elf_dyn *dyn, bool *seen)
{
	for (unsigned i = 0; i < NR_KNOWN_TAGS; i++) {
		const struct known_tag *known = &known_tags[i];

		if (known->tag != dyn->tag)
			continue;
		if (known->depends) {
			rule_broken(&c->report, RULE_NO_DEPENDENCIES, "there is a %s",
				    known->depends);
			return;
		}
		if (seen[i])
			rule_broken(&c->report, RULE_DYNAMIC_TAGS,
				    "tag %#llx is there twice: clients differ in which one "
				    "they take",
				    X(dyn->tag));
		seen[i] = true;
		if (known->keep != UNKEPT) {
			c->has_tag[known->keep] = true;
			c->tag[known->keep] = dyn->value;
		}
		return;
	}
	if (dyn->tag == DT_TEXTREL) {
		rule_broken(&c->report, RULE_NO_TEXTREL,
			    "there is a DT_TEXTREL: nothing makes the image writable to "
			    "relocate it");
		return;
	}
	if (dyn->tag == DT_AARCH64_BTI_PLT && c->header.machine == EM_AARCH64)
		return;
	rule_broken(&c->report, RULE_DYNAMIC_TAGS,
		    "tag %#llx, which no vDSO has: nothing handles it", X(dyn->tag));
}

static void check_flags(struct checked *c)
{
	uint64_t flags = c->has_tag[TAG_FLAGS] ? c->tag[TAG_FLAGS] : 0;
	uint64_t flags_1 = c->has_tag[TAG_FLAGS_1] ? c->tag[TAG_FLAGS_1] : 0;

	if (flags & DF_TEXTREL)
		rule_broken(
			&c->report, RULE_NO_TEXTREL,
			"DT_FLAGS has DF_TEXTREL: nothing makes the image writable to relocate "
			"it");
	if (flags & DF_STATIC_TLS)
		rule_broken(&c->report, RULE_NO_TLS,
			    "DT_FLAGS has DF_STATIC_TLS: nothing sets it up");
	flags &= ~(uint64_t)(DF_SYMBOLIC | DF_BIND_NOW | DF_TEXTREL | DF_STATIC_TLS);
	if (flags)
		rule_broken(&c->report, RULE_DYNAMIC_TAGS,
			    "DT_FLAGS has the bits %#llx, which mean nothing here", X(flags));
	if (flags_1 & ~(uint64_t)DF_1_NOW)
		rule_broken(&c->report, RULE_DYNAMIC_TAGS,
			    "DT_FLAGS_1 has the bits %#llx, which mean nothing here",
			    X(flags_1 & ~(uint64_t)DF_1_NOW));
}

bool check_dynamic(struct checked *c)
{
	const struct elf_segment *d = &c->dynamic;
	size_t entry = ELF_SIZEOF(&c->elf, Dyn);
	bool seen[NR_KNOWN_TAGS] = {false};
	uint64_t offset, at;

	if (!c->has_dynamic)
		return false;
	if (d->flags & PF_W)
		rule_broken(
			&c->report, RULE_DYNAMIC_READ_ONLY,
			"p_flags of the PT_DYNAMIC has PF_W: glibc from 2.35 on then relocates "
			"the entries in place, and dies of it before main");
	if (d->vaddr % (entry / 2))
		rule_broken(&c->report, RULE_DYNAMIC,
			    "the PT_DYNAMIC is at %#llx, not aligned to its words",
			    X(d->vaddr));
	if (!checked_offset(c, "the PT_DYNAMIC", d->vaddr, d->filesz, &offset))
		return false;
	for (at = 0; at + entry <= d->filesz; at += entry) {
		struct elf_dyn dyn = elf_dyn(&c->elf, offset + at);

		if (dyn.tag == DT_NULL)
			break;
		check_tag(c, &dyn, seen);
	}
	if (at + entry > d->filesz)
		rule_broken(
			&c->report, RULE_DYNAMIC,
			"no DT_NULL within its %#llx bytes: clients read until they meet one",
			X(d->filesz));
	check_flags(c);
	return true;
}
