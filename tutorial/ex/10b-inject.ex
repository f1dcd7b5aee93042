# The vector of a program that stands still: found from outside, and one value of it changed.
title: The vector of somebody else
tier: deep
minutes: 30
needs: ptrace
file: loader/kernel/ptrace/inject.c
tests: ptrace/inject
red: the vector of a new program leads to our vDSO
red: of its stack, nothing but that one value has changed
red: also behind an environment of 3000 variables
red: also where the stack ends a few hundred bytes above
red: an entry that must go becomes one that is ignored
red: the program runs, finds our vDSO and asks it
hint:
	What is there between the stack pointer and the vector? What does it end with, each time?
	How much of a stack may you read at once, if you do not know where it ends?
hint:
	loader/kernel/exec/stack.h has the drawing. traced_read() reads all that it is asked for, or fails;
	a read that fails may succeed if it is shorter. execve(2) accepts arguments and environment of some
	megabytes, so the search needs an end, and a piece of the stack at a time is enough.
hint:
	Begin at the word after the count, and go on piece by piece: a read that fails is halved until it
	succeeds, and if nothing can be read there is no vector. The second NULL ends the search: the vector
	is what comes next. In it, look at one pair at a time, as many as vec has; it is the type that
	must fit, and the value that gets the new address. Nothing else is written.
right: by-the-count: the arguments are skipped by their number, and only one NULL is looked for
	region:
	static uintptr_t find_vector(pid_t pid, uintptr_t sp)
	{
		uintptr_t argc, word;
	
		if (traced_read(pid, sp, &argc, sizeof(argc)) || argc > 1 << 20)
			return 0;
		sp += (1 + argc + 1) * sizeof(word);
		for (unsigned left = 1 << 20; left; left--, sp += sizeof(word)) {
			if (traced_read(pid, sp, &word, sizeof(word)))
				return 0;
			if (!word)
				return sp + sizeof(word);
		}
		return 0;
	}
	
	int inject_rewrite_entry(pid_t pid, uintptr_t vector, const struct auxvec *vec,
				 unsigned long type, uintptr_t value)
	{
		uintptr_t word, end = vector + vec->count * 2 * sizeof(word);
		uintptr_t ignore = AT_IGNORE;
		int err;
	
		for (; vector < end; vector += 2 * sizeof(word)) {
			err = traced_read(pid, vector, &word, sizeof(word));
			if (err)
				return err;
			if (word == AT_NULL)
				break;
			if (word != type)
				continue;
			return value ? traced_write(pid, vector + sizeof(word), &value, sizeof(value))
				     : traced_write(pid, vector, &ignore, sizeof(ignore));
		}
		return -ENOENT;
	}
mutant: first-null: the vector is looked for behind the arguments
	says: from the stack pointer, behind the second NULL
	s/\+\+nulls == 2/++nulls == 1/
mutant: all-or-nothing: a read that goes beyond the stack is given up
	says: a read that goes beyond the end of the stack fails as a whole
	s/words \/= 2/words = 0/
mutant: one-piece: only the first piece of the stack is searched
	says: execve(2) accepts as many
	s/at - sp < 64ul << 20/at - sp < sizeof(word)/
mutant: the-type: the address is written over the type
	says: it was the type that has changed
	s/pair\.a_un\.a_val = value/pair.a_type = value/
mutant: an-address-of-0: without a value the entry gets the value 0
	says: a call to address 0
	s/\t\tif \(!value\)\n[^\n]*\n//
mutant: a-word-too-many: another entry is changed, too
	says: whatever else stands there is the program's own
	s/\tfor \(size_t i = 0; i \+ 1 < vec->count; i\+\+\) \{(.*?)if \(pair\.a_type != type\)/\tuintptr_t second = vector + sizeof(uintptr_t);\n\n\ttraced_write(pid, second + 2 * sizeof(second), &second, sizeof(second));\n\tfor (size_t i = 0; i + 1 < vec->count; i++) {$1if (pair.a_type != type)/s
stub:
	/*
	 * TODO: where the vector begins on the stack that sp points to, in the memory of pid; 0 if
	 * there is none.
	 */
	static uintptr_t find_vector(pid_t pid, uintptr_t sp)
	{
		(void)pid;
		return sp;
	}

	/*
	 * TODO: lets the entry of this type have this value; without a value (0) it becomes one
	 * that is ignored (AT_IGNORE). The vector has the pairs of vec. Returns 0, what traced_read()
	 * or traced_write() say, or -ENOENT if it has no such pair.
	 */
	@keep /^int inject_rewrite/ .. /uintptr_t value\)/
	{
		(void)pid, (void)vector, (void)vec, (void)type, (void)value;
		return -ENOENT;
	}
