/*
 * vdso_lookup.h - what vdso_lookup.c and vdso_fallback.c share. For callers there is
 * vdso_elf.h.
 */
#ifndef LIBC_VDSO_LOOKUP_H
#define LIBC_VDSO_LOOKUP_H

#include "vdso_elf.h"

/* What is asked for, hashed once. */
struct vdso_wanted {
	const char *name, *version;
	uint32_t version_hash;
};

/* The address of symbol i, if it is the wanted one, or NULL. */
const void *vdso_lookup_match(const struct vdso_elf *elf, uint32_t i,
			      const struct vdso_wanted *wanted);

/* False if the filter of DT_GNU_HASH knows that no name with this hash is there. */
bool vdso_lookup_may_find(const struct vdso_elf *elf, uint32_t hash);

/* The wanted symbol's address through DT_HASH, or NULL. */
const void *vdso_lookup_hash(const struct vdso_elf *elf, const struct vdso_wanted *wanted);

#endif
