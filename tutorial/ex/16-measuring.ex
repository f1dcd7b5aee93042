# A function of the learner's choice: promise, code and caller. The test does not know which.
title: Measuring, and a function of your own
tier: deep
minutes: 45
needs: x86_64
file: vdso-src/own.c
tests: image/own
red: a function is exported that the image did not have, with the prefix __vdso_
red: it has a version of its own, in which nobody else has promised anything
red: beside it there is its plain name: weak, the same function, and not one of the C library
red: its promise is written down: how it is called, and which system call answers in its place
red: the image still fits into two pages
red: a program that knows its name and version finds it, and the answer is right
red: in a time namespace the answer is right, too
red: without a usable counter it falls back to a system call
red: when nobody keeps the data page any more, it falls back, too
red: as long as the data page has the answer, it makes no system call
red: the program notices a function that gives the same answer for ever, and says what is wrong
red: with another version it is not taken, and where there is none the program answers all the same
red: a call costs less than half of the system call
hint:
	Who could need it, and how often? Where is the answer now: in the data page, in a register?
	Which system call knows it as well? What would your function say in a time namespace, and
	what when the data page has no answer? Who asks for it, by which name and which version?
hint:
	tutorial/change-the-vdso.md adds a function step by step; vdso-src/getcpu.c is the shortest one
	that there is, and the end of vdso-src/gettime.c has one that asks another for what it does
	not know. linker-scripts/i386.lds.S has two nodes. tests/lib/caller.h says what the program
	brings. build/uvdso symbols build/x86_64/own/x86_64/vdso.so, in work/.trees/16-measuring,
	lists what you export.
hint:
	The node has a name of your own, below it global with two names, and the comment above the
	prototype and the system call. EXPORT(type, name, (arguments)) is the function; at an odd
	number it leaves the data page alone and calls __vdso_clock_gettime, which is in the same image
	and knows all that can be the matter. The program looks the name up with dlvsym(), asks the
	C library before and after, and compares; each of the three loops asks somebody else.
right: plain-name: the program asks for the plain name
	s/"__vdso_coarse_ns"/"coarse_ns"/
right: tries-again: a copy that an update has changed is taken once more
	s/\tu32 seq = vdso_read_begin\(vd\);\n/\tu32 seq;\n\tint tries = 0;\n/; s/(\tstruct answer now;\n)\n/$1\nagain:\n\tseq = vdso_read_begin(vd);\n/; s/(\tif \(unlikely\(seq & 1)/\tif (!(seq & 1) && vdso_read_retry(vd, seq) && ++tries < 10)\n\t\tgoto again;\n$1/
right: hides-the-rest: the node has a local part, too
	s/\t\tcoarse_ns;  /\t\tcoarse_ns; local: *; /
mutant: version-of-linux: the node has a name that is Linux's to give
	says: LINUX_2.7
	says: a promise of Linux
	s/UVDSO_1/LINUX_2.7/g
mutant: no-plain-name: the node lists one of the two names
	says: coarse_ns: not there
	says: EXPORT makes both names, and the node lists both
	s/^\t\tcoarse_ns; +\\\n//m
mutant: no-fallback: an odd number is taken as an answer
	says: there the first page has offsets
	s/seq & 1 \|\| //
mutant: believes-all: the program does not compare
	says: a thousand right answers
	says: whatever is_right() cannot tell from the truth, nobody has tested
	s/before <= now && now <= after/before + now + after/
mutant: above-zero: every answer above 0 is taken for right
	says: with 12345678 a thousand right answers
	s/before <= now && now <= after/now > 0 * (before + after)/
mutant: never-asked: what is measured is a loop that calls nobody
	says: to call it so often
	says: what is not called makes no system call
	s/(void ask_vdso.*?\n\{\n).*?\n\}/$1\t(void)function;\n\twhile (calls-- > 0)\n\t\t;\n}/s
mutant: the-kernel-at-once: where the number is odd it makes the system call itself
	s/VDSO_PREFIX\(clock_gettime\)\(VDSO_CLOCK_MONOTONIC_COARSE, &now\)/arch_syscall2(ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_MONOTONIC_COARSE, (long)&now)/
mutant: waits-for-even: it begins again until the number is even
	says: whoever waits needs an end
	s/u32 seq = vdso_read_begin\(vd\);/u32 seq;/; s/(\tstruct answer now;\n)/$1\n\tdo\n\t\tseq = vdso_read_begin(vd);\n\twhile (seq & 1);\n/
stub:
	#if defined(__ASSEMBLER__)
	/* TODO: what you promise, and a version node with its two names. */
	#define VDSO_OWN_VERSIONS

	#elif !__STDC_HOSTED__
	/* In the image. */
	#include "vdso.h"

	/* TODO: the function. EXPORT() makes both names; and what if the data page has no answer? */

	#else
	/* A program. */
	#include <stddef.h>

	/* TODO: ask for it, compare, and live without it. tests/lib/caller.h says what each is for. */
	void *find(void)
	{
		return NULL;
	}

	bool is_right(void *function)
	{
		return !function;
	}

	void show(void *function)
	{
		(void)function;
	}

	void ask_vdso(void *function, long calls)
	{
		(void)function;
		(void)calls;
	}

	void ask_libc(long calls)
	{
		(void)calls;
	}

	void ask_kernel(long calls)
	{
		(void)calls;
	}
	#endif
