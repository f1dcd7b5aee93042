/*
 * look.c - see look.h.
 */
#include <stdarg.h>
#include <stdio.h> /* snprintf */
#include <string.h>

#include "kernel/image/clients/look.h"

/* Real tables are read in some hundred steps. */
#define MAX_STEPS 200000

/* What each part is called, and the rule of `uvdso check` that is about it. */
static const struct {
	const char *words, *rule;
} parts[] = {
	[PART_HEADER] = {"the ELF header", "truncated"},
	[PART_SEGMENTS] = {"the program headers", "truncated"},
	[PART_SECTIONS] = {"the section headers", "section-headers"},
	[PART_DYNAMIC] = {"the dynamic section", "dynamic"},
	[PART_HASH] = {"DT_HASH", "hash"},
	[PART_GNU_HASH] = {"DT_GNU_HASH", "hash"},
	[PART_SYMBOLS] = {"the symbols", "symbols"},
	[PART_STRINGS] = {"the strings", "strtab"},
	[PART_VERSIONS] = {"the versions", "versions"},
	[PART_UNWIND] = {"the unwind data", "eh-frame"},
};

static const struct {
	const char *words, *rule;
} misses[] = {
	[MISS_NAME] = {"is not in it", "names"},
	[MISS_TYPE] = {"has a type that it does not take", "symbols"},
	[MISS_BINDING] = {"is bound locally", "symbols"},
	[MISS_VISIBILITY] = {"is hidden", "symbols"},
	[MISS_UNDEFINED] = {"is undefined", "symbols"},
	[MISS_VERSION] = {"has another version", "versions"},
	[MISS_CRASH] = {"leads to a crash", "symbols"},
};

void look_end(struct look *l, enum client_outcome outcome, const char *rule, const char *why,
	      ...)
{
	va_list ap;

	if (l->over)
		return;
	l->over = true;
	l->verdict->outcome = outcome;
	l->verdict->rule = rule;
	va_start(ap, why);
	vsnprintf(l->verdict->why, sizeof(l->verdict->why), why, ap);
	va_end(ap);
}

bool look_there(struct look *l, uint64_t at, uint64_t len)
{
	at &= l->mask;
	if (l->over)
		return false;
	/* What the data pages hold is not known, but they can be read: elf_u8() gives 0. */
	if (at > (l->mask & -l->data_size) && len < 4096 && ++l->steps < MAX_STEPS)
		return true;
	if (at > l->size || len > l->size - at)
		look_end(l, CLIENT_CRASHES, parts[l->part].rule,
			 "it reads %s at %#llx, outside of the image", parts[l->part].words,
			 (unsigned long long)at);
	else if (++l->steps > MAX_STEPS)
		look_end(l, CLIENT_HANGS, parts[l->part].rule, "it never gets to the end of %s",
			 parts[l->part].words);
	return !l->over;
}

uint8_t look_u8(struct look *l, uint64_t at)
{
	return look_there(l, at, 1) ? elf_u8(&l->elf, at & l->mask) : 0;
}

uint16_t look_u16(struct look *l, uint64_t at)
{
	return look_there(l, at, 2) ? elf_u16(&l->elf, at & l->mask) : 0;
}

uint32_t look_u32(struct look *l, uint64_t at)
{
	return look_there(l, at, 4) ? elf_u32(&l->elf, at & l->mask) : 0;
}

uint64_t look_word(struct look *l, uint64_t at)
{
	return look_there(l, at, l->elf.is64 ? 8 : 4) ? elf_word(&l->elf, at & l->mask) : 0;
}

struct elf_segment look_segment(struct look *l, uint64_t at)
{
	if (!look_there(l, at, ELF_SIZEOF(&l->elf, Phdr)))
		return (struct elf_segment){0};
	return elf_segment(&l->elf, at & l->mask);
}

struct elf_symbol look_symbol(struct look *l, uint64_t symtab, uint64_t index)
{
	uint64_t at = symtab + index * ELF_SIZEOF(&l->elf, Sym);

	l->part = PART_SYMBOLS;
	if (!look_there(l, at, ELF_SIZEOF(&l->elf, Sym)))
		return (struct elf_symbol){0};
	return elf_symbol(&l->elf, at & l->mask);
}

bool look_equal(struct look *l, uint64_t at, const char *text)
{
	l->part = PART_STRINGS;
	for (;; at++, text++) {
		uint8_t byte = look_u8(l, at);

		if (l->over || byte != (uint8_t)*text)
			return false;
		if (!byte)
			return true;
	}
}

bool look_starts(struct look *l, uint64_t at, const char *text)
{
	l->part = PART_STRINGS;
	for (; *text; at++, text++)
		if (look_u8(l, at) != (uint8_t)*text)
			return false;
	return true;
}

uint64_t look_length(struct look *l, uint64_t at)
{
	uint64_t length = 0;

	while (look_u8(l, at + length))
		length++;
	return length;
}

uint64_t look_hash(struct look *l, uint64_t table, uint64_t number)
{
	unsigned word = elf_hash_word(&l->elf);
	uint64_t at = table + word * number;

	return word == 4 ? look_u32(l, at) : look_word(l, at);
}

uint64_t look_modulo(struct look *l, uint64_t a, uint64_t b)
{
	if (!b)
		look_end(l, CLIENT_CRASHES, parts[l->part].rule,
			 "%s has no buckets, and it divides by their number",
			 parts[l->part].words);
	return b ? a % b : 0;
}

struct segments look_segments(struct look *l, unsigned stride)
{
	struct segments all = {0};

	l->part = PART_SEGMENTS;
	for (unsigned i = 0; i < l->header.phnum && !l->over; i++) {
		struct elf_segment s = look_segment(l, l->header.phoff + (uint64_t)i * stride);

		if (s.type == PT_LOAD) {
			if (!all.nr_load++)
				all.first_load = s;
			all.last_load = s;
		}
		if (s.type == PT_DYNAMIC) {
			all.nr_dynamic++;
			all.dynamic = s;
		}
	}
	return all;
}

static const uint64_t tags[NR_ENTRIES] = {
	[ENTRY_STRTAB] = DT_STRTAB,
	[ENTRY_STRSZ] = DT_STRSZ,
	[ENTRY_SYMTAB] = DT_SYMTAB,
	[ENTRY_SYMENT] = DT_SYMENT,
	[ENTRY_HASH] = DT_HASH,
	[ENTRY_GNU_HASH] = DT_GNU_HASH,
	[ENTRY_VERSYM] = DT_VERSYM,
	[ENTRY_VERDEF] = DT_VERDEF,
	[ENTRY_VERDEFNUM] = DT_VERDEFNUM,
	[ENTRY_VERNEED] = DT_VERNEED,
	[ENTRY_SONAME] = DT_SONAME,
	[ENTRY_PLTREL] = DT_PLTREL,
	[ENTRY_RELA] = DT_RELA,
	[ENTRY_RELAENT] = DT_RELAENT,
	[ENTRY_REL] = DT_REL,
	[ENTRY_RELENT] = DT_RELENT,
	[ENTRY_RELR] = 36,
	[ENTRY_RELRENT] = 37,
	[ENTRY_PLTGOT] = DT_PLTGOT,
	[ENTRY_JMPREL] = DT_JMPREL,
};

struct dynamic look_dynamic(struct look *l, uint64_t at, uint64_t most)
{
	struct dynamic d = {0};

	for (; d.nr < most; d.nr++, at += ELF_SIZEOF(&l->elf, Dyn)) {
		struct elf_dyn entry;

		l->part = PART_DYNAMIC;
		if (!look_there(l, at, ELF_SIZEOF(&l->elf, Dyn)))
			break;
		entry = elf_dyn(&l->elf, at & l->mask);
		if (entry.tag == DT_NULL)
			break;
		for (unsigned i = 0; i < NR_ENTRIES; i++)
			if (entry.tag == tags[i]) {
				d.has[i] = true;
				d.value[i] = entry.value;
			}
	}
	return d;
}

struct tables look_tables(struct look *l, uint64_t bias, uint64_t dynamic, uint64_t most)
{
	struct tables t = {.bias = bias, .dynamic = look_dynamic(l, dynamic, most)};

	t.symtab = bias + t.dynamic.value[ENTRY_SYMTAB];
	t.strtab = bias + t.dynamic.value[ENTRY_STRTAB];
	t.hash = bias + t.dynamic.value[ENTRY_HASH];
	t.gnu_hash = bias + t.dynamic.value[ENTRY_GNU_HASH];
	t.versym = bias + t.dynamic.value[ENTRY_VERSYM];
	t.verdef = bias + t.dynamic.value[ENTRY_VERDEF];
	t.has_versions = t.dynamic.has[ENTRY_VERSYM] && t.dynamic.has[ENTRY_VERDEF];
	return t;
}

uint32_t look_sysv_hash(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (uint8_t)*name;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	return hash;
}

uint32_t look_gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

bool look_version(struct look *l, const struct tables *t, uint64_t symbol, const char *node,
		  enum demand demand)
{
	uint64_t at = t->verdef;
	uint16_t index;

	l->part = PART_VERSIONS;
	index = look_u16(l, t->versym + 2 * symbol) & 0x7fff;
	for (;;) {
		uint32_t next;

		if (demand == DEMAND_CURRENT && look_u16(l, at) != VER_DEF_CURRENT)
			return false;
		if (!(look_u16(l, at + 2) & VER_FLG_BASE) &&
		    (look_u16(l, at + 4) & 0x7fff) == index)
			break;
		next = look_u32(l, at + 16);
		if (!next)
			return false;
		at += next;
	}
	if (l->over || (demand != DEMAND_NAME && look_u32(l, at + 8) != look_sysv_hash(node)))
		return false;
	at += look_u32(l, at + 12);
	return look_equal(l, t->strtab + look_u32(l, at), node);
}

/*
 * Is there a symbol of that name at all? Not a client's question, but the verdict's: the
 * tables are read as they should be, and what cannot be read is not there.
 */
static bool named(const struct look *l, const char *name)
{
	struct client_verdict ignored;
	struct look own = {.elf = l->elf,
			   .header = l->header,
			   .size = l->size,
			   .mask = l->mask,
			   .data_size = l->data_size,
			   .verdict = &ignored};
	struct segments s = look_segments(&own, ELF_SIZEOF(&l->elf, Phdr));
	uint64_t bias = s.first_load.offset - s.first_load.vaddr;
	struct tables t = look_tables(&own, bias, s.dynamic.offset, 1000);
	struct elf_section dynsym;

	if (own.over || !elf_find_section(&l->elf, SHT_DYNSYM, &dynsym))
		return false;
	for (uint64_t i = 1; i < dynsym.size / ELF_SIZEOF(&l->elf, Sym); i++)
		if (look_equal(&own, t.strtab + look_symbol(&own, t.symtab, i).name, name))
			return true;
	return false;
}

static bool is_main(const struct look *l, const char *name)
{
	return !strcmp(name, l->main_name) || (!l->elf.is64 && strstr(name, "clock_gettime64"));
}

static void lose(struct look *l, const char *ending)
{
	size_t used = strlen(l->lost);

	snprintf(l->lost + used, sizeof(l->lost) - used, "%s%s", used ? ", " : "", ending);
	l->lost_miss = l->miss;
}

/* One function. What is asked for later, if at all, ends nothing when it goes wrong. */
static bool ask(struct look *l, look_find *find, const void *arg, const char *name, bool later,
		uint64_t *address)
{
	struct client_verdict aside;
	struct look own;
	bool found;

	if (!later)
		return find(l, arg, name, address);
	own = *l;
	own.verdict = &aside;
	found = find(&own, arg, name, address);
	l->steps = own.steps;
	l->miss = own.over ? MISS_CRASH : own.miss;
	return found && !own.over;
}

void look_ask(struct look *l, look_find *find, const void *arg, const char *const *endings,
	      enum when when)
{
	for (unsigned i = 0; endings[i] && !l->over; i++) {
		char name[48];
		uint64_t address = 0;
		bool found, first = !l->main_name[0];

		if (l->elf.is64 && strstr(endings[i], "64"))
			continue;
		snprintf(name, sizeof(name), "%s%s", l->prefix, endings[i]);
		if (first)
			memcpy(l->main_name, name, sizeof(name));
		l->miss = MISS_NAME;
		found = ask(l, find, arg, name, when == LATER && !first, &address);
		if (l->over)
			return;
		/* What it calls is code: not the ELF header, nor what fills the last page. */
		address &= l->mask;
		if (found && (address < ELF_SIZEOF(&l->elf, Ehdr) || address >= l->elf.size)) {
			if (is_main(l, name))
				look_end(l, CLIENT_CRASHES, "symbols",
					 "it calls %s at %#llx, where no code can be", name,
					 (unsigned long long)address);
			l->miss = MISS_CRASH;
			found = false;
		}
		if (is_main(l, name)) {
			l->main_found |= found;
			if (!strcmp(name, l->main_name))
				l->main_miss = l->miss;
		} else if (!found && (l->miss == MISS_CRASH || named(l, name))) {
			lose(l, endings[i]);
		}
	}
}

const char *look_reason(const struct look *l, const char *name, enum miss miss)
{
	return miss == MISS_NAME && named(l, name) ? "hash" : misses[miss].rule;
}

const char *look_miss(enum miss miss)
{
	return misses[miss].words;
}

/* By a table that leads nowhere, or because of the symbol itself. */
static void missed(struct look *l, enum client_outcome outcome, const char *name,
		   enum miss miss, bool several)
{
	if (miss == MISS_NAME && (several || named(l, name)))
		look_end(l, outcome, "hash", "%s%s cannot be found by the table that it takes",
			 several ? "but " : "", name);
	else
		look_end(l, outcome, misses[miss].rule, "%s%s %s", several ? "but " : "", name,
			 misses[miss].words);
}

void look_conclude(struct look *l)
{
	if (l->over)
		return;
	if (!l->main_found)
		missed(l, CLIENT_FALLS_BACK, l->main_name, l->main_miss, false);
	else if (l->lost[0])
		missed(l, CLIENT_OURS, l->lost, l->lost_miss, true);
	else
		look_end(l, CLIENT_OURS, NULL, "%s", "");
}
