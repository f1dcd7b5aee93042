/*
 * exports.c - see exports.h.
 */
#include <string.h>

#include "kernel/image/exports.h"

/* The limits of image/check/, beyond which an image is no vDSO; they bound the time. */
#define MAX_SEGMENTS 64
#define MAX_SYMBOLS  1024
#define MAX_VERSIONS 16

#define VERSYM_INDEX 0x7fff

static struct elf_segment segment_at(const struct exports *exports, unsigned index)
{
	return elf_segment(&exports->elf,
			   exports->header.phoff + (uint64_t)index * exports->header.phentsize);
}

/* The PT_LOAD that has len bytes of the file at an address; false if none has. */
static bool find_load(const struct exports *exports, uint64_t vaddr, uint64_t len,
		      struct elf_segment *load)
{
	for (unsigned i = 0; i < exports->header.phnum && i < MAX_SEGMENTS; i++) {
		struct elf_segment s = segment_at(exports, i);

		if (s.type != PT_LOAD || vaddr < s.vaddr || vaddr - s.vaddr > s.filesz ||
		    len > s.filesz - (vaddr - s.vaddr))
			continue;
		*load = s;
		return true;
	}
	return false;
}

/* The file offset of len bytes at an address; 0, where no table can be, if they are not there.
 */
static uint64_t offset_of(const struct exports *exports, uint64_t vaddr, uint64_t len)
{
	struct elf_segment load;
	uint64_t offset;

	if (!find_load(exports, vaddr, len, &load) ||
	    __builtin_add_overflow(load.offset, vaddr - load.vaddr, &offset) ||
	    !elf_inside(&exports->elf, offset, len))
		return 0;
	return offset;
}

static const char *string_at(const struct exports *exports, uint64_t name)
{
	if (name >= exports->strtab_end - exports->strtab)
		return NULL;
	return elf_string(&exports->elf, exports->strtab + name, exports->strtab_end);
}

static void find_segments(struct exports *exports)
{
	for (unsigned i = 0; i < exports->header.phnum && i < MAX_SEGMENTS; i++) {
		struct elf_segment s = segment_at(exports, i);

		if (s.type == PT_LOAD && exports->nr_loads++ == 0)
			exports->load = s;
		if (s.type == PT_DYNAMIC && exports->dynamic.type == PT_NULL)
			exports->dynamic = s;
	}
}

static bool read_header(struct exports *exports, const char **why)
{
	const struct elf_bytes *elf = &exports->elf;

	*why = "not an ELF image";
	if (!elf_inside(elf, 0, SELFMAG) || memcmp(elf->bytes, ELFMAG, SELFMAG))
		return false;
	*why = "the image ends before its ELF header does";
	if (!elf_inside(elf, 0, ELF_SIZEOF(elf, Ehdr)))
		return false;
	*why = "EI_CLASS or EI_DATA is none that exists";
	if ((elf->bytes[EI_CLASS] != ELFCLASS32 && elf->bytes[EI_CLASS] != ELFCLASS64) ||
	    (elf->bytes[EI_DATA] != ELFDATA2LSB && elf->bytes[EI_DATA] != ELFDATA2MSB))
		return false;
	exports->header = elf_header(elf);
	*why = "the program headers are not of the size of this class";
	if (exports->header.phentsize != ELF_SIZEOF(elf, Phdr))
		return false;
	*why = "the image ends before its program headers do";
	return elf_inside(elf, exports->header.phoff,
			  (uint64_t)exports->header.phnum * exports->header.phentsize);
}

/* The last entry of a tag counts, as for those who gather them in an array. */
static bool tag(const struct exports *exports, uint64_t wanted, uint64_t *value)
{
	const struct elf_bytes *elf = &exports->elf;
	uint64_t entry = ELF_SIZEOF(elf, Dyn), len = exports->dynamic.filesz;
	uint64_t start = offset_of(exports, exports->dynamic.vaddr, len);
	bool found = false;

	if (!start)
		return false;
	for (uint64_t at = 0; at + entry <= len; at += entry) {
		struct elf_dyn dyn = elf_dyn(elf, start + at);

		if (dyn.tag == DT_NULL)
			break;
		if (dyn.tag == wanted) {
			*value = dyn.value;
			found = true;
		}
	}
	return found;
}

static uint64_t table(const struct exports *exports, uint64_t wanted, uint64_t len)
{
	uint64_t vaddr;

	return tag(exports, wanted, &vaddr) ? offset_of(exports, vaddr, len) : 0;
}

static uint64_t hash_word(const struct exports *exports, unsigned index)
{
	unsigned word = elf_hash_word(&exports->elf);
	uint64_t offset = exports->hash + (uint64_t)index * word;

	return word == 8 ? elf_u64(&exports->elf, offset) : elf_u32(&exports->elf, offset);
}

/* DT_GNU_HASH does not say how many symbols there are: the last one ends the last chain. */
static uint64_t count_by_gnu_hash(const struct exports *exports)
{
	const struct elf_bytes *elf = &exports->elf;
	uint32_t first = elf_u32(elf, exports->gnu_hash + 4), last = 0;
	uint64_t buckets = exports->gnu_hash + 16 +
			   (uint64_t)exports->gnu_filter_words * (elf->is64 ? 8 : 4);
	uint64_t chains = buckets + 4ull * exports->nr_gnu_buckets;

	for (uint32_t i = 0; i < exports->nr_gnu_buckets && i < MAX_SYMBOLS; i++)
		if (elf_u32(elf, buckets + 4ull * i) > last)
			last = elf_u32(elf, buckets + 4ull * i);
	if (last < first)
		return first;
	while (last - first < MAX_SYMBOLS &&
	       elf_inside(elf, chains + 4ull * (last - first), 4) &&
	       !(elf_u32(elf, chains + 4ull * (last - first)) & 1))
		last++;
	return (uint64_t)last + 1;
}

static uint64_t count_symbols(const struct exports *exports)
{
	struct elf_section dynsym;

	if (exports->hash)
		return hash_word(exports, 1);
	if (exports->gnu_hash)
		return count_by_gnu_hash(exports);
	if (elf_find_section(&exports->elf, SHT_DYNSYM, &dynsym))
		return dynsym.size / ELF_SIZEOF(&exports->elf, Sym);
	return 0;
}

static const char *find_tables(struct exports *exports)
{
	const struct elf_bytes *elf = &exports->elf;
	uint64_t size = 0, name, count, entry = ELF_SIZEOF(elf, Sym);

	if (!tag(exports, DT_STRSZ, &size))
		return "no string table: DT_STRSZ is missing";
	exports->strtab = table(exports, DT_STRTAB, size);
	if (!exports->strtab)
		return "no string table in a PT_LOAD";
	exports->strtab_end = exports->strtab + size;
	exports->soname = tag(exports, DT_SONAME, &name) ? string_at(exports, name) : NULL;
	exports->hash = table(exports, DT_HASH, 2 * elf_hash_word(elf));
	exports->gnu_hash = table(exports, DT_GNU_HASH, 16);
	if (exports->hash)
		exports->nr_buckets = (uint32_t)hash_word(exports, 0);
	if (exports->gnu_hash) {
		exports->nr_gnu_buckets = elf_u32(elf, exports->gnu_hash);
		exports->gnu_filter_words = elf_u32(elf, exports->gnu_hash + 8);
	}
	count = count_symbols(exports);
	if (count > MAX_SYMBOLS)
		return "more symbols than any vDSO has";
	exports->symtab = table(exports, DT_SYMTAB, count * entry);
	if (!exports->symtab)
		return "no symbol table in a PT_LOAD";
	exports->nr_symbols = (uint32_t)count;
	exports->versym = table(exports, DT_VERSYM, 2 * count);
	exports->verdef = table(exports, DT_VERDEF, sizeof(Elf64_Verdef));
	if (exports->verdef && tag(exports, DT_VERDEFNUM, &count))
		exports->nr_verdef = count < MAX_VERSIONS ? (uint32_t)count : MAX_VERSIONS;
	/* The one without the other says nothing. */
	if (!exports->versym || !exports->nr_verdef)
		exports->versym = exports->nr_verdef = 0;
	return NULL;
}

const char *exports_open(struct exports *exports, const unsigned char *bytes, size_t size)
{
	const char *why;

	*exports = (struct exports){.elf = elf_bytes_of(bytes, size)};
	if (!read_header(exports, &why))
		return why;
	find_segments(exports);
	if (!exports->nr_loads)
		return "no PT_LOAD: nothing of it is in memory";
	if (exports->dynamic.type == PT_NULL)
		return "no PT_DYNAMIC: nobody finds its symbols";
	if (!offset_of(exports, exports->dynamic.vaddr, exports->dynamic.filesz))
		return "the dynamic section is not inside a PT_LOAD";
	return find_tables(exports);
}

/* The definition in a place of the list; 0 if it ends before. Entries have no size of their
 * own. */
static uint64_t verdef_at(const struct exports *exports, uint32_t place)
{
	uint64_t at = exports->verdef;

	if (!at || place >= exports->nr_verdef)
		return 0;
	while (place-- > 0) {
		uint32_t next = elf_u32(&exports->elf, at + offsetof(Elf64_Verdef, vd_next));

		if (next == 0 || !elf_inside(&exports->elf, at + next, sizeof(Elf64_Verdef)))
			return 0;
		at += next;
	}
	return at;
}

static const char *verdef_name(const struct exports *exports, uint64_t at)
{
	uint64_t aux = at + elf_u32(&exports->elf, at + offsetof(Elf64_Verdef, vd_aux));

	return string_at(exports,
			 elf_u32(&exports->elf, aux + offsetof(Elf64_Verdaux, vda_name)));
}

const char *exports_version(const struct exports *exports, uint32_t place, bool *base)
{
	uint64_t at = verdef_at(exports, place);

	if (!at)
		return NULL;
	*base = elf_u16(&exports->elf, at + offsetof(Elf64_Verdef, vd_flags)) & VER_FLG_BASE;
	return verdef_name(exports, at);
}

/* The name of the version with an index; NULL for the base, and for what has none. */
static const char *version_of(const struct exports *exports, uint16_t index)
{
	for (uint32_t i = 0; i < exports->nr_verdef; i++) {
		uint64_t at = verdef_at(exports, i);

		if (!at)
			break;
		if (elf_u16(&exports->elf, at + offsetof(Elf64_Verdef, vd_ndx)) == index)
			return elf_u16(&exports->elf, at + offsetof(Elf64_Verdef, vd_flags)) &
					       VER_FLG_BASE
				       ? NULL
				       : verdef_name(exports, at);
	}
	return NULL;
}

static struct elf_symbol symbol_at(const struct exports *exports, uint32_t index)
{
	return elf_symbol(&exports->elf,
			  exports->symtab + (uint64_t)index * ELF_SIZEOF(&exports->elf, Sym));
}

bool exports_at(const struct exports *exports, uint32_t index, struct export *export)
{
	struct elf_segment load;
	struct elf_symbol sym;
	const char *name;
	uint16_t versym = VER_NDX_GLOBAL;

	if (index == 0 || index >= exports->nr_symbols)
		return false;
	sym = symbol_at(exports, index);
	name = string_at(exports, sym.name);
	if (!name || sym.shndx == SHN_UNDEF || sym.shndx == SHN_ABS ||
	    (ELF64_ST_BIND(sym.info) != STB_GLOBAL && ELF64_ST_BIND(sym.info) != STB_WEAK) ||
	    (ELF64_ST_TYPE(sym.info) != STT_FUNC && ELF64_ST_TYPE(sym.info) != STT_NOTYPE) ||
	    !find_load(exports, sym.value, 1, &load))
		return false;
	if (exports->versym)
		versym = elf_u16(&exports->elf, exports->versym + 2ull * index);
	if ((versym & VERSYM_INDEX) == VER_NDX_LOCAL)
		return false;
	*export = (struct export){
		.name = name,
		.version = version_of(exports, versym & VERSYM_INDEX),
		.symbol = sym,
	};
	return true;
}

bool exports_find(const struct exports *exports, const char *name, struct export *export)
{
	for (uint32_t i = 1; i < exports->nr_symbols; i++) {
		struct elf_symbol sym = symbol_at(exports, i);
		const char *other = string_at(exports, sym.name);

		if (other && !strcmp(other, name) && exports_at(exports, i, export))
			return true;
	}
	return false;
}
