/*
 * parsers.c - the kernel's reference parser, and two that are made after it: Go's and rustix's.
 *
 *   tools/testing/selftests/vDSO/parse_vdso.c     trusts the image
 *   src/runtime/vdso_linux.go                     trusts it, and looks for the version first
 *   src/backend/linux_raw/vdso.rs                 refuses what a kernel's image is not
 *
 * All take the first PT_LOAD, DT_GNU_HASH if it is there, without its filter, and else DT_HASH.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"
#include "kernel/image/machine.h"

enum parser { SELFTEST, GO, RUSTIX };

struct parsed {
	enum parser parser;
	struct tables tables;
	bool by_gnu_hash;
	uint64_t nr_buckets, nr_chains;
	uint64_t buckets, chains; /* of DT_GNU_HASH */
	uint32_t first;
	int version; /* Go: the index of the node, -1 when there is none */
};

static bool takes(struct look *l, const struct parsed *p, uint64_t symbol, const char *name)
{
	struct elf_symbol s = look_symbol(l, p->tables.symtab, symbol);
	unsigned type = ELF64_ST_TYPE(s.info), bind = ELF64_ST_BIND(s.info);
	enum miss miss = MISS_NAME;

	/* By DT_GNU_HASH only Go asks whether it is defined. */
	if (s.shndx == SHN_UNDEF && (p->parser == GO || !p->by_gnu_hash))
		miss = MISS_UNDEFINED;
	else if (type != STT_FUNC && type != STT_NOTYPE)
		miss = MISS_TYPE;
	else if (bind != STB_GLOBAL && bind != STB_WEAK)
		miss = MISS_BINDING;
	if (miss != MISS_NAME) {
		const char *its =
			elf_string(&l->elf, (p->tables.strtab + s.name) & l->mask, UINT64_MAX);

		if (its && !strcmp(its, name))
			l->miss = miss;
		return false;
	}
	if (!look_equal(l, p->tables.strtab + s.name, name))
		return false;
	if (!p->tables.has_versions)
		return true;
	l->miss = MISS_VERSION;
	l->part = PART_VERSIONS;
	/* For Go a node of index 0 is as if no version was asked for. */
	if (p->parser == GO)
		return !p->version ||
		       (look_u16(l, p->tables.versym + 2 * symbol) & 0x7fff) == p->version;
	return look_version(l, &p->tables, symbol, l->node,
			    p->parser == RUSTIX ? DEMAND_CURRENT : DEMAND_HASH);
}

static bool find_symbol(struct look *l, const struct parsed *p, const char *name, uint64_t *at)
{
	uint32_t hash = p->by_gnu_hash ? look_gnu_hash(name) : look_sysv_hash(name);
	uint64_t symbol, at_bucket;

	l->part = p->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
	/* Of DT_HASH alone Go asks that. */
	if (p->parser == GO && !p->by_gnu_hash && !p->nr_buckets)
		return false;
	at_bucket = look_modulo(l, hash, p->nr_buckets);
	symbol = p->by_gnu_hash ? look_u32(l, p->buckets + 4 * at_bucket)
				: look_hash(l, p->tables.hash, 2 + at_bucket);
	/* Go compares with the first symbol, the others with 0. */
	if (p->by_gnu_hash && (p->parser == GO ? symbol < p->first : !symbol))
		return false;
	while ((symbol || p->by_gnu_hash) && !l->over) {
		uint32_t next;

		l->part = p->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
		/* Unsigned, so an index below the first symbol's leads far away. */
		if (p->by_gnu_hash)
			next = look_u32(l, p->chains + 4ull * (uint32_t)(symbol - p->first));
		else
			next = 0;
		if ((!p->by_gnu_hash || (next | 1) == (hash | 1)) &&
		    takes(l, p, symbol, name)) {
			*at = symbol;
			return true;
		}
		l->part = p->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
		if (p->by_gnu_hash) {
			if (next & 1)
				break;
			symbol++;
		} else if (p->parser == GO && symbol >= p->nr_chains) {
			look_end(l, CLIENT_CRASHES, "hash",
				 "a panic: DT_HASH leads to symbol %llu of %llu",
				 (unsigned long long)symbol, (unsigned long long)p->nr_chains);
		} else {
			symbol = look_hash(l, p->tables.hash, 2 + p->nr_buckets + symbol);
		}
	}
	return false;
}

static bool find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct parsed *p = arg;
	struct segments s;
	struct elf_symbol symbol;
	uint64_t at = 0;

	if (!find_symbol(l, p, name, &at))
		return false;
	symbol = look_symbol(l, p->tables.symtab, at);
	*address = (p->tables.bias + symbol.value) & l->mask;
	if (p->parser == RUSTIX) {
		s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
		if (*address > s.first_load.offset + s.first_load.memsz)
			look_end(l, CLIENT_CRASHES, "load-covers",
				 "a panic: %s is at %#llx, outside of the PT_LOAD", name,
				 (unsigned long long)*address);
	}
	return !l->over;
}

static void set_up_hash(struct look *l, struct parsed *p)
{
	struct tables *t = &p->tables;

	p->by_gnu_hash = t->dynamic.has[ENTRY_GNU_HASH];
	if (p->by_gnu_hash) {
		l->part = PART_GNU_HASH;
		p->nr_buckets = look_u32(l, t->gnu_hash);
		p->first = look_u32(l, t->gnu_hash + 4);
		p->buckets = t->gnu_hash + 16 +
			     (uint64_t)(l->elf.is64 ? 8 : 4) * look_u32(l, t->gnu_hash + 8);
		p->chains = p->buckets + 4 * p->nr_buckets;
	} else {
		l->part = PART_HASH;
		p->nr_buckets = look_hash(l, t->hash, 0);
		p->nr_chains = look_hash(l, t->hash, 1);
	}
}

/* vdsoFindVersion(): it begins at DT_VERDEF, and does not ask whether there is one. */
static int go_version(struct look *l, const struct tables *t)
{
	uint64_t at = t->verdef;
	uint32_t next;

	l->part = PART_VERSIONS;
	if (!t->dynamic.has[ENTRY_VERDEF])
		look_end(l, CLIENT_CRASHES, "versions",
			 "it follows DT_VERDEF, which is not there: no Go program starts");
	do {
		if (!(look_u16(l, at + 2) & VER_FLG_BASE)) {
			uint64_t name = t->strtab + look_u32(l, at + look_u32(l, at + 12));

			if (look_u32(l, at + 8) == look_sysv_hash(l->node) &&
			    look_equal(l, name, l->node))
				return look_u16(l, at + 4) & 0x7fff;
			l->part = PART_VERSIONS;
		}
		next = look_u32(l, at + 16);
		at += next;
	} while (next && !l->over);
	return -1;
}

static const char *const since_1_24[] = {"getrandom", NULL};

/*
 * What init() of vdso_wrappers.rs does with an image that it has taken for a vDSO: it asserts
 * that some functions are there. The getcpu() only with the feature "thread".
 */
static void rustix_asserts(struct look *l, const struct parsed *p)
{
	const struct machine *machine = machine_of(&l->elf);

	for (unsigned i = 0; i < 3 && machine->asserted[i] && !l->over; i++) {
		const char *name = machine->asserted[i], *node = l->node;
		bool is_found, by_thread = strstr(name, "getcpu") != NULL;
		uint64_t address;

		l->miss = MISS_NAME;
		if (strstr(name, "vsyscall"))
			l->node = machine->older_node;
		is_found = find(l, p, name, &address);
		l->node = node;
		if (!is_found && !l->over)
			look_end(l, by_thread ? CLIENT_OURS : CLIENT_REFUSES,
				 look_reason(l, name, l->miss),
				 by_thread ? "but %s %s: a panic, with the feature thread"
					   : "a panic: %s %s",
				 name, look_miss(l->miss));
	}
}

static void parse(struct look *l, enum parser parser, struct segments s,
		  const char *const *asks)
{
	struct parsed p = {.parser = parser};
	const struct dynamic *d = &p.tables.dynamic;

	if (!s.nr_load || !s.nr_dynamic)
		look_end(l, CLIENT_FALLS_BACK, s.nr_load ? "dynamic" : "one-load",
			 "there is no PT_LOAD or no PT_DYNAMIC");
	p.tables = look_tables(l, s.first_load.offset - s.first_load.vaddr, s.dynamic.offset,
			       parser == RUSTIX ? s.dynamic.memsz / ELF_SIZEOF(&l->elf, Dyn)
						: UINT64_MAX);
	if (parser == RUSTIX && d->nr >= s.dynamic.memsz / ELF_SIZEOF(&l->elf, Dyn))
		look_end(l, CLIENT_FALLS_BACK, "dynamic",
			 "no DT_NULL is inside the PT_DYNAMIC");
	if (parser == RUSTIX && d->has[ENTRY_SYMENT] &&
	    d->value[ENTRY_SYMENT] != ELF_SIZEOF(&l->elf, Sym))
		look_end(l, CLIENT_FALLS_BACK, "symbols", "DT_SYMENT is %llu",
			 (unsigned long long)d->value[ENTRY_SYMENT]);
	if (!d->has[ENTRY_STRTAB] || !d->has[ENTRY_SYMTAB] ||
	    (!d->has[ENTRY_HASH] && !d->has[ENTRY_GNU_HASH]))
		look_end(l, CLIENT_FALLS_BACK, "dynamic-tags",
			 "there is no DT_STRTAB, no DT_SYMTAB or no hash table");
	if (parser == RUSTIX) {
		uint64_t word = l->elf.is64 ? 8 : 4;

		if ((d->has[ENTRY_HASH] && p.tables.hash % 4) ||
		    (d->has[ENTRY_GNU_HASH] && p.tables.gnu_hash % 4) ||
		    (d->has[ENTRY_VERSYM] && p.tables.versym % 2) ||
		    (d->has[ENTRY_VERDEF] && p.tables.verdef % 4) || p.tables.symtab % word ||
		    s.dynamic.offset % word || l->header.phoff % word)
			look_end(l, CLIENT_FALLS_BACK, "alignment",
				 "a table does not lie as its words need it");
	}
	set_up_hash(l, &p);
	if (parser == GO)
		p.version = go_version(l, &p.tables);
	look_ask(l, find, &p, asks, parser == SELFTEST ? LATER : AT_START);
	if (parser == GO)
		look_ask(l, find, &p, since_1_24, LATER);
	if (parser == RUSTIX)
		rustix_asserts(l, &p);
	look_conclude(l);
}

void judge_selftest(struct look *l)
{
	static const char *const asks[] = {
		"clock_gettime", "clock_gettime64", "gettimeofday", "time",
		"getcpu",        "clock_getres",    "getrandom",    NULL};

	parse(l, SELFTEST, look_segments(l, ELF_SIZEOF(&l->elf, Phdr)), asks);
}

void judge_go(struct look *l)
{
	static const char *const asks[] = {"clock_gettime", "clock_gettime64", "gettimeofday",
					   NULL};

	parse(l, GO, look_segments(l, ELF_SIZEOF(&l->elf, Phdr)), asks);
}

/* check_elf_base() of param/auxv.rs: does this look as if a kernel had made it? */
static void rustix_header(struct look *l)
{
	const struct elf_header *h = &l->header;
	uint8_t abi = elf_u8(&l->elf, EI_OSABI), version = elf_u8(&l->elf, EI_ABIVERSION);

	if (abi != ELFOSABI_SYSV && abi != ELFOSABI_LINUX)
		look_end(l, CLIENT_FALLS_BACK, "elf", "EI_OSABI is %u", abi);
	if (version)
		look_end(l, CLIENT_FALLS_BACK, "elf", "EI_ABIVERSION is %u", version);
	if (h->type != ET_DYN)
		look_end(l, CLIENT_FALLS_BACK, "elf", "e_type is %u, not ET_DYN", h->type);
	if (elf_u8(&l->elf, EI_VERSION) != EV_CURRENT ||
	    h->ehsize != ELF_SIZEOF(&l->elf, Ehdr) || h->phentsize != ELF_SIZEOF(&l->elf, Phdr))
		look_end(l, CLIENT_FALLS_BACK, "elf",
			 "EI_VERSION, e_ehsize or e_phentsize is not what it knows");
	if (h->phnum == PN_XNUM || h->phoff < ELF_SIZEOF(&l->elf, Ehdr))
		look_end(l, CLIENT_FALLS_BACK, "elf",
			 "the program headers lie inside the ELF header, or are too many");
}

static void rustix_segments(struct look *l, const struct segments *s)
{
	unsigned stride = ELF_SIZEOF(&l->elf, Phdr);

	for (unsigned i = 0; i < l->header.phnum && !l->over; i++) {
		struct elf_segment other =
			look_segment(l, l->header.phoff + (uint64_t)i * stride);

		if (other.type == PT_INTERP || other.type == PT_GNU_RELRO)
			look_end(l, CLIENT_FALLS_BACK,
				 other.type == PT_INTERP ? "no-interp" : "no-relro",
				 "a %s: so it is not a vDSO",
				 other.type == PT_INTERP ? "PT_INTERP" : "PT_GNU_RELRO");
	}
	if (s->nr_load && (s->first_load.flags & (PF_R | PF_X)) != (PF_R | PF_X))
		look_end(l, CLIENT_FALLS_BACK, "load-flags", "the PT_LOAD is not R+X");
	if (s->nr_dynamic && s->dynamic.offset < ELF_SIZEOF(&l->elf, Ehdr))
		look_end(l, CLIENT_FALLS_BACK, "dynamic", "the PT_DYNAMIC has offset %llu",
			 (unsigned long long)s->dynamic.offset);
}

void judge_rustix(struct look *l)
{
	static const char *const on_64[] = {"clock_gettime", "getcpu", NULL};
	static const char *const on_32[] = {"clock_gettime64", "getcpu", NULL};
	struct segments s;

	rustix_header(l);
	s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
	rustix_segments(l, &s);
	/* Of its own making: the kernel's node there is LINUX_2.6.15. */
	if (l->header.machine == EM_PPC)
		l->node = "LINUX_5.11";
	parse(l, RUSTIX, s, l->elf.is64 ? on_64 : on_32);
}
