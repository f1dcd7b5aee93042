# The first green: the answer is there, behind two slashes.
title: Setup, and a first green
tier: core
minutes: 10
file: vdso-src/getcpu.c
tests: vdso/fake
red: getcpu() gives CPU and node
red: getcpu() gives the one that is asked for, where another pointer is NULL
hint:
	Read the failure: which of the two numbers came, and which did not?
	What is in your copy that the compiler never sees?
hint:
	In your copy of getcpu.c one line does nothing, whatever it looks like.
	The node, just below it, is stored by a line that does.
hint:
	Take the two slashes away from the line that stores the CPU, save, and make check CH=00.
right: early: the pointer is compared, and the number goes through a variable
	s/\tif \(cpu\)\n\t\t\*cpu = both & ARCH_CPU_MASK;/\tconst u32 number = both & ARCH_CPU_MASK;\n\n\tif (cpu != NULL) {\n\t\t*cpu = number;\n\t}/
mutant: the-node-for-the-cpu: the node is given for the CPU
	says: an allocator with a list for each CPU takes from the wrong one
	s/both & ARCH_CPU_MASK/both >> ARCH_NODE_SHIFT/
mutant: at-null: it stores where the caller has given no pointer
	says: a pointer that is NULL was followed
	s/if \(cpu\)\n\t\t/if (1)\n\t\t/
stub:
		if (cpu) {
			/* TODO: take the two slashes away. */
			// *cpu = both & ARCH_CPU_MASK;
		}
