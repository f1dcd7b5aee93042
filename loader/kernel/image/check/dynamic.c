/*
 * dynamic.c - the dynamic section, and the relocations it names.
 *
 * .dynamic is the table of contents that a C library reads: a list of tags with
 * an address or a number each. What a tag means for a vDSO is decided here by a list
 * of the ones that are allowed; a tag that is not on it is reported.
 */
#include <string.h>

#include "kernel/image/check/parts.h"

#ifndef DT_RELR
#	define DT_RELRSZ  35
#	define DT_RELR    36
#	define DT_RELRENT 37
#endif

#define UNKEPT NR_TAGS

/* What some machines' linkers write beside (their psABIs); none of it is for a client. */
static const struct {
	uint16_t machine;
	uint32_t tag;
} machine_tags[] = {
	{EM_AARCH64, 0x70000001}, /* BTI_PLT */
	{EM_AARCH64, 0x70000003}, /* PAC_PLT */
	{EM_AARCH64, 0x70000005}, /* VARIANT_PCS */
	{EM_RISCV, 0x70000001},   /* VARIANT_CC */
	{EM_MIPS, 0x70000001},    /* RLD_VERSION */
	{EM_MIPS, 0x70000005},    /* FLAGS */
	{EM_MIPS, 0x70000006},    /* BASE_ADDRESS */
	{EM_MIPS, 0x7000000a},    /* LOCAL_GOTNO */
	{EM_MIPS, 0x70000011},    /* SYMTABNO */
	{EM_MIPS, 0x70000012},    /* UNREFEXTNO */
	{EM_MIPS, 0x70000013},    /* GOTSYM */
	{EM_PPC, 0x70000000},     /* GOT */
	{EM_PPC64, 0x70000000},   /* GLINK */
	{EM_PPC64, 0x70000003},   /* OPT */
};

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
	{DT_RELENT, TAG_RELENT, NULL},
	{DT_RELA, TAG_RELA, NULL},
	{DT_RELASZ, TAG_RELASZ, NULL},
	{DT_RELAENT, TAG_RELAENT, NULL},
	{DT_JMPREL, TAG_JMPREL, NULL},
	{DT_PLTRELSZ, TAG_PLTRELSZ, NULL},
	{DT_PLTREL, TAG_PLTREL, NULL},
	{DT_RELR, TAG_RELR, NULL},
	{DT_RELRSZ, TAG_RELRSZ, NULL},
	{DT_RELRENT, TAG_RELRENT, NULL},
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
			rule_broken_at(&c->report, RULE_NO_DEPENDENCIES, dyn->at,
				       "there is a %s", known->depends);
			return;
		}
		if (seen[i])
			rule_broken_at(&c->report, RULE_DYNAMIC_TAGS, dyn->at,
				       "tag %#llx is there twice: clients take the last one",
				       X(dyn->tag));
		seen[i] = true;
		if (known->keep != UNKEPT) {
			c->has_tag[known->keep] = true;
			c->tag[known->keep] = dyn->value;
			c->tag_at[known->keep] = dyn->at;
		}
		return;
	}
	if (dyn->tag == DT_TEXTREL) {
		rule_broken_at(&c->report, RULE_NO_TEXTREL, dyn->at,
			       "there is a DT_TEXTREL: nothing makes the image writable to "
			       "relocate it");
		return;
	}
	for (size_t i = 0; i < sizeof(machine_tags) / sizeof(machine_tags[0]); i++)
		if (machine_tags[i].machine == c->header.machine &&
		    machine_tags[i].tag == dyn->tag)
			return;
	rule_broken_at(&c->report, RULE_DYNAMIC_TAGS, dyn->at,
		       "tag %#llx, which no vDSO has: nothing handles it", X(dyn->tag));
}

static void check_flags(struct checked *c)
{
	uint64_t flags = c->has_tag[TAG_FLAGS] ? c->tag[TAG_FLAGS] : 0;
	uint64_t flags_1 = c->has_tag[TAG_FLAGS_1] ? c->tag[TAG_FLAGS_1] : 0;

	if (flags & DF_TEXTREL)
		rule_broken_at(
			&c->report, RULE_NO_TEXTREL, c->tag_at[TAG_FLAGS],
			"DT_FLAGS has DF_TEXTREL: nothing makes the image writable to relocate "
			"it");
	if (flags & DF_STATIC_TLS)
		rule_broken_at(&c->report, RULE_NO_TLS, c->tag_at[TAG_FLAGS],
			       "DT_FLAGS has DF_STATIC_TLS: nothing sets it up");
	flags &= ~(uint64_t)(DF_SYMBOLIC | DF_BIND_NOW | DF_TEXTREL | DF_STATIC_TLS);
	if (flags)
		rule_broken_at(&c->report, RULE_DYNAMIC_TAGS, c->tag_at[TAG_FLAGS],
			       "DT_FLAGS has the bits %#llx, which mean nothing here",
			       X(flags));
	if (flags_1 & ~(uint64_t)DF_1_NOW)
		rule_broken_at(&c->report, RULE_DYNAMIC_TAGS, c->tag_at[TAG_FLAGS_1],
			       "DT_FLAGS_1 has the bits %#llx, which mean nothing here",
			       X(flags_1 & ~(uint64_t)DF_1_NOW));
}

/*
 * glibc knows a library that is there by its DT_SONAME: a program that needs one of that name
 * gets the vDSO for it.
 */
void check_soname(struct checked *c, const char *soname)
{
	static const char *const known[] = {"linux-vdso.so.1", "linux-gate.so.1",
					    "linux-vdso32.so.1", "linux-vdso64.so.1"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(soname, known[i]))
			return;
	if (!strncmp(soname, "lib", 3) || !strncmp(soname, "ld", 2))
		rule_broken_at(&c->report, RULE_SONAME_TAKEN, c->tag_at[TAG_SONAME],
			       "DT_SONAME is %s: a program that needs this library gets the "
			       "vDSO instead",
			       soname);
	rule_broken_at(&c->report, RULE_SONAME_KNOWN, c->tag_at[TAG_SONAME],
		       "DT_SONAME is %s, which no kernel's vDSO has", soname);
}

bool check_dynamic(struct checked *c)
{
	const struct elf_segment *d = &c->dynamic;
	size_t entry = ELF_SIZEOF(&c->elf, Dyn);
	bool seen[NR_KNOWN_TAGS] = {false};
	uint64_t offset, at;

	if (!c->has_dynamic)
		return false;
	/* On these two glibc leaves the entries as they are (DL_RO_DYN_SECTION). */
	if (d->flags & PF_W && c->header.machine != EM_RISCV && c->header.machine != EM_MIPS)
		rule_broken_at(
			&c->report, RULE_DYNAMIC_READ_ONLY,
			ELF_FIELD(&c->elf, d->at, Phdr, p_flags),
			"p_flags of the PT_DYNAMIC has PF_W: glibc from 2.35 on then relocates "
			"the entries in place, and dies of it before main");
	if (d->vaddr % (entry / 2))
		rule_broken_at(
			&c->report, RULE_DYNAMIC, ELF_FIELD(&c->elf, d->at, Phdr, p_vaddr),
			"the PT_DYNAMIC is at %#llx, not aligned to its words", X(d->vaddr));
	if (d->memsz != d->filesz)
		rule_broken_at(&c->report, RULE_DYNAMIC,
			       ELF_FIELD(&c->elf, d->at, Phdr, p_memsz),
			       "p_memsz of the PT_DYNAMIC is %#llx and p_filesz %#llx: clients "
			       "read as "
			       "many entries as the one or the other says, rustix the former",
			       X(d->memsz), X(d->filesz));
	if (!checked_offset(c, "the PT_DYNAMIC", d->vaddr, d->filesz, &offset))
		return false;
	for (at = 0; at + entry <= d->filesz; at += entry) {
		struct elf_dyn dyn = elf_dyn(&c->elf, offset + at);

		if (dyn.tag == DT_NULL)
			break;
		check_tag(c, &dyn, seen);
	}
	if (at + entry > d->filesz)
		rule_broken_at(
			&c->report, RULE_DYNAMIC, offset + d->filesz,
			"no DT_NULL within its %#llx bytes: clients read until they meet one",
			X(d->filesz));
	check_flags(c);
	return true;
}
