# The names that the page exports on x86-64, and the version they have.
title: Version nodes
tier: core
minutes: 25
file: linker-scripts/x86_64.lds.S
tests: image/versions
red: there are two versions: the file itself, and one node
red: the node has the hash of that name
red: six functions are exported with that version, each with the prefix __vdso_
red: each has its plain name, too: weak, and the same function
red: nothing else is exported
hint:
	What stands before the brace of a version node, and what may stand in it beside global?
	A name that is in no list: is it exported or hidden, if nobody says?
	And if you now hide the rest: which names were exported only because nobody said?
hint:
	readelf -WV and nm -D on build/x86_64/vdso.so show what you are to arrive at, and on
	work/.trees/03-versions/build/x86_64/vdso.so what you have. linker-scripts/aarch64.lds.S
	has a node of another name. The weak names are already in the objects: EXPORT makes them, in vdso.h.
hint:
	The node gets its name, the one that the tests print. After the global names comes a second
	part of it, with a pattern that fits whatever is left. Then the list of the time functions must
	be twice as long: each once with the prefix, once without. Each line but the last ends in a
	backslash, as it does now.
mutant: nothing-is-hidden: what is not in the list is exported, too
	s/^\tlocal: \*; +\\\n//m
mutant: another-machines-node: the node has the name that arm64 uses
	s/LINUX_2\.6 \{    /LINUX_2.6.39 {/
mutant: no-plain-getcpu: one of the plain names is missing
	s/^\t\tgetcpu; +\\\n//m
mutant: prefix-forgotten: one of the names is there without its prefix only
	s/^\t\t__vdso_time; +\\\n//m
stub:
	#ifdef VDSO_HAS_time
	#	define VDSO_TIME_NAMES         \
			__vdso_clock_gettime;   \
			__vdso_gettimeofday;    \
			__vdso_getcpu;          \
			__vdso_time;            \
			__vdso_clock_getres;
	#else
	#	define VDSO_TIME_NAMES
	#endif

	@keep /ifdef VDSO_HAS_random/ .. /^#endif/

	/*
	 * TODO: a node without a name gives no version, and what it does not list is exported as it
	 * is. Give it its name, hide the rest, and see what is missing then.
	 */
	#define VDSO_VERSIONS                   \
		{                               \
		global:                         \
			VDSO_TIME_NAMES         \
			VDSO_RANDOM_NAMES       \
		};
