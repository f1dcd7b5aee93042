# The vector of a program that stands still: found from outside, and one value of it changed.
title: The vector of somebody else
tier: deep
minutes: 30
needs: ptrace
file: loader/kernel/ptrace/inject.c
tests: ptrace/inject
red: the vector of a new program leads to our page
red: of its stack, nothing but that one value has changed
red: also behind an environment of 3000 variables
red: also where the stack ends a few hundred bytes above
red: the program runs, finds our page and asks it
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
mutant: first-null: the vector is looked for behind the arguments
	s/\+\+nulls == 2/++nulls == 1/
mutant: all-or-nothing: a read that goes beyond the stack is given up
	s/words \/= 2/words = 0/
mutant: one-piece: only the first piece of the stack is searched
	s/at - sp < 64ul << 20/at - sp < sizeof(word)/
mutant: the-type: the address is written over the type
	s/pair\.a_un\.a_val = value/pair.a_type = value/
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
	static int rewrite_entry(pid_t pid, uintptr_t vector, const struct auxvec *vec,
				 unsigned long type, uintptr_t value)
	{
		(void)pid, (void)vector, (void)vec, (void)type, (void)value;
		return -ENOENT;
	}
