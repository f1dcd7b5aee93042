/*
 * symbols.c - the string table and the symbols.
 *
 * A client takes a symbol's value, adds it to where the image lies, and jumps
 * there. So each must be a function of this image, in its code, by an address that
 * counts from the start of the image: absolute addresses have been exported by
 * mistake (rr #3791) and sent programs nowhere.
 *
 * One oddity is allowed: ld.bfd exports the name of each version node as an
 * absolute object of value 0.
 */
#include <string.h>

#include "kernel/image/check/parts.h"

#define BIND(sym)       ELF64_ST_BIND((sym)->info)
#define TYPE(sym)       ELF64_ST_TYPE((sym)->info)
#define VISIBILITY(sym) ELF64_ST_VISIBILITY((sym)->other)

void check_strings(struct checked *c)
{
	uint64_t size = c->tag[TAG_STRSZ];
	const char *soname;

	if (!c->has_tag[TAG_STRTAB] || !c->has_tag[TAG_STRSZ]) {
		rule_broken(&c->report, RULE_STRTAB, "no %s: no client can read a name",
			    c->has_tag[TAG_STRTAB] ? "DT_STRSZ" : "DT_STRTAB");
	} else if (checked_offset(c, "DT_STRTAB", c->tag[TAG_STRTAB], size, &c->strtab)) {
		c->strtab_end = c->strtab + size;
		if (size == 0 || elf_u8(&c->elf, c->strtab) != 0 ||
		    elf_u8(&c->elf, c->strtab_end - 1) != 0)
			rule_broken_at(
				&c->report, RULE_STRTAB, c->strtab,
				"the %#llx bytes do not begin and end with a NUL: the last "
				"name "
				"would run on",
				X(size));
	}

	if (!c->has_tag[TAG_SONAME]) {
		rule_broken(&c->report, RULE_SONAME,
			    "no DT_SONAME: glibc has no name for the vDSO, and dlopen and the "
			    "sanitizers know it by that");
		return;
	}
	soname = checked_string(c, c->tag[TAG_SONAME]);
	if (!soname || !*soname)
		rule_broken_at(&c->report, RULE_SONAME, c->tag_at[TAG_SONAME],
			       "DT_SONAME is %s", soname ? "empty" : "outside of DT_STRTAB");
	else
		check_soname(c, soname);
}

/* The name of a node, as ld.bfd exports it? versions.c checks that it is a node's. */
static bool is_node_name(const struct elf_symbol *sym)
{
	return sym->shndx == SHN_ABS && TYPE(sym) == STT_OBJECT && sym->value == 0 &&
	       sym->size == 0;
}

static void check_place(struct checked *c, const char *name, const struct elf_symbol *sym)
{
	const struct elf_segment *load = &c->load;
	uint64_t code = machine_code(c->machine, sym->value);
	struct elf_section s;

	if (sym->shndx >= SHN_LORESERVE) {
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym->at, Sym, st_shndx),
			"%s is %#llx in section %#x, not an address that counts from the "
			"image: "
			"clients add where the image lies and jump there",
			name, X(sym->value), sym->shndx);
		return;
	}
	/* Not at the very start either: abseil takes that for no symbol, and it is no code. */
	if (code <= load->vaddr || code - load->vaddr >= load->filesz) {
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym->at, Sym, st_value),
			"%s at %#llx is outside the PT_LOAD: a call faults, and rustix panics",
			name, X(sym->value));
		return;
	}
	if (sym->size > load->filesz - (code - load->vaddr)) {
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym->at, Sym, st_size),
			"%s, %#llx bytes at %#llx, ends outside of the PT_LOAD: gdb and perf "
			"take for it what is not",
			name, X(sym->size), X(sym->value));
		return;
	}
	if (!c->has_sections)
		return;
	if (sym->shndx >= c->header.shnum) {
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       ELF_FIELD(&c->elf, sym->at, Sym, st_shndx),
			       "%s is in section %u of %u", name, sym->shndx, c->header.shnum);
		return;
	}
	s = checked_section(c, sym->shndx);
	if (!(s.flags & SHF_EXECINSTR) || code < s.addr || code - s.addr >= s.size)
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym->at, Sym, st_value),
			"%s at %#llx is not in the code of its section %u: a call runs into "
			"data",
			name, X(sym->value), sym->shndx);
	else if (sym->size > s.size - (code - s.addr))
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym->at, Sym, st_size),
			"%s, %#llx bytes at %#llx, ends after the code of its section %u: gdb "
			"and perf take for it what is not",
			name, X(sym->size), X(sym->value), sym->shndx);
}

static void check_symbol(struct checked *c, uint32_t index)
{
	struct elf_symbol sym = checked_symbol(c, index);
	const char *name = checked_string(c, sym.name);

	if (!name) {
		rule_broken_at(&c->report, RULE_STRTAB,
			       ELF_FIELD(&c->elf, sym.at, Sym, st_name),
			       "the name of symbol %u is not in DT_STRTAB, or too long", index);
		name = "?";
	} else if (!*name && TYPE(&sym) != STT_SECTION) {
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       ELF_FIELD(&c->elf, sym.at, Sym, st_name),
			       "symbol %u has no name", index);
		name = "?";
	}
	/* Old linkers leave the sections' own symbols there; no client looks at them. */
	if (TYPE(&sym) == STT_SECTION && BIND(&sym) == STB_LOCAL && !sym.name)
		return;
	if (sym.shndx == SHN_UNDEF) {
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, sym.at, Sym, st_shndx),
			"%s is undefined: a vDSO is linked with nothing, and a call jumps to "
			"0",
			name);
		return;
	}
	if (!symbol_is_exported(&sym))
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       ELF_FIELD(&c->elf, sym.at, Sym, st_info),
			       "%s has binding %u, neither GLOBAL nor WEAK: no client sees it",
			       name, BIND(&sym));
	if (VISIBILITY(&sym) == STV_PROTECTED)
		rule_broken_at(&c->report, RULE_VISIBILITY, sym.at, "%s is PROTECTED", name);
	else if (VISIBILITY(&sym) != STV_DEFAULT)
		rule_broken_at(
			&c->report, RULE_SYMBOLS, sym.at,
			"%s has visibility %u, not DEFAULT: glibc passes over hidden symbols",
			name, VISIBILITY(&sym));
	if (is_node_name(&sym))
		return;
	if (TYPE(&sym) != STT_FUNC && TYPE(&sym) != STT_NOTYPE)
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       ELF_FIELD(&c->elf, sym.at, Sym, st_info),
			       "%s has type %u: a vDSO exports functions (FUNC, or NOTYPE) and "
			       "nothing "
			       "else",
			       name, TYPE(&sym));
	else if (TYPE(&sym) == STT_NOTYPE && !strcmp(name, "__vdso_getcpu"))
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       ELF_FIELD(&c->elf, sym.at, Sym, st_info),
			       "%s has no type: abseil takes it only as a FUNC", name);
	check_place(c, name, &sym);
}

/* The undefined symbol (gABI): who goes through the table by number reads it like any other. */
static void check_symbol_0(struct checked *c)
{
	for (size_t i = 0; i < ELF_SIZEOF(&c->elf, Sym); i++)
		if (elf_u8(&c->elf, c->symtab + i)) {
			rule_broken_at(
				&c->report, RULE_SYMBOLS, c->symtab + i,
				"symbol 0 is not all zeros: static musl looks at it as at "
				"any other, and dies where its name leads nowhere");
			return;
		}
}

/* The weak plain name of a function, and the prefixed one, are the same code. */
static void check_alias(struct checked *c, const char *a, const struct elf_symbol *weak,
			const char *b, const struct elf_symbol *strong)
{
	const char *plain = !strncmp(b, "__vdso_", 7)     ? b + 7
			    : !strncmp(b, "__kernel_", 9) ? b + 9
							  : NULL;

	if (plain && !strcmp(a, plain) && BIND(weak) == STB_WEAK &&
	    BIND(strong) == STB_GLOBAL && weak->value != strong->value)
		rule_broken_at(
			&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, weak->at, Sym, st_value),
			"%s is at %#llx and %s at %#llx: it is the weak alias and must be the "
			"same function",
			a, X(weak->value), b, X(strong->value));
}

static void check_pairs(struct checked *c)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol a = checked_symbol(c, i);
		const char *a_name = checked_name(c, i);

		for (uint32_t j = 1; j < c->nr_symbols; j++) {
			struct elf_symbol b = checked_symbol(c, j);
			const char *b_name = checked_name(c, j);

			if (j > i && *a_name && !strcmp(a_name, b_name))
				rule_broken_at(&c->report, RULE_SYMBOLS,
					       ELF_FIELD(&c->elf, b.at, Sym, st_name),
					       "%s is there twice: clients differ in which one "
					       "they take",
					       a_name);
			if (i != j)
				check_alias(c, a_name, &a, b_name, &b);
		}
	}
}

/* How many symbols? No field says so; DT_HASH and .dynsym imply it. */
static uint64_t count_symbols(struct checked *c)
{
	unsigned word = elf_hash_word(&c->elf);
	uint64_t hash, nr, entry = ELF_SIZEOF(&c->elf, Sym);
	uint64_t in_section = c->has_dynsym ? c->dynsym.size / entry : 0;

	if (c->has_dynsym && c->dynsym.addr != c->tag[TAG_SYMTAB])
		rule_broken_at(
			&c->report, RULE_SECTION_HEADERS, c->tag_at[TAG_SYMTAB],
			"the .dynsym is at %#llx, DT_SYMTAB says %#llx: bionic and the other "
			"libcs see different symbols",
			X(c->dynsym.addr), X(c->tag[TAG_SYMTAB]));
	if (!c->has_tag[TAG_HASH] ||
	    !checked_offset(c, "DT_HASH", c->tag[TAG_HASH], 2 * word, &hash))
		return in_section;
	/* nchain, the second word: the chains run parallel to the symbols. */
	nr = word == 8 ? elf_u64(&c->elf, hash + 8) : elf_u32(&c->elf, hash + 4);
	if (c->has_dynsym && nr != in_section)
		rule_broken_at(
			&c->report, RULE_HASH, c->tag_at[TAG_HASH],
			"DT_HASH is for %llu symbols and the .dynsym has %llu: musl goes by "
			"the one and bionic by the other",
			X(nr), X(in_section));
	return nr;
}

static bool exports_function(const struct checked *c)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym))
			return true;
	}
	return false;
}

/* On i386 AT_SYSINFO is made of it, and glibc calls it for every system call. */
static void check_entry(struct checked *c)
{
	if (c->header.machine != EM_386 || !c->header.entry)
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym) && sym.value == c->header.entry &&
		    !strcmp(checked_name(c, i), "__kernel_vsyscall"))
			return;
	}
	rule_broken_at(
		&c->report, RULE_SYMBOLS, ELF_FIELD(&c->elf, 0, Ehdr, e_entry),
		"the entry is %#llx, which is not __kernel_vsyscall: glibc calls it for every "
		"system call",
		X(c->header.entry));
}

void check_symbols(struct checked *c)
{
	uint64_t nr, entry = ELF_SIZEOF(&c->elf, Sym);

	if (!c->has_tag[TAG_SYMTAB]) {
		rule_broken(&c->report, RULE_SYMBOLS, "no DT_SYMTAB: nothing is exported");
		return;
	}
	if (!c->has_tag[TAG_SYMENT] || c->tag[TAG_SYMENT] != entry)
		rule_broken_at(&c->report, RULE_SYMBOLS,
			       c->has_tag[TAG_SYMENT] ? c->tag_at[TAG_SYMENT]
						      : c->tag_at[TAG_SYMTAB],
			       "DT_SYMENT is %llu, a symbol has %llu bytes: rustix refuses",
			       X(c->tag[TAG_SYMENT]), X(entry));
	nr = count_symbols(c);
	if (nr > MAX_SYMBOLS) {
		rule_broken_at(&c->report, RULE_SYMBOLS, c->tag_at[TAG_SYMTAB],
			       "%llu symbols, a vDSO has a handful", X(nr));
		return;
	}
	if (!checked_offset(c, "DT_SYMTAB", c->tag[TAG_SYMTAB], nr * entry, &c->symtab))
		return;
	checked_aligned(c, "DT_SYMTAB", c->tag[TAG_SYMTAB], c->elf.is64 ? 8 : 4);
	c->nr_symbols = (uint32_t)nr;
	if (nr)
		check_symbol_0(c);
	if (!exports_function(c))
		rule_broken(&c->report, RULE_SYMBOLS,
			    "no function is exported: what is the image for?");
	for (uint32_t i = 1; i < c->nr_symbols; i++)
		check_symbol(c, i);
	check_entry(c);
	check_pairs(c);
}
