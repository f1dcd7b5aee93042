/*
 * others.c - CRIU and gdb, which look at a vDSO from outside of the program.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"

/* ---- CRIU, criu/pie/util-vdso.c: with bounds, and an error for what is not as expected ----
 */

struct criu {
	struct tables tables;
	bool by_gnu_hash;
	uint64_t nr_buckets, nr_chains;
	uint64_t buckets, chains; /* of DT_GNU_HASH */
	uint32_t first;
};

static bool inside(const struct look *l, uint64_t at, uint64_t len)
{
	at &= l->mask;
	return at < l->size && len <= l->size - at;
}

/* vdso_fill_symtable() fails, and with it the dump or the restore. */
static void criu_error(struct look *l, const char *rule, const char *what)
{
	look_end(l, CLIENT_REFUSES, rule, "an error: %s", what);
}

static bool criu_matches(struct look *l, const struct criu *c, uint64_t index, const char *name)
{
	uint64_t at = c->tables.symtab + index * ELF_SIZEOF(&l->elf, Sym);
	struct elf_symbol s;

	/* What lies outside is passed over. */
	if (!inside(l, at, ELF_SIZEOF(&l->elf, Sym)))
		return false;
	s = look_symbol(l, c->tables.symtab, index);
	/* Either will do: that is how it is written. */
	if (ELF64_ST_TYPE(s.info) != STT_FUNC && ELF64_ST_BIND(s.info) != STB_GLOBAL)
		return false;
	if (!inside(l, c->tables.strtab + s.name, 32))
		return false;
	return look_equal(l, c->tables.strtab + s.name, name);
}

static bool criu_find(struct look *l, const void *arg, const char *name, uint64_t *address)
{
	const struct criu *c = arg;
	uint32_t hash = c->by_gnu_hash ? look_gnu_hash(name) : look_sysv_hash(name);
	enum part part = c->by_gnu_hash ? PART_GNU_HASH : PART_HASH;
	uint64_t at, next;

	l->part = part;
	at = look_modulo(l, hash, c->nr_buckets);
	at = c->by_gnu_hash ? look_u32(l, c->buckets + 4 * at)
			    : look_hash(l, c->tables.hash, 2 + at);
	while (at && !l->over && (c->by_gnu_hash || at < c->nr_chains)) {
		l->part = part;
		next = c->by_gnu_hash
			       ? look_u32(l, c->chains + 4ull * (uint32_t)(at - c->first))
			       : look_hash(l, c->tables.hash, 2 + c->nr_buckets + at);
		if ((!c->by_gnu_hash || (next | 1) == (hash | 1)) &&
		    criu_matches(l, c, at, name)) {
			/* An address of 0 is what it takes for none; it calls nothing. */
			*address = ELF_SIZEOF(&l->elf, Ehdr);
			return look_symbol(l, c->tables.symtab, at).value != 0;
		}
		if (c->by_gnu_hash && next & 1)
			break;
		at = c->by_gnu_hash ? at + 1 : next;
	}
	return false;
}

void judge_criu(struct look *l)
{
	static const char *const asks[] = {
		"clock_gettime", "clock_gettime64", "getcpu", "gettimeofday", "time", NULL};
	static const unsigned char ident[EI_NIDENT] = {0x7f, 'E', 'L', 'F', 0, 0, EV_CURRENT};
	unsigned stride = ELF_SIZEOF(&l->elf, Phdr);
	struct segments s;
	struct criu c = {0};
	const struct dynamic *d = &c.tables.dynamic;

	/* All sixteen bytes; class and byte order are those of the machine. */
	for (unsigned i = 0; i < EI_NIDENT; i++)
		if (i != EI_CLASS && i != EI_DATA && elf_u8(&l->elf, i) != ident[i])
			criu_error(l, "elf", "Elf header magic mismatch (of e_ident)");
	if (!inside(l, l->header.phoff, (uint64_t)stride * l->header.phnum))
		criu_error(l, "truncated", "Corrupted Elf phdr");
	s = look_segments(l, stride);
	if (s.nr_dynamic > 1)
		criu_error(l, "dynamic", "Second PT_DYNAMIC header");
	if (s.nr_load > 1)
		criu_error(l, "one-load", "Second PT_LOAD header");
	if (!s.nr_load || !s.nr_dynamic)
		criu_error(l, s.nr_load ? "dynamic" : "one-load",
			   "One of obligated program headers is missed");
	if (!inside(l, s.dynamic.offset, 1))
		criu_error(l, "dynamic", "Corrupted Elf dynamic section");
	c.tables = look_tables(l, -s.first_load.vaddr, s.dynamic.offset,
			       s.dynamic.filesz / ELF_SIZEOF(&l->elf, Dyn));
	if (!d->has[ENTRY_STRTAB] || !d->has[ENTRY_SYMTAB] || !d->has[ENTRY_STRSZ] ||
	    !d->has[ENTRY_SYMENT] || (!d->has[ENTRY_HASH] && !d->has[ENTRY_GNU_HASH]))
		criu_error(l, "dynamic-tags", "Not all dynamic entries are present");
	/* DT_HASH first: it has been tested for longer. */
	c.by_gnu_hash = !d->has[ENTRY_HASH];
	if (!inside(l, c.tables.strtab, 1) ||
	    !inside(l, c.by_gnu_hash ? c.tables.gnu_hash : c.tables.hash, 4))
		criu_error(l, "load-covers", "Corrupted Elf symbols/hash");
	l->part = c.by_gnu_hash ? PART_GNU_HASH : PART_HASH;
	if (c.by_gnu_hash) {
		c.nr_buckets = look_u32(l, c.tables.gnu_hash);
		c.first = look_u32(l, c.tables.gnu_hash + 4);
		c.buckets =
			c.tables.gnu_hash + 16 +
			(uint64_t)(l->elf.is64 ? 8 : 4) * look_u32(l, c.tables.gnu_hash + 8);
	} else {
		c.nr_buckets = look_hash(l, c.tables.hash, 0);
		c.nr_chains = look_hash(l, c.tables.hash, 1);
	}
	c.chains = c.buckets + 4 * c.nr_buckets;
	look_ask(l, criu_find, &c, asks, AT_START);
	look_conclude(l);
}

/* ---- gdb, gdb/symfile-mem.c and bfd/elfcode.h: an object file that it reads from memory ----
 */

/* Its names come from .dynsym, so from the section headers; these it may have to leave out. */
static void gdb_sections(struct look *l, uint64_t end)
{
	const struct elf_header *h = &l->header;
	uint64_t table = (uint64_t)h->shnum * h->shentsize;
	struct elf_section s, names;

	if (!h->shoff || !h->shnum || !h->shentsize)
		look_end(l, CLIENT_FALLS_BACK, "section-headers",
			 "there are no section headers, so it names no function");
	else if (h->shoff > end || table > end - h->shoff)
		look_end(l, CLIENT_FALLS_BACK, "section-headers",
			 "the section headers are outside of the image, so it names no "
			 "function");
	else if (h->shentsize != ELF_SIZEOF(&l->elf, Shdr))
		look_end(l, CLIENT_FALLS_BACK, "section-headers", "e_shentsize is %u",
			 h->shentsize);
	else if (h->shstrndx >= h->shnum)
		look_end(l, CLIENT_FALLS_BACK, "section-headers",
			 "e_shstrndx is %u of %u: no object file for it", h->shstrndx,
			 h->shnum);
	if (l->over)
		return;
	names = elf_section_at(&l->elf, h->shstrndx);
	if (!h->shstrndx || names.type != SHT_STRTAB || names.offset > l->size)
		look_end(l, CLIENT_FALLS_BACK, "section-headers",
			 "e_shstrndx is not a string table: no object file for it");
	for (unsigned i = 1; i < h->shnum && !l->over; i++)
		if (elf_section_at(&l->elf, i).name >= names.size)
			look_end(l, CLIENT_FALLS_BACK, "section-headers",
				 "the name of section %u is outside of its table: no object "
				 "file for it",
				 i);
	if (!elf_find_section(&l->elf, SHT_DYNSYM, &s))
		look_end(l, CLIENT_FALLS_BACK, "section-headers",
			 "no section is of type SHT_DYNSYM, so it names no function");
	else if (s.entsize != ELF_SIZEOF(&l->elf, Sym) || s.info > s.size / s.entsize)
		look_end(
			l, CLIENT_FALLS_BACK, "section-headers",
			"sh_entsize or sh_info of the .dynsym is wrong: no object file for it");
}

/*
 * bfd reads the version definitions of the section, sh_info of them, and without them there are
 * no symbols: every one must have an index, and lie with its names inside of the section.
 */
static bool gdb_versions(struct look *l)
{
	struct elf_section s = {0};
	uint64_t at, end, nr = 0;

	for (unsigned i = 0; i < l->header.shnum; i++) {
		s = elf_section_at(&l->elf, i);
		if (s.type != SHT_GNU_verdef)
			continue;
		nr = s.info;
		break;
	}
	at = s.offset;
	end = s.offset + s.size;
	for (uint64_t i = 0; i < nr && !l->over; i++) {
		uint64_t aux = elf_u32(&l->elf, at + 12), next = elf_u32(&l->elf, at + 16);
		uint64_t name_at = at + aux;

		if (!look_there(l, at, 20) || !(elf_u16(&l->elf, at + 4) & 0x7fff) ||
		    aux > end - at || next > end - at)
			return false;
		for (unsigned j = elf_u16(&l->elf, at + 6); j > 0; j--) {
			uint64_t further = elf_u32(&l->elf, name_at + 4);
			struct elf_section names = elf_section_at(&l->elf, s.link);

			if (!look_there(l, name_at, 8))
				return false;
			if (elf_u32(&l->elf, name_at) >= names.size || further > end - name_at)
				return false;
			if (!further)
				break;
			name_at += further;
		}
		if (!next)
			break;
		at += next;
	}
	return true;
}

/* Is there a function that it can name, where it is? */
static bool gdb_names(struct look *l, uint64_t bias)
{
	struct elf_section dynsym, strings;

	if (!elf_find_section(&l->elf, SHT_DYNSYM, &dynsym))
		return false;
	strings = elf_section_at(&l->elf, dynsym.link);
	for (uint64_t i = 1; i < dynsym.size / ELF_SIZEOF(&l->elf, Sym) && !l->over; i++) {
		struct elf_symbol s = look_symbol(l, dynsym.offset, i);
		const char *name = elf_string(&l->elf, strings.offset + s.name,
					      strings.offset + strings.size);

		if (ELF64_ST_TYPE(s.info) == STT_FUNC && s.shndx != SHN_UNDEF && name &&
		    *name && ((s.value + bias) & l->mask) < l->size)
			return true;
	}
	return false;
}

void judge_gdb(struct look *l)
{
	struct segments s;

	if (elf_u8(&l->elf, EI_VERSION) != EV_CURRENT || l->header.type == ET_CORE ||
	    l->header.phentsize != ELF_SIZEOF(&l->elf, Phdr) || !l->header.phnum ||
	    !inside(l, l->header.phoff, (uint64_t)l->header.phnum * l->header.phentsize))
		look_end(l, CLIENT_FALLS_BACK, "elf",
			 "\"Failed to read a valid object file image from memory\"");
	s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
	if (!s.nr_load || !s.first_load.filesz)
		look_end(l, CLIENT_FALLS_BACK, s.nr_load ? "load-sizes" : "one-load",
			 "\"Failed to read a valid object file image from memory\"");
	/* It knows from /proc/PID/maps how long the image is, in pages. */
	gdb_sections(l, l->size);
	if (!l->over && !gdb_versions(l))
		look_end(l, CLIENT_FALLS_BACK, "versions",
			 "\"can't read symbols\", because of the version definitions");
	if (!l->over && !gdb_names(l, -s.first_load.vaddr))
		look_end(l, CLIENT_FALLS_BACK, "symbols",
			 ".dynsym names no function that is in the image");
	look_end(l, CLIENT_OURS, NULL, "%s", "");
}
