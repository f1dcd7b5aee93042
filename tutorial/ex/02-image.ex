# The program headers of the image, and two of the rules that stop a build.
title: The image: an ELF file no one loads from disk
tier: core
minutes: 30
file: linker-scripts/vdso-layout.lds.h
tests: image/segments
red: there is one LOAD, from the first byte of the file, and so with the ELF header in it
red: it may be read and executed, and nobody may write to it
red: what else is named in it may be read, and no more
red: a counter, which begins as 0, stops the build
red: a variable with a value stops the build
hint:
	What does somebody need who has only the address of the image in memory, and no file?
	Which of it lies before the first section? And who of all processes may write to it?
	For the rules: where does a compiler put "static int calls;", and where "static int id = 7;"?
hint:
	readelf -lW build/x86_64/vdso.so shows what you are to arrive at.
	The flags of a segment are those of elf(5): PF_X is 1, PF_W is 2, PF_R is 4. They are added.
	The manual of ld, "info ld" or on the web, has a section PHDRS: two words there put the headers
	of the file into a segment. And the rule no-tls, just below, is a pattern for the other two.
hint:
	The first line takes both words, for the header of the file and for the program headers, and the
	number for "read and execute". The three others take the number for "read", and nothing else.
	Each of the two rules asks that a section has no bytes, and says its name, and why, if it has.
right: flags-first: the words in another order, the flags as sums, one rule with two parts
	s/PT_LOAD FLAGS\(5\) FILEHDR PHDRS;/PT_LOAD PHDRS FILEHDR FLAGS(4 + 1);/;
	s/FLAGS\(4\)/FLAGS(0x4)/g;
	s/ASSERT\(SIZEOF\(\.data\) == 0, [^\n]*\nASSERT[^\n]*\n/ASSERT(!(SIZEOF(.data) || SIZEOF(.bss)), "there is a variable in .data or .bss")\n/
right: below-one: the size is compared with another number, and read is written as PF_R
	s/SIZEOF\(\.bss\) == 0/SIZEOF(.bss) < 1/;
	s/SIZEOF\(\.data\) == 0/ADDR(.data) + SIZEOF(.data) == ADDR(.data)/;
	s/FLAGS\(5\)/FLAGS(1 | 4)/
right: file-header: FILEHDR alone, since what lies between it and the first section is in it, too
	s/FILEHDR PHDRS/FILEHDR/
mutant: headers-left-out: the headers are in the file, and in no segment
	says: If the header is not in it
	s/ FILEHDR PHDRS//
mutant: dynamic-writable: PT_DYNAMIC may be written, as a linker makes it by itself
	says: glibc writes addresses into a DYNAMIC that says it may be written
	s/PT_DYNAMIC FLAGS\(4\)/PT_DYNAMIC FLAGS(6)/
mutant: not-executable: the code may only be read
	says: SIGSEGV at the first call
	s/PT_LOAD FLAGS\(5\)/PT_LOAD FLAGS(4)/
mutant: one-rule: there is a rule for .data, and none for .bss
	says: it lies in .bss
	s/ASSERT\(SIZEOF\(\.bss\) == 0/ASSERT(SIZEOF(.bss) >= 0/
mutant: other-rule: there is a rule for .bss, and none for .data
	says: it lies in .data
	s/ASSERT\(SIZEOF\(\.data\) == 0[^\n]*\n//
mutant: all-executable: what only points into the code may be executed, too
	says: these are lists that somebody reads
	s/FLAGS\(4\)/FLAGS(5)/g
mutant: one-header: the program headers are in the segment, and the file header is not
	says: If the header is not in it
	s/FILEHDR PHDRS/PHDRS/
stub:
	PHDRS
	{
		/*
		 * TODO: four segments, and for each: what may be done with it? And what must be
		 * in the first one that no section holds?
		 */
		text         PT_LOAD FLAGS(6);
		dynamic      PT_DYNAMIC FLAGS(6);
		note         PT_NOTE FLAGS(6);
		eh_frame_hdr PT_GNU_EH_FRAME FLAGS(6);
	}

	@keep /^.. The rules/
	/* TODO: the image has no writable data. Two rules are missing: one for .data, one for .bss. */
