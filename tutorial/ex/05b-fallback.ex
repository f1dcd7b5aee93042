# The filter that spares the walk, and the table of who has no other.
title: Resolving a symbol: the filter, and DT_HASH
tier: deep
minutes: 25
file: loader/libc/vdso_symbol.c
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
right: by-shifts: the same bits with masks and a while
	s/return \(word >> \(hash % bits\).*?;/ElfW(Addr) both = (ElfW(Addr))1 << (hash & (bits - 1)) |\n\t\t\t  (ElfW(Addr))1 << ((hash >> elf->gnu.bloom_shift) & (bits - 1));\n\n\treturn (word & both) == both;/s;
	s/\tfor \(uint32_t steps = 0;.*?\+\+\) \{/\tuint32_t left = elf->hash.nchain;\n\n\twhile (i && left--) {/
right: remainder: the word is chosen by a remainder, and the steps count down
	s/\(hash \/ bits\) & \(elf->gnu\.bloom_size - 1\)/hash \/ bits % elf->gnu.bloom_size/;
	s/uint32_t steps = 0; i != STN_UNDEF && steps < elf->hash\.nchain; steps\+\+/uint32_t left = elf->hash.nchain; i && left; left--/
mutant: one-bit: the second bit is not looked at
	says: with one bit a name
	s/ &&\s+\(word >> \(\(hash >> elf->gnu\.bloom_shift\) % bits\) & 1\)//
mutant: the-same-word: every name is looked for in the first word
	says: the filter lets every name pass that is there
	says: one name refused here is lost
	s/bloom\[\(hash \/ bits\) & \(elf->gnu\.bloom_size - 1\)\]/bloom[0]/
mutant: round-and-round: a circle is followed for ever
	says: a walk without an end
	says: chain words, or nchain
	s/steps < elf->hash\.nchain/steps != UINT32_MAX/
mutant: first-or-none: only the first symbol of a bucket is looked at
	says: the next symbol of the same bucket
	s/i = elf->hash\.chain\[i\];/break;/
mutant: gnu-hash: the other table's hash is used
	says: vdso_elf_hash()
	s/vdso_elf_hash\(wanted->name\)/vdso_gnu_hash(wanted->name)/
stub:
	@keep /A Bloom filter/
	static bool may_be_here(const struct vdso_elf *elf, uint32_t hash)
	{
		/* TODO: two bits of one word of elf->gnu.bloom. */
		(void)elf;
		(void)hash;
		return true;
	}

	static const void *find_hash(const struct vdso_elf *elf, const struct vdso_wanted *wanted)
	{
		/* TODO: from the bucket along the list to a symbol that matches; with an end. */
		(void)elf;
		(void)wanted;
		return NULL;
	}
