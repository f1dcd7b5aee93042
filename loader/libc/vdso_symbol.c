/*
 * vdso_symbol.c - a symbol by its name and version: which of the two hash tables is asked.
 *
 * DT_GNU_HASH, where the image has it, and before its chains (vdso_lookup.c) their filter; else
 * DT_HASH.
 */
#include "vdso_lookup.h"

/* course: begin 05b-fallback */
/* A Bloom filter: both bits are set for every name that is here, and for few others. */
static bool may_be_here(const struct vdso_elf *elf, uint32_t hash)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word = elf->gnu.bloom[(hash / bits) & (elf->gnu.bloom_size - 1)];

	return (word >> (hash % bits) & 1) &&
	       (word >> ((hash >> elf->gnu.bloom_shift) % bits) & 1);
}

static const void *find_hash(const struct vdso_elf *elf, const struct vdso_wanted *wanted)
{
	uint32_t hash = vdso_elf_hash(wanted->name);
	uint32_t i = elf->hash.bucket[hash % elf->hash.nbucket];

	/* A malformed chain may lead in a circle; no chain is longer than the table. */
	for (uint32_t steps = 0; i != STN_UNDEF && steps < elf->hash.nchain; steps++) {
		const void *found = vdso_lookup_match(elf, i, wanted);

		if (found)
			return found;
		i = elf->hash.chain[i];
	}
	return NULL;
}
/* course: end 05b-fallback */

const void *vdso_elf_symbol(const struct vdso_elf *elf, const char *name, const char *version)
{
	struct vdso_wanted wanted = {name, version, version ? vdso_elf_hash(version) : 0};
	uint32_t hash;

	if (elf->gnu.nbucket) {
		hash = vdso_gnu_hash(name);
		return may_be_here(elf, hash) ? vdso_lookup_chain(elf, &wanted, hash) : NULL;
	}
	if (elf->hash.nbucket)
		return find_hash(elf, &wanted);
	return NULL; /* never opened, or refused */
}
