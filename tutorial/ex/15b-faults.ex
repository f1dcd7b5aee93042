# Five broken images, each to be named.
title: Five broken images
tier: deep
minutes: 30
needs: x86_64
file: tests/image/faults
tests: image/faults
build: all
red: a.so: what is wrong with it has its name
red: b.so: what is wrong with it has its name
red: c.so: what is wrong with it has its name
red: d.so: what is wrong with it has its name
red: e.so: what is wrong with it has its name
hint:
	Which programs die with it under the filter, and which call did they fall back to? What does
	every name of the good image have, that one of these has not? cmp -l says where two files
	differ, and readelf what lies there.
hint:
	readelf -lW: the segments. nm -D: names, addresses and versions; sort it by address.
	readelf -W --dyn-syms: sizes, too. readelf -VW: versions. readelf -W --debug-dump=frames-interp:
	how far a description goes. readelf -x .gnu.hash: the words that chapter 05 walks.
hint:
	Look at a good image and a bad one side by side, with diff and one tool after the other. What
	no tool shows as text is in the hash table: of its chain one word is not the hash of the name
	whose place it has.
right: as-the-tools-write-it: the version behind a name, as nm has it, and LOAD, as readelf says
	s/(__vdso_\w+)/$1\@\@LINUX_2.6/g; s/PT_LOAD/LOAD/
right: in-the-order-found: another order, with blanks and a comment
	s/(a: [^\n]*\n)(.*?)(?=# course|\z)/$2  $1/s; s/b: writable/# readelf -lW\n\tb:   writable  /
right: by-the-other-name: an address is described, so either name of it will do
	s/unwind __vdso_time/unwind time/; s/address getcpu/address getcpu()/; s/^([a-e]):/$1.so:/mg
mutant: a-word-of-its-own: the fault has a name that is not in the list
	says: "cfi" is none of the words at the top
	s/unwind/cfi/
mutant: what-nm-shows: a name that nm shows is taken to be found
	says: they do not find a function that nm -D shows
	s/hash-chain __vdso_clock_gettime/version __vdso_clock_gettime/
mutant: the-other-name: the name that still leads to the right place
	says: the word is right, and what it is said of is not
	s/address getcpu/address __vdso_getcpu/
mutant: the-neighbour: the function before the one that is not described
	says: the word is right, and what it is said of is not
	s/unwind __vdso_time/unwind __vdso_getcpu/
mutant: hidden: what is not found is taken to be hidden
	says: nm -D shows a line that is not like the others
	s/version __vdso_gettimeofday/hidden __vdso_gettimeofday/
mutant: longer: what leads elsewhere is taken to be too long
	says: two names of one function do not lead to the same place
	s/address getcpu/size getcpu/
stub:
	# TODO: what is wrong with each, and with what of it.
	a:
	b:
	c:
	d:
	e:
