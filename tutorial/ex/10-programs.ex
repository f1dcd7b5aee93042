# The words of the first stack. The strings above them are written already.
title: Running programs that never heard of us
tier: core
minutes: 35
file: loader/kernel/exec/stack.c
tests: exec/stack
red: the first word is the number of the arguments
red: after it come pointers to the arguments, and a NULL
red: after them come pointers to the environment, and a NULL
red: behind the second NULL lies the vector, from the vDSO's address to AT_NULL
red: the stack pointer is a multiple of 16, however many words there are
red: the strings lie in order and without gaps: arguments, then environment
hint:
	Which three lists are there, and what does each of them end with? Who writes that end?
	Where do the pointers of the first two lie at the moment, and where will the program look?
hint:
	The drawing is in loader/kernel/exec/stack.h; struct first_stack there says what else is wanted.
	A pen has the address that a byte will have, pen->at, and knows where the buffer begins for
	it, pen->base: the difference of two addresses is the same in both. memmove(3) may overlap.
hint:
	At the bottom of the buffer: the count, then the pointers that are there, with a zero behind each
	list, then the pairs of the vector with the last one. Count the bytes of all that. The stack
	pointer is so much below what was written last, rounded down.
	Move the bytes to where it is in the buffer. The vector is the last of them.
mutant: misaligned: the stack pointer is not rounded
	s/ & ~\(uintptr_t\)15//
mutant: no-end: the vector is copied without its AT_NULL
	s/auxv_size = vec->count \*/auxv_size = (vec->count - 1) */
mutant: one-null: there is no NULL between environment and vector
	s/envp \+ env->count \+ 1;/envp + env->count;/
mutant: environment-below: arguments are written first, so above the environment
	s/write_strings\(pen, env, envp\);(.*?)write_strings\(pen, args, argv\);/write_strings(pen, args, argv);$1write_strings(pen, env, envp);/s
stub:
		@keep /^\t.\*$/ .. /uintptr_t \*argv/
		int err;

		@keep /env_end/ .. /return err;/

		/*
		 * TODO: the strings are written, and the pointers to them gathered. Missing are the
		 * count, the ends of the two lists, and the vector; the place of the stack pointer;
		 * and all these words in that place.
		 */
		stack->sp = pen->at - 256;
		stack->auxv = stack->sp;
		stack->auxv_size = 0;
		return 0;
