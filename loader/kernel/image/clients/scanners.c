/*
 * scanners.c - clients that go through all symbols: musl, zig, bionic, abseil.
 *
 * None of them needs a hash table to find a name. musl and zig need DT_HASH all the same, for
 * it alone says how many symbols there are; bionic takes the section headers for that.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"

#define TYPES (1u << STT_NOTYPE | 1u << STT_OBJECT | 1u << STT_FUNC | 1u << STT_COMMON)
#define BINDS (1u << STB_GLOBAL | 1u << STB_WEAK | 1u << STB_GNU_UNIQUE)

static bool musl_find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct tables *t = arg;
	uint64_t nr;

	l->part = PART_HASH;
	nr = look_hash(l, t->hash, 1);
	for (uint64_t i = 0; i < nr && !l->over; i++) {
		struct elf_symbol s = look_symbol(l, t->symtab, i);
		enum miss miss = MISS_VERSION;

		if (!(1u << ELF64_ST_TYPE(s.info) & TYPES))
			miss = MISS_TYPE;
		else if (!(1u << ELF64_ST_BIND(s.info) & BINDS))
			miss = MISS_BINDING;
		else if (s.shndx == SHN_UNDEF)
			miss = MISS_UNDEFINED;
		else if (!look_equal(l, t->strtab + s.name, name))
			continue;
		else if (!t->has_versions || look_version(l, t, i, l->node, DEMAND_NAME)) {
			*address = t->bias + s.value;
			return true;
		}
		/* The name of those that it does not take is not read. */
		if (miss == MISS_VERSION ||
		    (elf_string(&l->elf, (t->strtab + s.name) & l->mask, UINT64_MAX) &&
		     !strcmp(elf_string(&l->elf, (t->strtab + s.name) & l->mask, UINT64_MAX),
			     name)))
			l->miss = miss;
	}
	return false;
}

/* The last PT_LOAD is the base, and PT_DYNAMIC counts by its offset. */
static void judge_musl_like(struct look *l, bool loaded, const char *const *endings)
{
	struct segments s = look_segments(l, l->header.phentsize);
	struct tables t;

	if (loaded && !s.nr_dynamic)
		look_end(l, CLIENT_CRASHES, "dynamic",
			 "its dynamic linker reads the PT_DYNAMIC, and there is none");
	if (!s.nr_dynamic)
		look_end(l, CLIENT_FALLS_BACK, "dynamic", "there is no PT_DYNAMIC");
	if (!s.nr_load)
		look_end(l, CLIENT_FALLS_BACK, "one-load", "there is no PT_LOAD");
	t = look_tables(l, s.last_load.offset - s.last_load.vaddr, s.dynamic.offset,
			UINT64_MAX);
	if (!t.dynamic.has[ENTRY_STRTAB] || !t.dynamic.has[ENTRY_SYMTAB])
		look_end(l, CLIENT_FALLS_BACK, "dynamic-tags",
			 "there is no DT_STRTAB or DT_SYMTAB");
	if (!t.dynamic.has[ENTRY_HASH])
		look_end(l, CLIENT_FALLS_BACK, "hash",
			 "there is no DT_HASH, the only table that it knows");
	look_ask(l, musl_find, &t, endings, LATER);
	look_conclude(l);
}

static const char *const musl_asks[] = {"clock_gettime", "clock_gettime64", "getcpu", NULL};

void judge_musl(struct look *l)
{
	judge_musl_like(l, true, musl_asks);
}

void judge_musl_static(struct look *l)
{
	judge_musl_like(l, false, musl_asks);
}

void judge_zig(struct look *l)
{
	static const char *const asks[] = {"clock_gettime", NULL};

	judge_musl_like(l, false, asks);
}

struct bionic {
	struct tables tables;
	uint64_t nr;
};

static bool bionic_find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct bionic *b = arg;

	for (uint64_t i = 0; i < b->nr && !l->over; i++) {
		struct elf_symbol s = look_symbol(l, b->tables.symtab, i);

		/* Neither type nor version nor whether it is defined. */
		if (look_equal(l, b->tables.strtab + s.name, name)) {
			*address = b->tables.bias + s.value;
			return true;
		}
	}
	return false;
}

void judge_bionic(struct look *l)
{
	static const char *const asks[] = {"clock_gettime", "clock_getres", "gettimeofday",
					   "time", NULL};
	struct bionic b = {0};
	struct segments s;

	l->part = PART_SECTIONS;
	for (unsigned i = 0; i < l->header.shnum && !l->over; i++) {
		uint64_t at = l->header.shoff + (uint64_t)i * ELF_SIZEOF(&l->elf, Shdr);
		struct elf_section section;

		if (!look_there(l, at, ELF_SIZEOF(&l->elf, Shdr)))
			break;
		section = elf_section(&l->elf, at & l->mask);
		if (section.type == SHT_DYNSYM) {
			b.nr = section.size / ELF_SIZEOF(&l->elf, Sym);
			break;
		}
	}
	if (!b.nr)
		look_end(
			l, CLIENT_FALLS_BACK, "section-headers",
			"no section header of type SHT_DYNSYM says how many symbols there are");
	s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
	if (!s.nr_dynamic || !s.nr_load)
		look_end(l, CLIENT_FALLS_BACK, s.nr_load ? "dynamic" : "one-load",
			 "there is no PT_LOAD or no PT_DYNAMIC");
	/* It stops at the first two that it has seen: with one PT_LOAD these are they. */
	b.tables = look_tables(l, s.first_load.offset - s.first_load.vaddr, s.dynamic.offset,
			       UINT64_MAX);
	if (!b.tables.dynamic.has[ENTRY_STRTAB] || !b.tables.dynamic.has[ENTRY_SYMTAB])
		look_end(l, CLIENT_FALLS_BACK, "dynamic-tags",
			 "there is no DT_STRTAB or DT_SYMTAB");
	look_ask(l, bionic_find, &b, asks, AT_START);
	look_conclude(l);
}

struct abseil {
	struct tables tables;
	uint64_t base, nr, strsz, nr_versions;
};

static bool abseil_string(struct look *l, const struct abseil *a, uint64_t offset)
{
	if (offset >= a->strsz)
		look_end(l, CLIENT_REFUSES, "strtab",
			 "a check of GetDynstr(): a name is after the end of DT_STRSZ");
	return !l->over;
}

/* GetVerdef(): the version's name, as an address; 0 if the symbol has none. */
static uint64_t abseil_version(struct look *l, const struct abseil *a, uint64_t symbol)
{
	uint64_t at = a->tables.verdef;
	unsigned index, nr_names;
	uint32_t name;

	l->part = PART_VERSIONS;
	index = look_u16(l, a->tables.versym + 2 * symbol) & 0x7fff;
	if (index > a->nr_versions)
		look_end(l, CLIENT_REFUSES, "versions",
			 "a check of GetVerdef(): version %u of %llu", index,
			 (unsigned long long)a->nr_versions);
	while (!l->over && look_u16(l, at + 4) < index) {
		uint32_t next = look_u32(l, at + 16);

		if (!next)
			break;
		at += next;
	}
	if (look_u16(l, at + 4) != index)
		return 0;
	nr_names = look_u16(l, at + 6);
	if (nr_names != 1 && nr_names != 2)
		look_end(l, CLIENT_REFUSES, "versions",
			 "a check of SymbolIterator::Update(): a version with %u names",
			 nr_names);
	/* Right after the definition, whatever vd_aux says. */
	name = look_u32(l, at + 20);
	return abseil_string(l, a, name) ? a->tables.strtab + name : 0;
}

static bool abseil_find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct abseil *a = arg;

	for (uint64_t i = 0; i < a->nr && !l->over; i++) {
		struct elf_symbol s = look_symbol(l, a->tables.symtab, i);
		bool special = s.shndx == SHN_UNDEF || s.shndx >= SHN_LORESERVE;
		uint64_t version = 0;

		if (!abseil_string(l, a, s.name))
			break;
		if (s.shndx != SHN_UNDEF)
			version = abseil_version(l, a, i);
		if (!special && s.value <= a->base)
			look_end(l, CLIENT_REFUSES, "symbols",
				 "a check of GetSymAddr(): symbol %llu is not above the "
				 "image's start",
				 (unsigned long long)i);
		if (!look_equal(l, a->tables.strtab + s.name, name))
			continue;
		if (!version || !look_equal(l, version, l->node))
			l->miss = MISS_VERSION;
		else if (ELF64_ST_TYPE(s.info) != STT_FUNC)
			l->miss = MISS_TYPE;
		else {
			*address = special ? l->mask : s.value - a->base;
			return true;
		}
	}
	return false;
}

/* How many symbols there are, by the table that it has. */
static uint64_t abseil_count(struct look *l, const struct tables *t)
{
	uint32_t nr_buckets, first, last = 0;
	uint64_t buckets;

	if (t->dynamic.has[ENTRY_HASH]) {
		l->part = PART_HASH;
		return look_hash(l, t->hash, 1);
	}
	l->part = PART_GNU_HASH;
	nr_buckets = look_u32(l, t->gnu_hash);
	first = look_u32(l, t->gnu_hash + 4);
	buckets = t->gnu_hash + 16 +
		  (uint64_t)(l->elf.is64 ? 8 : 4) * look_u32(l, t->gnu_hash + 8);
	for (uint32_t i = 0; i < nr_buckets && !l->over; i++) {
		uint32_t bucket = look_u32(l, buckets + 4ull * i);

		if (bucket > last)
			last = bucket;
	}
	if (last < first)
		return first;
	while (!l->over &&
	       !(look_u32(l, buckets + 4ull * nr_buckets + 4ull * (last - first)) & 1))
		last++;
	return (uint64_t)last + 1;
}

void judge_abseil(struct look *l)
{
	/* The time is not what it wants from a vDSO. */
	static const char *const asks[] = {"getcpu", NULL};
	struct segments s = look_segments(l, l->header.phentsize);
	struct abseil a = {.base = s.first_load.vaddr};
	const struct dynamic *d = &a.tables.dynamic;

	if (!s.nr_load || !s.nr_dynamic)
		look_end(l, CLIENT_FALLS_BACK, s.nr_load ? "dynamic" : "one-load",
			 "there is no PT_LOAD or no PT_DYNAMIC");
	a.tables = look_tables(l, -a.base, s.dynamic.vaddr - a.base, UINT64_MAX);
	a.strsz = d->value[ENTRY_STRSZ];
	a.nr_versions = d->value[ENTRY_VERDEFNUM];
	if ((!d->has[ENTRY_HASH] && !d->has[ENTRY_GNU_HASH]) || !d->has[ENTRY_SYMTAB] ||
	    !d->has[ENTRY_STRTAB] || !d->has[ENTRY_VERSYM] || !d->has[ENTRY_VERDEF] ||
	    !a.nr_versions || !a.strsz)
		look_end(l, CLIENT_FALLS_BACK, "versions",
			 "DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_STRSZ or another entry is "
			 "missing (built with assertions it stops there)");
	a.nr = abseil_count(l, &a.tables);
	look_ask(l, abseil_find, &a, asks, AT_START);
	look_conclude(l);
}
