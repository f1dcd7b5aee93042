# The two walks: over the stack to the vector, and over the vector to an entry.
title: Finding the vDSO: the auxiliary vector
tier: core
minutes: 30
file: loader/libc/auxv.c
tests: libc/auxv
red: the vector begins behind two lists, and each of them ends in NULL
red: an empty environment is a list, too: its NULL alone
red: no argument at all is possible, and argv is then its NULL alone
red: an entry that is crossed out does not end the walk
red: a value is not taken for a type
red: a vector without the entry has no vDSO, and nothing behind AT_NULL is read
red: what looks like an entry behind AT_NULL is none
red: the end is no entry
red: on our own vector the walk agrees with getauxval()
red: from our own initial stack the same vDSO is found
hint:
	Draw the stack on paper, a box a word, the stack pointer below. Write a number into the lowest.
	Of the three lists above it, which one says how long it is? How do the other two say
	where they end? And how many words is one step, in each of them?
hint:
	make check tells the slot where the vector was expected, and the slot where your walk ended.
	One too few or too many is a NULL that was counted wrong. The comment at the top of
	loader/libc/auxv.h has the drawing, and ElfW(auxv_t) in <elf.h> is one entry.
hint:
	The stack: a pointer to words. Behind the count, pass as many words as it says, and one for the
	NULL. Then pass words until one of them is NULL; the vector begins behind it. The vector:
	look at the type of each entry. AT_NULL: not here. The one that is wanted: a pointer
	to it. Any other, of whatever type: the next.
right: counts-nulls: the vector begins behind the second NULL, whatever argc says
	s/\tuintptr_t argc = \*slot\+\+;\n\n.*?\treturn \(const void \*\)\(slot \+ 1\);/\n\tslot++;\n\twhile (*slot++)\n\t\t;\n\twhile (*slot++)\n\t\t;\n\treturn (const void *)slot;/s
right: as-main-has-it: argv and envp as main() has them, and a loop that looks at both ends
	region:
	@keep /vdso_auxv_find/
	{
		while (auxv->a_type != type && auxv->a_type != AT_NULL)
			++auxv;
		return auxv->a_type == AT_NULL ? NULL : auxv;
	}
	
	@keep /vdso_auxv_from_stack/
	{
		const long argc = *(const long *)sp;
		char *const *argv = (char *const *)sp + 1;
		char *const *envp = argv + argc + 1;
		size_t i;
	
		for (i = 0; envp[i] != NULL; i++)
			;
		return (const ElfW(auxv_t) *)&envp[i + 1];
	}
mutant: one-word-early: the vector is said to begin at the environment's NULL
	says: the vector at slot 6
	says: this is about vdso_auxv_from_stack()
	s/\(slot \+ 1\)/slot/
mutant: past-the-end: AT_NULL does not end the walk
	says: this is about vdso_auxv_find()
	says: what follows are random bytes and strings
	s/auxv->a_type != AT_NULL/auxv/
mutant: an-environment-has-something: a word is passed before the first look at it
	says: env -i starts a program so
	s/while \(\*slot\) [^\n]*\n\t\tslot\+\+;/do {\n\t\tslot++;\n\t} while (*slot);/
mutant: crossed-out-is-the-end: AT_IGNORE is taken for the end
	says: valgrind makes AT_IGNORE of an entry
	s/auxv->a_type != AT_NULL/auxv->a_type > AT_IGNORE/
mutant: word-by-word: the vector is walked by words, not by pairs
	says: entries are pairs
	s/\tfor \(; auxv->a_type.*?\treturn NULL;/\tconst uintptr_t *word = (const void *)auxv;\n\n\tfor (; word[0] || word[1]; word++)\n\t\tif (*word == type)\n\t\t\treturn (const void *)word;\n\treturn NULL;/s
mutant: null-is-an-entry: AT_NULL can be asked for
	says: AT_NULL says that nothing follows
	s/\tfor \(; auxv->a_type.*?\treturn NULL;/\tfor (;; auxv++) {\n\t\tif (auxv->a_type == type)\n\t\t\treturn auxv;\n\t\tif (auxv->a_type == AT_NULL)\n\t\t\treturn NULL;\n\t}/s
mutant: arguments-alone: argc is not followed by a NULL
	says: this is about vdso_auxv_from_stack()
	s/argc \+ 1;/argc;/
stub:
	const ElfW(auxv_t) * vdso_auxv_find(const ElfW(auxv_t) * auxv, unsigned long type)
	{
		/* TODO: the first entry of this type, or NULL: there is none before AT_NULL. */
		(void)type;
		return auxv;
	}

	const ElfW(auxv_t) * vdso_auxv_from_stack(const void *sp)
	{
		/* TODO: sp points to argc. Behind it are argv and envp, and then the vector. */
		return sp;
	}
