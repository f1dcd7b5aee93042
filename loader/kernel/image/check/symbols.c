/*
 * symbols.c - the string table and the symbols.
 *
 * A client takes a symbol's value, adds it to where the page lies, and jumps
 * there. So each must be a function of this page, in its code, by an address that
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

const char *dynamic_string(const struct check *c, uint64_t name)
{
	if (name >= c->strtab_end - c->strtab)
		return NULL;
	return elf_string(&c->elf, c->strtab + name, c->strtab_end);
}

void check_strings(struct check *c)
{
	uint64_t size = c->tag[TAG_STRSZ];
	const char *soname;

	if (!c->has_tag[TAG_STRTAB] || !c->has_tag[TAG_STRSZ]) {
		broken(c, RULE_STRTAB, "no %s: no client can read a name",
		       c->has_tag[TAG_STRTAB] ? "DT_STRSZ" : "DT_STRTAB");
	} else if (address(c, "DT_STRTAB", c->tag[TAG_STRTAB], size, &c->strtab)) {
		c->strtab_end = c->strtab + size;
		if (size == 0 || elf_u8(&c->elf, c->strtab) != 0 ||
		    elf_u8(&c->elf, c->strtab_end - 1) != 0)
			broken(c, RULE_STRTAB,
			       "the %#llx bytes do not begin and end with a NUL: the last name "
			       "would run on",
			       X(size));
	}

	if (!c->has_tag[TAG_SONAME]) {
		broken(c, RULE_SONAME,
		       "no DT_SONAME: glibc has no name for the page, dlopen and the "
		       "sanitizers know it by that");
		return;
	}
	soname = dynamic_string(c, c->tag[TAG_SONAME]);
	if (!soname || !*soname)
		broken(c, RULE_SONAME, "DT_SONAME is %s",
		       soname ? "empty" : "outside of DT_STRTAB");
}

struct elf_symbol symbol_at(const struct check *c, uint32_t index)
{
	return elf_symbol(&c->elf, c->symtab + (uint64_t)index * ELF_SIZEOF(&c->elf, Sym));
}

const char *symbol_name(const struct check *c, uint32_t index)
{
	const char *name = dynamic_string(c, symbol_at(c, index).name);

	return name ? name : "?";
}

bool is_exported(const struct elf_symbol *sym)
{
	return sym->shndx != SHN_UNDEF && (BIND(sym) == STB_GLOBAL || BIND(sym) == STB_WEAK);
}

bool is_function(const struct elf_symbol *sym)
{
	return is_exported(sym) && sym->shndx != SHN_ABS;
}

/* The name of a node, as ld.bfd exports it? That it is a node's is for the versions. */
static bool is_node_name(const struct elf_symbol *sym)
{
	return sym->shndx == SHN_ABS && TYPE(sym) == STT_OBJECT && sym->value == 0 &&
	       sym->size == 0;
}

static void check_place(struct check *c, const char *name, const struct elf_symbol *sym)
{
	const struct elf_segment *load = &c->load;
	struct elf_section s;

	if (sym->shndx >= SHN_LORESERVE) {
		broken(c, RULE_SYMBOLS,
		       "%s is %#llx in section %#x, not an address that counts from the image: "
		       "clients add where the page lies and jump there",
		       name, X(sym->value), sym->shndx);
		return;
	}
	/* Not at the very start either: abseil takes that for no symbol, and it is no code. */
	if (sym->value <= load->vaddr || sym->value - load->vaddr >= load->filesz ||
	    sym->size > load->filesz - (sym->value - load->vaddr)) {
		broken(c, RULE_SYMBOLS,
		       "%s, %#llx bytes at %#llx, is outside the PT_LOAD: a call faults, and "
		       "rustix panics",
		       name, X(sym->size), X(sym->value));
		return;
	}
	if (!c->has_sections)
		return;
	if (sym->shndx >= c->header.shnum) {
		broken(c, RULE_SYMBOLS, "%s is in section %u of %u", name, sym->shndx,
		       c->header.shnum);
		return;
	}
	s = section_at(c, sym->shndx);
	if (!(s.flags & SHF_EXECINSTR) || sym->value < s.addr || sym->value - s.addr >= s.size)
		broken(c, RULE_SYMBOLS,
		       "%s at %#llx is not in the code of its section %u: a call runs into "
		       "data",
		       name, X(sym->value), sym->shndx);
}

static void check_symbol(struct check *c, uint32_t index)
{
	struct elf_symbol sym = symbol_at(c, index);
	const char *name = dynamic_string(c, sym.name);

	if (!name) {
		broken(c, RULE_STRTAB, "the name of symbol %u is not in DT_STRTAB, or too long",
		       index);
		name = "?";
	} else if (!*name && TYPE(&sym) != STT_SECTION) {
		broken(c, RULE_SYMBOLS, "symbol %u has no name", index);
		name = "?";
	}
	/* Sections' own symbols, left behind by old linkers, are nobody's business. */
	if (TYPE(&sym) == STT_SECTION && BIND(&sym) == STB_LOCAL)
		return;
	if (sym.shndx == SHN_UNDEF) {
		broken(c, RULE_SYMBOLS,
		       "%s is undefined: nobody links the page with anything, a call jumps to "
		       "0",
		       name);
		return;
	}
	if (!is_exported(&sym))
		broken(c, RULE_SYMBOLS,
		       "%s has binding %u, neither GLOBAL nor WEAK: no client sees it", name,
		       BIND(&sym));
	if (VISIBILITY(&sym) != STV_DEFAULT)
		broken(c, RULE_SYMBOLS,
		       "%s has visibility %u, not DEFAULT: glibc passes over hidden symbols",
		       name, VISIBILITY(&sym));
	if (is_node_name(&sym))
		return;
	if (TYPE(&sym) != STT_FUNC && TYPE(&sym) != STT_NOTYPE)
		broken(c, RULE_SYMBOLS,
		       "%s has type %u: a page exports functions (FUNC, or NOTYPE) and nothing "
		       "else",
		       name, TYPE(&sym));
	check_place(c, name, &sym);
}

/* The weak plain name of a function, and the prefixed one, are the same code. */
static void check_alias(struct check *c, const char *a, const struct elf_symbol *weak,
			const char *b, const struct elf_symbol *strong)
{
	const char *plain = !strncmp(b, "__vdso_", 7)     ? b + 7
			    : !strncmp(b, "__kernel_", 9) ? b + 9
							  : NULL;

	if (plain && !strcmp(a, plain) && BIND(weak) == STB_WEAK &&
	    BIND(strong) == STB_GLOBAL && weak->value != strong->value)
		broken(c, RULE_SYMBOLS,
		       "%s is at %#llx and %s at %#llx: it is the weak alias and must be the "
		       "same function",
		       a, X(weak->value), b, X(strong->value));
}

static void check_pairs(struct check *c)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol a = symbol_at(c, i);
		const char *a_name = symbol_name(c, i);

		for (uint32_t j = 1; j < c->nr_symbols; j++) {
			struct elf_symbol b = symbol_at(c, j);
			const char *b_name = symbol_name(c, j);

			if (j > i && *a_name && !strcmp(a_name, b_name))
				broken(c, RULE_SYMBOLS,
				       "%s is there twice: clients differ in which one counts",
				       a_name);
			if (i != j)
				check_alias(c, a_name, &a, b_name, &b);
		}
	}
}

/* How many symbols are there? Nothing says so directly; DT_HASH and .dynsym do by the way. */
static uint64_t count_symbols(struct check *c)
{
	uint64_t hash, entry = ELF_SIZEOF(&c->elf, Sym);
	uint64_t in_section = c->has_dynsym ? c->dynsym.size / entry : 0;

	if (c->has_dynsym && c->dynsym.addr != c->tag[TAG_SYMTAB])
		broken(c, RULE_SECTION_HEADERS,
		       "the .dynsym is at %#llx, DT_SYMTAB says %#llx: bionic and the other "
		       "libcs see different symbols",
		       X(c->dynsym.addr), X(c->tag[TAG_SYMTAB]));
	if (!c->has_tag[TAG_HASH] || !address(c, "DT_HASH", c->tag[TAG_HASH], 8, &hash))
		return in_section;
	/* nchain, the second word: the chains run parallel to the symbols. */
	if (c->has_dynsym && elf_u32(&c->elf, hash + 4) != in_section)
		broken(c, RULE_HASH,
		       "DT_HASH is for %u symbols and the .dynsym has %llu: musl goes by the "
		       "one and bionic by the other",
		       elf_u32(&c->elf, hash + 4), X(in_section));
	return elf_u32(&c->elf, hash + 4);
}

static bool exports_function(const struct check *c)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = symbol_at(c, i);

		if (is_function(&sym))
			return true;
	}
	return false;
}

/* On i386 AT_SYSINFO is made of it, and glibc calls it for every system call. */
static void check_entry(struct check *c)
{
	if (c->header.machine != EM_386 || !c->header.entry)
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = symbol_at(c, i);

		if (is_function(&sym) && sym.value == c->header.entry &&
		    !strcmp(symbol_name(c, i), "__kernel_vsyscall"))
			return;
	}
	broken(c, RULE_SYMBOLS,
	       "the entry is %#llx, which is not __kernel_vsyscall: glibc calls it for every "
	       "system call",
	       X(c->header.entry));
}

void check_symbols(struct check *c)
{
	uint64_t nr, entry = ELF_SIZEOF(&c->elf, Sym);

	if (!c->has_tag[TAG_SYMTAB]) {
		broken(c, RULE_SYMBOLS, "no DT_SYMTAB: nothing is exported");
		return;
	}
	if (!c->has_tag[TAG_SYMENT] || c->tag[TAG_SYMENT] != entry)
		broken(c, RULE_SYMBOLS,
		       "DT_SYMENT is %llu, a symbol has %llu bytes: rustix refuses",
		       X(c->tag[TAG_SYMENT]), X(entry));
	nr = count_symbols(c);
	if (nr > MAX_SYMBOLS) {
		broken(c, RULE_SYMBOLS, "%llu symbols, a page has a handful", X(nr));
		return;
	}
	if (!address(c, "DT_SYMTAB", c->tag[TAG_SYMTAB], nr * entry, &c->symtab))
		return;
	c->nr_symbols = (uint32_t)nr;
	if (!exports_function(c))
		broken(c, RULE_SYMBOLS, "no function is exported: what is the page for?");
	for (uint32_t i = 1; i < c->nr_symbols; i++)
		check_symbol(c, i);
	check_entry(c);
	check_pairs(c);
}
