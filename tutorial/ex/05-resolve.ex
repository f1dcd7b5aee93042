# From a hash to a symbol, and from a symbol to its version. The filter and DT_HASH are 05b, in a
# file of their own.
title: Resolving a symbol
tier: core
minutes: 45
file: loader/libc/vdso_lookup.c
tests: libc/lookup
red: chain: a name is found, at its own address
red: chain: a name that is not there is not found, and its chain is left where it ends
red: chain: of two names with the same hash each is found
red: version: the right name in a wrong version is refused
red: version: of two versions with the same hash each is another
red: version: the image's own name is none
red: version: where the image has none, none is found
red: hidden: who names the version finds what is hidden, too
red: hidden: who names no version gets the default, and nothing that is hidden
hint:
	A chain is a run of neighbours in an array. Where does the first one stand, and what says that
	one is the last? A symbol and its hash are two arrays: what is the difference of their indices?
	When two hashes are the same, what do you know about the names? And what has a symbol's entry
	in versym to do with a definition's place in the list?
hint:
	make -s build/demo/lookup && build/demo/lookup tells one lookup step by step, with all numbers.
	Do the points of "chain" first, in vdso_lookup_chain(); until then any version may do. A point that
	fails lists what your lookup read of the tables, and where the way went on without it.
	The two parts of a versym entry are in loader/libc/vdso_elf.h.
hint:
	The chain: begin at the symbol that the bucket names; none if that is 0. For each symbol take its
	word. If hash and word agree in all bits but the lowest, ask whether the symbol matches, and
	if so its address is the answer. If the word's lowest bit is set, there is none. The version:
	take the 15 bits of the index, look for the definition, and drop it if it is the image's own.
	It matches if the hash of its name is the wanted one, and the name as well.
right: its-own-walk: the list of definitions is walked here, and the hashes are compared by a shift
	s/\tconst ElfW\(Verdef\) \* verdef;\n\n\tif \(!elf->versym\)/\tconst char *at = (const char *)elf->verdef;\n\tunsigned int index;\n\n\tif (!elf->versym)/;
	s/\tverdef = vdso_elf_verdef\(.*?\n\treturn verdef && [^\n]*\n/\tindex = elf->versym[i] & VDSO_VERSYM_INDEX;\n\tfor (uint32_t n = 0; n < elf->nr_verdef; n++) {\n\t\tconst ElfW(Verdef) *verdef = (const void *)at;\n\n\t\tif (verdef->vd_ndx == index)\n\t\t\treturn verdef->vd_flags & VER_FLG_BASE ? NULL : verdef;\n\t\tat += verdef->vd_next;\n\t}\n\treturn NULL;\n/s;
	s/\(other \| 1\) == \(hash \| 1\)/(other ^ hash) >> 1 == 0/
right: name-alone: of the version only the name is compared, and the base is known by its index
	s/verdef->vd_hash == wanted->version_hash &&\s+//;
	s/!\(verdef->vd_flags & VER_FLG_BASE\)/verdef->vd_ndx != VER_NDX_GLOBAL/
right: do-while: the chain is a do ... while
	region:
	@keep /^.. The definition/ .. /uint32_t hash\)/
	{
		uint32_t bucket = hash % elf->gnu.nbucket, i = elf->gnu.bucket[bucket];
		const uint32_t *word = elf->gnu.chain + i - elf->gnu.symoffset;
	
		if (i == 0)
			return NULL;
		do {
			if ((*word & ~1u) == (hash & ~1u) && matches(elf, i, wanted))
				return address(elf, i);
			i++;
		} while (!(*word++ & 1));
		return NULL;
	}
mutant: ignores-version: any version will do
	says: a version is a promise
	s/return verdef && verdef->vd_hash == wanted->version_hash &&\n.*?;/return verdef != NULL;/s
mutant: hash-is-enough: the name is not compared
	says: only the name can say
	s/ \|\|\s*!same_string\(elf->strtab \+ elf->symtab\[i\]\.st_name, wanted->name\)//
mutant: past-the-chain: the end of a chain is not seen
	says: bit 0 set is the last
	says: has ended before chain[
	s/if \(other & 1\)\n\t\t\treturn NULL;\n//
mutant: bit-15-kept: the hidden bit is taken for a part of the index
	says: bit 15 of versym is no part of the index
	s/ & VDSO_VERSYM_INDEX//
mutant: by-position: the index is taken for a place in the list
	says: vd_ndx tells which one it is
	s/verdef = vdso_elf_verdef\(elf, (.*?)\);/verdef = elf->verdef;\n\tfor (unsigned int n = $1; n > 1 && verdef->vd_next; n--)\n\t\tverdef = (const void *)((const char *)verdef + verdef->vd_next);/
mutant: always-versions: versym is looked at where there is none
	says: a pointer that is NULL was followed
	says: without versions versym is NULL
	s/\tif \(!elf->versym\)\n\t\treturn NULL;\n//
mutant: symbol-as-index: a symbol's number is its index in the chain
	says: leads on to chain[
	s/ - elf->gnu\.symoffset//
mutant: whole-hash: all bits of the hash are compared, the mark as well
	says: leads on to name of symbol
	s/\(other \| 1\) == \(hash \| 1\)/other == hash/
stub:
	/* The definition a symbol belongs to, or NULL: no versions, or only the base one. */
	static const ElfW(Verdef) * symbol_verdef(const struct vdso_elf *elf, uint32_t i)
	{
		/* TODO: what versym says of symbol i is a definition's index, and a hidden bit. */
		(void)elf;
		(void)i;
		return NULL;
	}

	@keep /static bool matches/
	{
		@keep /if \(!exported/ .. /return false/
		/* TODO: the name is right. And the version? wanted->version may be NULL. */
		return true;
	}

	@keep /vdso_lookup_chain/ .. /uint32_t hash\)/
	{
		/* TODO: from the bucket to the chain, and along it to a symbol that matches. */
		(void)elf;
		(void)wanted;
		(void)hash;
		return NULL;
	}
