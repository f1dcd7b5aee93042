/*
 * vdso_lookup.c - from a name and a version to an address, in an open image.
 *
 * Two hash tables lead to a symbol, and an image may have either or both. DT_HASH (System
 * V) has a list of symbols for each bucket, linked by index:
 *
 *	bucket[hash % nbucket] -> symbol i -> chain[i] -> ... -> 0
 *
 * DT_GNU_HASH sorts the symbols by bucket, so that a chain is a run of neighbours. It
 * stores their hashes as well, so that hardly any name is compared in vain. No standard
 * describes the format; the sources are the binutils mailing list (2006) and what linkers
 * write. The filter in front of it, and the walk through DT_HASH, are in vdso_symbol.c.
 *
 * The name is half of the question. A symbol belongs to a version by its index in
 * DT_VERSYM, which stands for a definition in DT_VERDEF, which has a name: LINUX_2.6. The
 * first definition is not a version: it carries the image's own name (VER_FLG_BASE).
 *
 * vdso_elf_open() has checked every table, so nothing here has to.
 */
#include "vdso_lookup.h"

static bool same_string(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

uint32_t vdso_elf_hash(const char *name)
{
	uint32_t hash = 0;

	/*
	 * Each byte shifts the hash by four bits; what reaches the top four bits is folded
	 * back in at the lower end. It must be 32 bits wide: with a 64-bit long, as the
	 * gABI once had it, the same loop gives other values for long names.
	 */
	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		hash ^= (hash >> 24) & 0xf0;
		hash &= 0x0fffffff;
	}
	return hash;
}

uint32_t vdso_gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

const ElfW(Verdef) * vdso_elf_verdef(const struct vdso_elf *elf, unsigned int index)
{
	const ElfW(Verdef) *verdef = elf->verdef;

	for (uint32_t i = 0; i < elf->nr_verdef; i++) {
		if (verdef->vd_ndx == index)
			return verdef;
		if (i + 1 < elf->nr_verdef)
			verdef = (const void *)((const char *)verdef + verdef->vd_next);
	}
	return NULL;
}

const char *vdso_elf_verdef_name(const struct vdso_elf *elf, const ElfW(Verdef) * verdef)
{
	const ElfW(Verdaux) *aux = (const void *)((const char *)verdef + verdef->vd_aux);

	return elf->strtab + aux->vda_name;
}

static bool exported(const struct vdso_elf *elf, uint32_t i)
{
	const ElfW(Sym) *sym = &elf->symtab[i];
	unsigned char type = sym->st_info & 0xf, binding = sym->st_info >> 4;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS)
		return false;
	if (type != STT_FUNC && type != STT_NOTYPE)
		return false;
	if (binding != STB_GLOBAL && binding != STB_WEAK)
		return false;
	if (elf->versym && (elf->versym[i] & VDSO_VERSYM_INDEX) == VER_NDX_LOCAL)
		return false;
	return sym->st_value - elf->load->p_vaddr < elf->load->p_filesz;
}

static const void *address(const struct vdso_elf *elf, uint32_t i)
{
	return (const void *)(elf->load_offset + (uintptr_t)elf->symtab[i].st_value);
}

/* course: begin 05-resolve */
/* The definition a symbol belongs to, or NULL: no versions, or only the base one. */
static const ElfW(Verdef) * symbol_verdef(const struct vdso_elf *elf, uint32_t i)
{
	const ElfW(Verdef) * verdef;

	if (!elf->versym)
		return NULL;
	verdef = vdso_elf_verdef(elf, elf->versym[i] & VDSO_VERSYM_INDEX);
	return verdef && !(verdef->vd_flags & VER_FLG_BASE) ? verdef : NULL;
}

static bool matches(const struct vdso_elf *elf, uint32_t i, const struct vdso_wanted *wanted)
{
	const ElfW(Verdef) * verdef;

	if (!exported(elf, i) ||
	    !same_string(elf->strtab + elf->symtab[i].st_name, wanted->name))
		return false;
	if (!wanted->version)
		return !elf->versym || !(elf->versym[i] & VDSO_VERSYM_HIDDEN);
	verdef = symbol_verdef(elf, i);
	return verdef && verdef->vd_hash == wanted->version_hash &&
	       same_string(vdso_elf_verdef_name(elf, verdef), wanted->version);
}

const void *vdso_lookup_chain(const struct vdso_elf *elf, const struct vdso_wanted *wanted,
			      uint32_t hash)
{
	uint32_t i = elf->gnu.bucket[hash % elf->gnu.nbucket];

	if (!i)
		return NULL;
	for (;; i++) {
		uint32_t other = elf->gnu.chain[i - elf->gnu.symoffset];

		/* Bit 0 of a hash gave its place to the mark for the end. */
		if ((other | 1) == (hash | 1) && matches(elf, i, wanted))
			return address(elf, i);
		if (other & 1)
			return NULL;
	}
}
/* course: end 05-resolve */

const void *vdso_lookup_match(const struct vdso_elf *elf, uint32_t i,
			      const struct vdso_wanted *wanted)
{
	return matches(elf, i, wanted) ? address(elf, i) : NULL;
}

unsigned int vdso_elf_symbol_count(const struct vdso_elf *elf)
{
	return elf->nr_symbols;
}

bool vdso_elf_symbol_at(const struct vdso_elf *elf, unsigned int index,
			struct vdso_elf_entry *entry)
{
	const ElfW(Verdef) * verdef;

	if (index >= elf->nr_symbols || !exported(elf, index))
		return false;
	verdef = symbol_verdef(elf, index);
	*entry = (struct vdso_elf_entry){
		.name = elf->strtab + elf->symtab[index].st_name,
		.version = verdef ? vdso_elf_verdef_name(elf, verdef) : NULL,
		.address = address(elf, index),
		.type = elf->symtab[index].st_info & 0xf,
		.binding = elf->symtab[index].st_info >> 4,
	};
	return true;
}
