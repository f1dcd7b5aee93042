# The names that the vDSO exports on x86-64, and the version they have.
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
right: two-lists: the plain names are a list of their own
	region:
	#ifdef VDSO_HAS_time
	#	define VDSO_TIME_NAMES         \
			__vdso_clock_gettime; __vdso_gettimeofday; __vdso_getcpu; \
			__vdso_time; __vdso_clock_getres;
	#	define VDSO_PLAIN_NAMES clock_gettime; gettimeofday; getcpu; time; clock_getres;
	#else
	#	define VDSO_TIME_NAMES
	#	define VDSO_PLAIN_NAMES
	#endif
	
	@keep /ifdef VDSO_HAS_random/ .. /^#endif/
	
	#define VDSO_VERSIONS LINUX_2.6 { \
		global: VDSO_PLAIN_NAMES VDSO_TIME_NAMES VDSO_RANDOM_NAMES local: *; };
right: by-a-pattern: all that has the prefix, and then the plain names
	s/\t\t__vdso_(?!getrandom)\w+; +\\\n//g; s/\t\t__vdso_clock_getres;\n/\t\t__vdso_*;\n/
mutant: nothing-is-hidden: what is not in the list is exported, too
	says: vdso_loaded_end is an address that the linker script made for itself
	s/^\tlocal: \*; +\\\n//m
mutant: another-machines-node: the node has the name that arm64 uses
	says: a C library for x86-64 asks for functions of LINUX_2.6
	s/LINUX_2\.6 \{    /LINUX_2.6.39 {/
mutant: no-plain-getcpu: one of the plain names is missing
	says: getcpu: not there
	s/^\t\tgetcpu; +\\\n//m
mutant: prefix-forgotten: one of the names is there without its prefix only
	says: __vdso_time: not there
	says: the program makes a system call each time
	s/^\t\t__vdso_time; +\\\n//m
mutant: all-is-global: the pattern stands among the global names
	says: nothing else is exported
	s/\tglobal: /\tglobal: *;/; s/^\tlocal: \*; +\\\n//m
mutant: two-nodes: the plain names have a node of their own
	says: there are two versions: the file itself, and one node
	s/\tLINUX_2\.6 \{  /\tLINUX_2.5 { global: getcpu; }; LINUX_2.6 {/; s/^\t\tgetcpu; +\\\n//m
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
