/*
 * lookup.c - one lookup, told step by step: clock_gettime, by this machine's name and version.
 *
 * This does what vdso_elf_symbol() does, on the image in memory, and prints each step: from
 * the name to a hash, through filter, bucket and chain to a symbol, from the symbol to its
 * version, from its value to an address. At the end the resolver looks up the same name, and
 * both must agree.
 *
 * Exit status: 0 they agree, 1 they do not.
 */
#include <string.h>

#include "demo.h"

#define NAME    VDSO_NAME("clock_gettime")
#define VERSION VDSO_VERSION

static const char *symbol_name(const struct vdso_elf *elf, uint32_t symbol)
{
	return elf->strtab + elf->symtab[symbol].st_name;
}

/* Two bits of one word. One of them clear: the name is not here, and no table is read. */
static bool tell_filter(const struct vdso_elf *elf, uint32_t hash)
{
	const uint32_t bits = 8 * sizeof(ElfW(Addr));
	uint32_t index = (hash / bits) & (elf->gnu.bloom_size - 1);
	ElfW(Addr) word = elf->gnu.bloom[index];
	uint32_t first = hash % bits, second = (hash >> elf->gnu.bloom_shift) % bits;
	bool one = word >> first & 1, two = word >> second & 1;

	printf("  bloom filter  word %u of %u is 0x%016lx\n", index, elf->gnu.bloom_size,
	       (unsigned long)word);
	printf("                bit %2u (hash %% %u) is %s\n", first, bits,
	       one ? "set" : "clear");
	printf("                bit %2u (hash >> %u, %% %u) is %s: %s\n", second,
	       elf->gnu.bloom_shift, bits, two ? "set" : "clear",
	       one && two ? "the name may be here" : "the name is not here");
	return one && two;
}

/* Returns the symbol, or 0. A chain is a run of neighbours; bit 0 marks its last one. */
static uint32_t tell_chain(const struct vdso_elf *elf, uint32_t hash)
{
	uint32_t bucket = hash % elf->gnu.nbucket, symbol = elf->gnu.bucket[bucket];

	printf("  bucket        hash %% %u is %u: its chain starts at symbol %u\n",
	       elf->gnu.nbucket, bucket, symbol);
	printf("  chain         of hashes; bit 0 of each is no part of it, but marks the "
	       "end\n");
	for (; symbol; symbol++) {
		uint32_t other = elf->gnu.chain[symbol - elf->gnu.symoffset];
		const char *name = symbol_name(elf, symbol);

		printf("                symbol %2u has 0x%08x", symbol, other);
		if ((other | 1) != (hash | 1)) {
			printf(": another hash, no name is read\n");
		} else if (strcmp(name, NAME)) {
			printf(": the same hash, but it is %s\n", name);
		} else {
			printf(": the same hash, and the name is\n");
			printf("                          %s: found\n", name);
			return symbol;
		}
		if (other & 1)
			break;
	}
	printf("                the chain ends: the name is not here\n");
	return 0;
}

/* A name is half of the question; the other half is what was promised about it. */
static bool tell_version(const struct vdso_elf *elf, uint32_t symbol)
{
	uint32_t want = vdso_elf_hash(VERSION);
	unsigned int index = elf->versym ? elf->versym[symbol] & VDSO_VERSYM_INDEX : 0;
	const ElfW(Verdef) *verdef = vdso_elf_verdef(elf, index);
	const char *name = verdef ? vdso_elf_verdef_name(elf, verdef) : "nothing";
	bool same = verdef && verdef->vd_hash == want && !strcmp(name, VERSION);

	printf("  versym        entry %u says version index %u\n", symbol, index);
	printf("  verdef        index %u has the hash 0x%08x and the name %s\n", index,
	       verdef ? verdef->vd_hash : 0, name);
	printf("                wanted: 0x%08x and %s: %s\n", want, VERSION,
	       same ? "the same" : "another one");
	return same;
}

static const void *tell(const struct vdso_elf *elf)
{
	uint32_t hash = vdso_gnu_hash(NAME), symbol;
	const void *address;

	printf("  wanted        %s, version %s\n", NAME, VERSION);
	printf("  image         at %p, as the vector would say\n", (const void *)elf->base);
	if (!elf->gnu.nbucket) {
		printf("  hash          this image has no DT_GNU_HASH\n");
		return NULL;
	}
	printf("  GNU hash      5381, then * 33 + each letter: 0x%08x\n", hash);
	if (!tell_filter(elf, hash))
		return NULL;
	symbol = tell_chain(elf, hash);
	if (!symbol || !tell_version(elf, symbol))
		return NULL;
	address = (const void *)(elf->load_offset + elf->symtab[symbol].st_value);
	printf("  value         0x%lx, the function's place in the image\n",
	       (unsigned long)elf->symtab[symbol].st_value);
	printf("  address       0x%lx + 0x%lx = %p\n", (unsigned long)elf->load_offset,
	       (unsigned long)elf->symtab[symbol].st_value, address);
	return address;
}

int main(void)
{
	struct vdsos vdsos;
	const void *told, *resolved;
	bool agree;

	vdsos_open(&vdsos, "lookup");
	told = tell(&vdsos.ours);
	resolved = vdso_elf_symbol(&vdsos.ours, NAME, VERSION);
	agree = told && told == resolved;
	printf("  the resolver  vdso_elf_symbol() says %p: %s\n", resolved,
	       agree ? "they agree" : "THEY DO NOT AGREE");
	uvdso_shutdown(vdsos.booted);
	return agree ? 0 : 1;
}
