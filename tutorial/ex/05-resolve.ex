# From a hash to a symbol, and from a symbol to its version. The filter and DT_HASH are 05b.
title: Resolving a symbol
tier: core
minutes: 45
file: loader/libc/vdso_lookup.c
tests: libc/lookup
red: a name is found, in its version and at its own address
red: a name that is not there is not found, and its chain is left where it ends
red: of two names with the same hash each is found
red: the right name in a wrong version is refused
red: of one name in two versions each is found
red: the hidden bit is no part of the version's index
red: who names no version gets the default, and nothing that is hidden
red: the image's own name is no version
red: of two versions with the same hash each is another
hint:
	A chain is a run of neighbours in an array. Where does the first one stand, and what says that
	one is the last? A symbol and its hash are two arrays: what is the difference of their indices?
	When two hashes are the same, what do you know about the names? And what has a symbol's entry
	in versym to do with a definition's place in the list?
hint:
	make -s build/demo/lookup && build/demo/lookup tells one lookup step by step, with all numbers.
	The fields of struct vdso_elf are explained in loader/libc/vdso_elf.h, and so are the two
	parts of a versym entry. Let the failing point tell you which half is missing: if a name is not
	found at all, it is the chain; if too much is found, it is the version.
hint:
	The chain: begin at the symbol that the bucket names; none if that is 0. For each symbol take its
	word. If hash and word agree in all bits but the lowest, ask whether the symbol matches, and
	if so its address is the answer. If the word's lowest bit is set, there is none. The version:
	take the 15 bits of the index, look for the definition, and drop it if it is the image's own.
	It matches if the hash of its name is the wanted one, and the name as well.
mutant: ignores-version: any version will do
	s/return verdef && verdef->vd_hash == wanted->version_hash &&\n.*?;/return verdef != NULL;/s
mutant: hash-is-enough: the name is not compared
	s/ \|\|\s*!same_string\(elf->strtab \+ elf->symtab\[i\]\.st_name, wanted->name\)//
mutant: past-the-chain: the end of a chain is not seen
	s/if \(other & 1\)\n\t\t\treturn NULL;\n//
mutant: bit-15-kept: the hidden bit is taken for a part of the index
	s/ & VDSO_VERSYM_INDEX//
stub:
	/* The definition a symbol belongs to, or NULL: no versions, or only the base one. */
	static const ElfW(Verdef) * symbol_verdef(const struct vdso_elf *elf, uint32_t i)
	{
		/* TODO: what versym says of symbol i is a definition's index, and a hidden bit. */
		(void)elf;
		(void)i;
		return NULL;
	}

	static bool matches(const struct vdso_elf *elf, uint32_t i, const struct wanted *wanted)
	{
		@keep /if \(!exported/ .. /return false/
		/* TODO: the name is right. And the version? wanted->version may be NULL. */
		return true;
	}

	static const void *find_gnu_hash(const struct vdso_elf *elf, const struct wanted *wanted,
					 uint32_t hash)
	{
		/* TODO: from the bucket to the chain, and along it to a symbol that matches. */
		(void)elf;
		(void)wanted;
		(void)hash;
		(void)matches;
		return NULL;
	}
