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
red: what was written before lies above all that, and is whole
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
right: word-by-word: the vector is copied pair by pair, and the place found by a remainder
	s/\tmemcpy\(vector, vec->pair, stack->auxv_size\);\n/\tfor (size_t i = 0; i < vec->count; i++) {\n\t\tvector[2 * i] = vec->pair[i].a_type;\n\t\tvector[2 * i + 1] = vec->pair[i].a_un.a_val;\n\t}\n/;
	s/stack->sp = \(pen->at - size\) & ~\(uintptr_t\)15;/stack->sp = pen->at - size;\n\tstack->sp -= stack->sp % 16;/;
	s/stack->auxv = [^;]*;/stack->auxv = stack->sp + (uintptr_t)((unsigned char *)vector - stack->bytes);/
right: from-the-top: the words go one by one to where they belong
	region:
		@keep /^\t.\*$/ .. /uintptr_t \*argv/
		size_t words = 1 + args->count + 1 + env->count + 1 + 2 * vec->count;
		uintptr_t *to;
		int err;
	
		@keep /env_end/ .. /return err;/
	
		stack->sp = (pen->at - words * sizeof(*word)) / 16 * 16;
		to = (uintptr_t *)(stack->bytes + (stack->sp - pen->base));
		*to++ = args->count;
		for (size_t i = 0; i < args->count; i++)
			*to++ = argv[i];
		*to++ = 0;
		for (size_t i = 0; i < env->count; i++)
			*to++ = envp[i];
		*to++ = 0;
		stack->auxv = stack->sp + (words - 2 * vec->count) * sizeof(*word);
		stack->auxv_size = 2 * vec->count * sizeof(*word);
		memcpy(to, vec->pair, stack->auxv_size);
		return 0;
mutant: misaligned: the stack pointer is not rounded
	says: A program dies at the first store of two words
	s/ & ~\(uintptr_t\)15//
mutant: rounded-up: the stack pointer is rounded up, over the random bytes
	says: If sp is rounded up
	s/\(pen->at - size\) & /(pen->at - size + 15) & /
mutant: no-end: the vector is copied without its AT_NULL
	says: reads on until AT_NULL
	s/auxv_size = vec->count \*/auxv_size = (vec->count - 1) */
mutant: one-null: there is no NULL between environment and vector
	says: getenv() goes through this list up to its NULL
	s/envp \+ env->count \+ 1;/envp + env->count;/
mutant: arguments-without-end: nobody writes the NULL behind the arguments
	says: argv, and a NULL ends it
	s/\targv\[args->count\] = 0;\n//
mutant: environment-without-end: nobody writes the NULL behind the environment
	says: up to its NULL, and there the vector begins
	s/\tenvp\[env->count\] = 0;\n//
mutant: environment-below: arguments are written first, so above the environment
	says: ps(1) shows these bytes
	s/write_strings\(pen, env, envp\);(.*?)write_strings\(pen, args, argv\);/write_strings(pen, args, argv);$1write_strings(pen, env, envp);/s
mutant: moved-elsewhere: the words are moved to where they would be if nothing were rounded
	says: this is the first step
	s/memmove\(stack->bytes \+ \(stack->sp - pen->base\)/memmove(stack->bytes + (pen->at - size - pen->base)/
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
