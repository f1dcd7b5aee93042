/*
 * glibc.c - glibc since 2.35: the vDSO is a library like others, already mapped.
 *
 *   elf/setup-vdso.h          program headers, and where the image lies
 *   elf/get-dynamic-info.h    .dynamic, with assertions about relocations
 *   elf/dl-setup_hash.c       DT_GNU_HASH, or else DT_HASH
 *   elf/dl-lookup.c           do_lookup_x(), check_match()
 *   sysdeps/.../dl-vdso*.h    the functions, by name and version
 *
 * Most functions are looked up at the very start, when no object has a version table yet; so
 * any version will do. time() and gettimeofday() of a dynamic program are looked up once more
 * by the relocation of libc.so, after _dl_check_map_versions() has read DT_VERDEF: that is
 * where the version counts, and where DT_VERSYM is used without asking whether it is there.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"
#include "kernel/image/machine.h"

/* Entries of 24 bytes, so four pages. */
#define FAR_AWAY 680

struct glibc {
	struct tables tables;
	bool by_gnu_hash, by_versions;
	unsigned nr_versions; /* of its own table, l_versions */
	uint64_t nr_buckets;
	uint64_t buckets, chains; /* of DT_GNU_HASH */
	uint64_t filter;
	uint32_t filter_mask, shift;
};

static const char *const at_start[] = {"clock_gettime",
				       "clock_gettime64",
				       "gettimeofday",
				       "time",
				       "getcpu",
				       "clock_getres",
				       NULL};
/* Since 2.41. */
static const char *const by_newer[] = {"getrandom", NULL};
static const char *const by_relocation[] = {"gettimeofday", "time", NULL};

static bool set_up_hash(struct look *l, struct glibc *g)
{
	const struct dynamic *d = &g->tables.dynamic;
	uint64_t at;

	if (d->has[ENTRY_GNU_HASH]) {
		uint32_t words, first;

		l->part = PART_GNU_HASH;
		at = g->tables.gnu_hash;
		g->by_gnu_hash = true;
		g->nr_buckets = look_u32(l, at);
		first = look_u32(l, at + 4);
		words = look_u32(l, at + 8);
		g->shift = look_u32(l, at + 12);
		if (words & (words - 1))
			look_end(l, CLIENT_REFUSES, "hash",
				 "an assertion of _dl_setup_hash(): the filter of DT_GNU_HASH "
				 "has %u words, no power of two",
				 words);
		g->filter_mask = words - 1;
		g->filter = at + 16;
		g->buckets = g->filter + (uint64_t)(l->elf.is64 ? 8 : 4) * words;
		/* From here the index of a symbol counts, although the table begins later. */
		g->chains = g->buckets + 4 * g->nr_buckets - 4ull * first;
		return true;
	}
	if (!d->has[ENTRY_HASH])
		return false;
	l->part = PART_HASH;
	g->nr_buckets = look_hash(l, g->tables.hash, 0);
	return true;
}

/* What elf_get_dynamic_info() asserts of the relocations, where the machine has such. */
static void check_relocation_entries(struct look *l, const struct dynamic *d)
{
	const struct machine *machine = machine_of(&l->elf);
	const bool rel = machine->rel; /* by themselves its linkers write REL, not RELA */
	const struct {
		enum entry table, entry;
		bool is_looked_at;
		uint64_t size;
		const char *name;
	} sizes[] = {{ENTRY_RELA, ENTRY_RELAENT, !rel, ELF_SIZEOF(&l->elf, Rela), "DT_RELA"},
		     {ENTRY_REL, ENTRY_RELENT, rel, ELF_SIZEOF(&l->elf, Rel), "DT_REL"},
		     {ENTRY_RELR, ENTRY_RELRENT, true, l->elf.is64 ? 8 : 4, "DT_RELR"}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!d->has[sizes[i].table] || !sizes[i].is_looked_at)
			continue;
		if (!d->has[sizes[i].entry])
			look_end(l, CLIENT_CRASHES, "no-relocations",
				 "it takes the size of an entry from %sENT, which is not there",
				 sizes[i].name);
		else if (d->value[sizes[i].entry] != sizes[i].size)
			look_end(l, CLIENT_REFUSES, "no-relocations",
				 "an assertion of elf_get_dynamic_info() about %sENT",
				 sizes[i].name);
	}
	if (d->has[ENTRY_PLTREL] && d->value[ENTRY_PLTREL] != DT_RELA &&
	    !(rel && d->value[ENTRY_PLTREL] == DT_REL))
		look_end(l, CLIENT_REFUSES, "no-relocations",
			 "an assertion of elf_get_dynamic_info() about DT_PLTREL");
}

static bool version_matches(struct look *l, const struct glibc *g, uint64_t symbol)
{
	const struct tables *t = &g->tables;
	uint64_t at = t->verdef, name = 0;
	uint16_t index;
	uint32_t hash = 0, next;

	l->part = PART_VERSIONS;
	index = look_u16(l, t->versym + 2 * symbol) & 0x7fff;
	/* It does not compare with the size of its table. Near its end there is other memory.
	 */
	if (index > g->nr_versions + FAR_AWAY)
		look_end(l, CLIENT_CRASHES, "versions",
			 "symbol %llu is of version %u, which it takes from a table of %u",
			 (unsigned long long)symbol, index, g->nr_versions);
	/* Of several with the same index the last one is in its table. */
	do {
		if ((look_u16(l, at + 4) & 0x7fff) == index &&
		    !(look_u16(l, at + 2) & VER_FLG_BASE)) {
			hash = look_u32(l, at + 8);
			name = look_u32(l, at + look_u32(l, at + 12));
		}
		next = look_u32(l, at + 16);
		at += next;
	} while (next && !l->over);
	return hash == look_sysv_hash(l->node) && look_equal(l, t->strtab + name, l->node);
}

/* Only a name and a version that fit end the search in a bucket; what comes after is final. */
static bool check_match(struct look *l, const struct glibc *g, uint64_t symbol,
			const char *name)
{
	const unsigned types = 1 << STT_NOTYPE | 1 << STT_OBJECT | 1 << STT_FUNC |
			       1 << STT_COMMON | 1 << STT_TLS | 1 << STT_GNU_IFUNC;
	struct elf_symbol s = look_symbol(l, g->tables.symtab, symbol);
	unsigned type = ELF64_ST_TYPE(s.info);

	if (s.value == 0 && s.shndx != SHN_ABS && type != STT_TLS)
		return false;
	if (!(1 << type & types) || !look_equal(l, g->tables.strtab + s.name, name)) {
		return false;
	}
	if (g->by_versions && !version_matches(l, g, symbol)) {
		l->miss = MISS_VERSION;
		return false;
	}
	return true;
}

static bool take(struct look *l, const struct glibc *g, uint64_t symbol, uint64_t *address)
{
	struct elf_symbol s = look_symbol(l, g->tables.symtab, symbol);
	unsigned visibility = ELF64_ST_VISIBILITY(s.other), bind = ELF64_ST_BIND(s.info);

	if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) {
		l->miss = MISS_VISIBILITY;
		return false;
	}
	if (bind != STB_GLOBAL && bind != STB_WEAK && bind != STB_GNU_UNIQUE) {
		l->miss = MISS_BINDING;
		return false;
	}
	/*
	 * What is absolute stays where it says: not inside the image, wherever that lies. (Past
	 * every address, so that it counts as outside.)
	 */
	*address = s.shndx == SHN_ABS ? l->mask : g->tables.bias + s.value;
	return true;
}

static bool filter_passes(struct look *l, const struct glibc *g, uint32_t hash)
{
	unsigned bits = l->elf.is64 ? 64 : 32;
	uint64_t word =
		look_word(l, g->filter + bits / 8 * (uint64_t)(hash / bits & g->filter_mask));
	/* By 32 and more: undefined in C, and what CPUs do with the number is this. */
	return word >> hash % bits & word >> (hash >> g->shift % 32) % bits & 1;
}

static bool find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct glibc *g = arg;
	uint32_t hash = g->by_gnu_hash ? look_gnu_hash(name) : look_sysv_hash(name);
	uint64_t at;

	if (!g->nr_buckets)
		return false;
	/* Pointers into .dynamic, which it follows without asking whether they are there. */
	if (!g->tables.dynamic.has[ENTRY_SYMTAB] || !g->tables.dynamic.has[ENTRY_STRTAB]) {
		look_end(l, CLIENT_CRASHES, "dynamic-tags", "it uses %s, which is not there",
			 g->tables.dynamic.has[ENTRY_SYMTAB] ? "DT_STRTAB" : "DT_SYMTAB");
		return false;
	}
	l->part = g->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
	if (g->by_gnu_hash && !filter_passes(l, g, hash))
		return false;
	if (g->by_gnu_hash)
		at = look_u32(l, g->buckets + 4 * (hash % g->nr_buckets));
	else
		at = look_hash(l, g->tables.hash, 2 + hash % g->nr_buckets);
	while (at && !l->over) {
		uint64_t next;

		l->part = g->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
		next = g->by_gnu_hash ? look_u32(l, g->chains + 4 * at)
				      : look_hash(l, g->tables.hash, 2 + g->nr_buckets + at);
		if ((!g->by_gnu_hash || (next ^ hash) >> 1 == 0) && check_match(l, g, at, name))
			return take(l, g, at, address);
		if (!g->by_gnu_hash)
			at = next;
		else if (next & 1)
			break;
		else
			at++;
	}
	return false;
}

/* _dl_check_map_versions(): with a DT_VERDEF the other table must be there. */
static bool read_versions(struct look *l, const struct tables *t, unsigned *highest)
{
	uint64_t at = t->verdef;
	uint32_t next;

	if (t->dynamic.has[ENTRY_VERNEED])
		look_end(l, CLIENT_REFUSES, "no-dependencies",
			 "it looks for the library that a DT_VERNEED asks for, among none");
	if (!t->dynamic.has[ENTRY_VERDEF])
		return false;
	l->part = PART_VERSIONS;
	do {
		unsigned index = look_u16(l, at + 4) & 0x7fff;

		if (index > *highest)
			*highest = index;
		if (!(look_u16(l, at + 2) & VER_FLG_BASE))
			look_u32(l, at + look_u32(l, at + 12));
		next = look_u32(l, at + 16);
		at += next;
	} while (next && !l->over);
	if (!t->dynamic.has[ENTRY_VERSYM])
		look_end(l, CLIENT_CRASHES, "versions",
			 "it uses DT_VERSYM, which is not there, because there is a DT_VERDEF");
	return true;
}

/* A library of that name counts as loaded, and the program gets this one instead. */
static void check_soname(struct look *l, const struct tables *t, bool dynamically)
{
	/* The C library, and the dynamic linker, which it needs itself. */
	static const char *const everybodys[] = {"libc.so.6", "libc.so.6.1", "ld-linux",
						 "ld.so.1", "ld64.so"};

	if (!t->dynamic.has[ENTRY_SONAME])
		return;
	if (!t->dynamic.has[ENTRY_STRTAB])
		look_end(l, CLIENT_CRASHES, "dynamic-tags",
			 "it takes DT_SONAME out of DT_STRTAB, which is not there");
	/* Static programs only keep the address. */
	if (!dynamically)
		return;
	l->part = PART_STRINGS;
	look_length(l, t->strtab + t->dynamic.value[ENTRY_SONAME]);
	for (size_t i = 0; i < sizeof(everybodys) / sizeof(everybodys[0]); i++)
		if (look_starts(l, t->strtab + t->dynamic.value[ENTRY_SONAME], everybodys[i]))
			look_end(l, CLIENT_REFUSES, "soname-taken",
				 "its DT_SONAME is that of a library that every program needs, "
				 "which counts as loaded: none starts");
	if (look_starts(l, t->strtab + t->dynamic.value[ENTRY_SONAME], "lib"))
		look_end(l, CLIENT_OURS, "soname-taken",
			 "but a program that needs the library of its DT_SONAME gets this one");
}

/* Is there an entry that elf_get_dynamic_info() would relocate in place? */
static bool has_addresses(const struct dynamic *d)
{
	static const enum entry addresses[] = {
		ENTRY_HASH, ENTRY_PLTGOT, ENTRY_STRTAB, ENTRY_SYMTAB, ENTRY_RELA,
		ENTRY_REL,  ENTRY_RELR,   ENTRY_JMPREL, ENTRY_VERSYM, ENTRY_GNU_HASH};

	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (d->has[addresses[i]])
			return true;
	return false;
}

static void judge_any(struct look *l, bool fixed, bool dynamically)
{
	unsigned stride = ELF_SIZEOF(&l->elf, Phdr);
	struct glibc g = {0};
	/* So it is until a PT_DYNAMIC says otherwise. */
	bool writable = true, seen = false;
	uint64_t dynamic = 0, base = 0;
	unsigned loads = 0;

	l->part = PART_SEGMENTS;
	for (unsigned i = 0; i < l->header.phnum && !l->over; i++) {
		struct elf_segment s = look_segment(l, l->header.phoff + (uint64_t)i * stride);

		if (s.type == PT_DYNAMIC) {
			seen = true;
			dynamic = s.vaddr;
			writable = s.flags & PF_W;
		} else if (s.type == PT_LOAD) {
			/* Before the fix an address of 0 looked like none, so the next counted.
			 */
			if (fixed ? !loads++ : !base)
				base = s.vaddr;
		} else if (s.type == PT_TLS)
			look_end(l, CLIENT_REFUSES, "no-tls",
				 "an assertion of setup_vdso(): there is a PT_TLS");
	}
	/* p_offset is not asked for; without a PT_DYNAMIC the ELF header is read for one. */
	g.tables = look_tables(l, -base, dynamic - base, UINT64_MAX);
	/* These two leave it as it is (DL_RO_DYN_SECTION). */
	if (l->header.machine == EM_RISCV || l->header.machine == EM_MIPS)
		writable = false;
	if (writable && has_addresses(&g.tables.dynamic))
		look_end(l, CLIENT_CRASHES, "dynamic-read-only",
			 "%s, so it writes addresses there",
			 seen ? "the PT_DYNAMIC has PF_W"
			      : "no PT_DYNAMIC says that there is no PF_W");
	check_relocation_entries(l, &g.tables.dynamic);
	if (!set_up_hash(l, &g))
		l->main_miss = MISS_NAME;
	check_soname(l, &g.tables, dynamically);
	look_ask(l, find, &g, at_start, AT_START);
	look_ask(l, find, &g, by_newer, LATER);
	if (dynamically && !l->over) {
		g.by_versions = read_versions(l, &g.tables, &g.nr_versions);
		if (g.by_versions)
			look_ask(l, find, &g, by_relocation, LATER);
	}
	look_conclude(l);
}

void judge_glibc(struct look *l)
{
	judge_any(l, false, true);
}

void judge_glibc_2025(struct look *l)
{
	judge_any(l, true, true);
}

void judge_glibc_static(struct look *l)
{
	judge_any(l, false, false);
}
