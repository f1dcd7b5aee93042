/*
 * vdso_fallback.c - the two tables beside DT_GNU_HASH's chains: the filter before them, and
 * DT_HASH, for an image that has no other.
 */
#include "vdso_lookup.h"

/* course: begin 05b-fallback */
/* A Bloom filter: both bits are set for every name that is here, and for few others. */
bool vdso_lookup_may_find(const struct vdso_elf *elf, uint32_t hash)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word = elf->gnu.bloom[(hash / bits) & (elf->gnu.bloom_size - 1)];

	return (word >> (hash % bits) & 1) &&
	       (word >> ((hash >> elf->gnu.bloom_shift) % bits) & 1);
}

const void *vdso_lookup_hash(const struct vdso_elf *elf, const struct vdso_wanted *wanted)
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
