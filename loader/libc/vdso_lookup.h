/*
 * vdso_lookup.h - what vdso_symbol.c uses of vdso_lookup.c. For callers there is vdso_elf.h.
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

/* The wanted symbol's address through the chain of its hash in DT_GNU_HASH, or NULL. */
const void *vdso_lookup_chain(const struct vdso_elf *elf, const struct vdso_wanted *wanted,
			      uint32_t hash);

#endif
