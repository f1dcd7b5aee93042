/*
 * lookup.h - tables of symbols made by hand, for what the resolver does with them.
 *
 * In a real vDSO some things never happen: two names with one hash, a name in two versions,
 * two versions with one hash. Here they all do, in one image that is nothing but its tables.
 * Nobody calls what is found, so the addresses are just numbers. The tables that a walk may
 * overrun lie against memory that may not be touched (attempt.h).
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <string.h>

#include "attempt.h"
#include "libc/vdso_elf.h"

/* The definitions by their index. The last two have the same hash. */
enum { BASE = VER_NDX_GLOBAL, LINUX_2_5, LINUX_2_6, LINUX_2_F, NR_VERDEFS = LINUX_2_F };
static const char *const versions[] = {
	[BASE] = "linux-vdso.so.1",
	[LINUX_2_5] = "LINUX_2.5",
	[LINUX_2_6] = "LINUX_2.6",
	[LINUX_2_F] = "LINUX_2-F",
};

/* The list of definitions has them in this order: an index is no place in it. */
static const unsigned int order[NR_VERDEFS] = {BASE, LINUX_2_F, LINUX_2_6, LINUX_2_5};

/* These two have the same GNU hash. */
#define TWIN_1 "vdso_Ez"
#define TWIN_2 "vdso_FY"

static const struct {
	const char *name;
	ElfW(Half) versym;
} symbols[] = {
	{"__vdso_time", LINUX_2_6},
	{"__vdso_getcpu", LINUX_2_6},
	{TWIN_1, LINUX_2_6},
	{TWIN_2, LINUX_2_6},
	{"two_versions", LINUX_2_5 | VDSO_VERSYM_HIDDEN},
	{"two_versions", LINUX_2_6},
	{"hidden", LINUX_2_6 | VDSO_VERSYM_HIDDEN},
	{"unversioned", BASE},
	{"other_version", LINUX_2_F},
};
#define NR_SYMBOLS  (sizeof(symbols) / sizeof(symbols[0]))
#define NR_BUCKETS  5
#define BLOOM_WORDS 4
#define BLOOM_SHIFT 7
#define LOAD        0x70000 /* where the image is said to lie */

/* The tables have pages of their own, so that lookup_trace.h can see who reads them. */
static struct {
	_Alignas(ATTEMPT_PAGE) ElfW(Sym) symtab[NR_SYMBOLS + 1];
	ElfW(Half) versym[NR_SYMBOLS + 1];
	struct {
		ElfW(Verdef) def;
		ElfW(Verdaux) aux;
	} verdef[NR_VERDEFS];
	char strtab[512];
	size_t strsz;
	ElfW(Addr) bloom[BLOOM_WORDS];
	uint32_t gnu_bucket[NR_BUCKETS], *gnu_chain;
	uint32_t bucket[NR_BUCKETS], *chain;
	_Alignas(ATTEMPT_PAGE) ElfW(Phdr) load;
	struct vdso_elf elf;
} table;

static uint32_t string(const char *text)
{
	size_t at = table.strsz;

	strcpy(table.strtab + at, text);
	table.strsz += strlen(text) + 1;
	return (uint32_t)at;
}

/* The address of the symbol at a place in symbols[]. */
static const void *address_of(size_t place)
{
	return (const void *)(LOAD + 0x100 * (place + 1));
}

static void add_symbol(uint32_t i, size_t place)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	const char *name = symbols[place].name;
	uint32_t gnu = vdso_gnu_hash(name), sysv = vdso_elf_hash(name) % NR_BUCKETS;

	table.symtab[i] = (ElfW(Sym)){
		.st_name = string(name),
		.st_info = STB_GLOBAL << 4 | STT_FUNC,
		.st_shndx = 1,
		.st_value = 0x100 * (place + 1),
	};
	table.versym[i] = symbols[place].versym;
	table.bloom[gnu / bits % BLOOM_WORDS] |=
		(ElfW(Addr))1 << gnu % bits | (ElfW(Addr))1 << (gnu >> BLOOM_SHIFT) % bits;
	if (!table.gnu_bucket[gnu % NR_BUCKETS])
		table.gnu_bucket[gnu % NR_BUCKETS] = i;
	table.gnu_chain[i - 1] = gnu & ~1u;
	table.chain[i] = table.bucket[sysv];
	table.bucket[sysv] = i;
}

/* All tables anew. */
static void reset(void)
{
	static char *guards[2];
	uint32_t i = 1;

	for (int n = 0; n < 2; n++)
		if (!guards[n])
			guards[n] = attempt_guard();
	memset(&table, 0, sizeof(table));
	table.strsz = 1;
	table.gnu_chain = (uint32_t *)guards[0] - NR_SYMBOLS;
	table.chain = (uint32_t *)guards[1] - (NR_SYMBOLS + 1);
	table.chain[0] = 0;
	for (uint32_t bucket = 0; bucket < NR_BUCKETS; bucket++) {
		uint32_t first = i;

		for (size_t place = 0; place < NR_SYMBOLS; place++)
			if (vdso_gnu_hash(symbols[place].name) % NR_BUCKETS == bucket)
				add_symbol(i++, place);
		if (i > first)
			table.gnu_chain[i - 2] |= 1;
	}
	for (unsigned int v = 0; v < NR_VERDEFS; v++) {
		table.verdef[v].def = (ElfW(Verdef)){
			.vd_version = VER_DEF_CURRENT,
			.vd_flags = order[v] == BASE ? VER_FLG_BASE : 0,
			.vd_ndx = (ElfW(Half))order[v],
			.vd_cnt = 1,
			.vd_hash = vdso_elf_hash(versions[order[v]]),
			.vd_aux = sizeof(ElfW(Verdef)),
			.vd_next = v + 1 < NR_VERDEFS ? sizeof(table.verdef[0]) : 0,
		};
		table.verdef[v].aux.vda_name = string(versions[order[v]]);
	}
	table.load.p_filesz = 0x10000;
	table.elf = (struct vdso_elf){
		.load = &table.load,
		.load_offset = LOAD,
		.strtab = table.strtab,
		.strsz = table.strsz,
		.symtab = table.symtab,
		.nr_symbols = NR_SYMBOLS + 1,
		.versym = table.versym,
		.verdef = &table.verdef[0].def,
		.nr_verdef = NR_VERDEFS,
		.gnu = {NR_BUCKETS, 1, BLOOM_WORDS, BLOOM_SHIFT, table.bloom, table.gnu_bucket,
			table.gnu_chain},
		.hash = {NR_BUCKETS, NR_SYMBOLS + 1, table.bucket, table.chain},
	};
}

/* A question to the resolver, and the address that is the answer. */
static struct {
	const char *name, *version;
	const void *want, *got;
	const char *broken;
} asked;

static void look_up(void)
{
	asked.got = vdso_elf_symbol(&table.elf, asked.name, asked.version);
}

static bool answers(const char *name, const char *version, const void *want)
{
	asked.name = name;
	asked.version = version;
	asked.want = want;
	asked.got = NULL;
	asked.broken = attempt(look_up);
	return !asked.broken && asked.got == want;
}

static bool finds(const char *name, const char *version, size_t place)
{
	return answers(name, version, address_of(place));
}

static bool refuses(const char *name, const char *version)
{
	return answers(name, version, NULL);
}

#include "lookup_trace.h"

/* A point; the last question is the one that failed. */
static void point(bool pass, const char *what, const char *why)
{
	if (ok(pass, "%s", what))
		return;
	diag("asked     %s, version %s", asked.name,
	     asked.version ? asked.version : "not said");
	if (asked.want)
		expected("address %p", asked.want);
	else
		expected("nothing");
	if (asked.broken)
		but_got("%s", asked.broken);
	else if (asked.got)
		but_got("address %p", asked.got);
	else
		but_got("nothing");
	tell_way(look_up);
	because("%s", why);
}

#endif
