# The filter that spares the walk, and the table of who has no other.
title: Resolving a symbol: the filter, and DT_HASH
tier: deep
minutes: 25
file: loader/libc/vdso_lookup.c
tests: libc/lookup-fallback
red: what the filter does not know is refused, and no bucket is read
red: one bit of the two is not enough
red: without DT_GNU_HASH every name is found through DT_HASH
red: a name that is not there is not found through DT_HASH
red: through DT_HASH a name is found in its version, and in no other
red: a chain that leads in a circle is left
hint:
	The filter is an array of words as wide as an address. Which word, and which two bits of it,
	does a hash choose? What do you know if one of the two is clear, and what if both are set?
	In DT_HASH the chain is a list by index. Which symbol can never be in it?
hint:
	build/demo/lookup prints the word and the two bits. loader/libc/vdso_elf.h says what
	bloom_size and bloom_shift are; that the size is a power of two has been checked, and is worth
	something here. vdso_elf_hash() is the other table's hash. How long can its chain be at most?
hint:
	The filter: divided by the bits of a word, the hash gives the number of the word, wrapped at the
	size. The remainder is the first bit, and that of the shifted hash the second. Both must be set.
	The list: begin at the symbol that the bucket names. While it is not STN_UNDEF, and no more
	often than there are chain words, ask whether it matches, and go where its own word leads.
mutant: one-bit: the second bit is not looked at
	s/ &&\s+\(word >> \(\(hash >> elf->gnu\.bloom_shift\) % bits\) & 1\)//
mutant: the-same-word: every name is looked for in the first word
	s/bloom\[\(hash \/ bits\) & \(elf->gnu\.bloom_size - 1\)\]/bloom[0]/
mutant: round-and-round: a circle is followed for ever
	s/steps < elf->hash\.nchain/steps != UINT32_MAX/
mutant: first-or-none: only the first symbol of a bucket is looked at
	s/i = elf->hash\.chain\[i\];/break;/
stub:
	/* Both bits are set for every name that is here, and for few others. */
	static bool may_be_here(const struct vdso_elf *elf, uint32_t hash)
	{
		/* TODO: two bits of one word of elf->gnu.bloom. */
		(void)elf;
		(void)hash;
		return true;
	}

	static const void *find_hash(const struct vdso_elf *elf, const struct wanted *wanted)
	{
		/* TODO: from the bucket along the list to a symbol that matches; with an end. */
		(void)elf;
		(void)wanted;
		return NULL;
	}
