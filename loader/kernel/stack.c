/*
 * stack.c - see stack.h.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "stack.h"

#define RANDOM_BYTES 16

/* The kernel moves the first stack pointer by up to this many bytes, at random. */
#define SP_RANDOM 8192

/* What the kernel lets every program have in arguments and environment. */
#define ARG_MAX_ALWAYS (128 << 10)

/* A pen that writes strings from the top of the new stack downwards. */
struct pen {
	unsigned char *bytes; /* of the buffer */
	uintptr_t base;       /* the final address of bytes[0] */
	uintptr_t at;         /* the final address of what was written last */
};

static uintptr_t write_down(struct pen *pen, const void *from, size_t size)
{
	pen->at -= size;
	memcpy(pen->bytes + (pen->at - pen->base), from, size);
	return pen->at;
}

static size_t strings_size(char **list, size_t *count)
{
	size_t size = 0;

	for (*count = 0; list[*count]; (*count)++)
		size += strlen(list[*count]) + 1;
	return size;
}

/* Writes a list of strings so that the first one gets the lowest address. */
static void write_strings(struct pen *pen, char **list, size_t count, uintptr_t *addresses)
{
	while (count-- > 0)
		addresses[count] = write_down(pen, list[count], strlen(list[count]) + 1);
}

/* The pointers in the vector whose targets move to the new stack. */
static int write_targets(struct pen *pen, struct auxvec *vec)
{
	static const unsigned long names[] = {AT_BASE_PLATFORM, AT_PLATFORM};
	unsigned char random[RANDOM_BYTES];
	int err = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = (const char *)auxvec_get(vec, names[i]);

		if (name)
			err |= auxvec_set(vec, names[i],
					  write_down(pen, name, strlen(name) + 1));
	}
	/* Fresh: stack canaries and pointer guards are made of it. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	return err | auxvec_set(vec, AT_RANDOM, write_down(pen, random, sizeof(random)));
}

int stack_build(struct first_stack *stack, uintptr_t top, char **argv, char **envp,
		const char *execfn, struct auxvec *vec, struct run_error *error)
{
	size_t argc, envc, strings, words, slack = 512, execfn_size = strlen(execfn) + 1;
	size_t limit = ARG_MAX_ALWAYS;
	struct rlimit rlimit;
	uint16_t random = 0;
	uintptr_t *word;
	struct pen pen;

	strings = strings_size(argv, &argc) + execfn_size + sizeof(uint64_t);
	strings += strings_size(envp, &envc);
	words = 1 + argc + 1 + envc + 1 + 2 * AUXVEC_MAX;
	/* slack: platform names, random bytes, alignment. */
	stack->size = strings + words * sizeof(*word) + slack + SP_RANDOM;

	/* The kernel's limit for exec(3), so that the program has room left to run in. */
	if (!getrlimit(RLIMIT_STACK, &rlimit) && rlimit.rlim_cur / 4 > limit)
		limit = rlimit.rlim_cur / 4;
	if (strings + (argc + envc) * sizeof(*word) > limit)
		return run_fail(error, RUN_CANNOT_RUN, execfn, "%s", strerror(E2BIG));

	stack->bytes = mmap(NULL, stack->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack->bytes == MAP_FAILED)
		return run_fail(error, RUN_SELF, execfn, "%s", strerror(errno));
	pen = (struct pen){stack->bytes, top - stack->size, top};

	write_down(&pen, &(uint64_t){0}, sizeof(uint64_t));
	if (auxvec_set(vec, AT_EXECFN, write_down(&pen, execfn, execfn_size)))
		return run_fail(error, RUN_SELF, execfn, "the vector is full");

	/* The lists of pointers need the strings' addresses, so the words come last. */
	word = (uintptr_t *)stack->bytes;
	stack->env_end = pen.at;
	write_strings(&pen, envp, envc, word + 1 + argc + 1);
	stack->env_start = stack->arg_end = pen.at;
	write_strings(&pen, argv, argc, word + 1);
	stack->arg_start = pen.at;
	if (write_targets(&pen, vec))
		return run_fail(error, RUN_SELF, execfn, "cannot complete the vector");

	word[0] = argc;
	word[1 + argc] = 0;
	word[1 + argc + 1 + envc] = 0;
	words = 1 + argc + 1 + envc + 1;
	stack->auxv_size = vec->count * sizeof(vec->pair[0]);
	memcpy(word + words, vec->pair, stack->auxv_size);
	words = words * sizeof(*word) + stack->auxv_size;

	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) &&
	    getrandom(&random, sizeof(random), 0) == sizeof(random))
		random %= SP_RANDOM;
	stack->sp = (pen.at - words - random) & ~(uintptr_t)15;
	memmove(stack->bytes + (stack->sp - pen.base), stack->bytes, words);
	stack->auxv = stack->sp + words - stack->auxv_size;

	/* What is below sp stays behind. */
	pen.at = stack->sp - pen.base;
	munmap(stack->bytes, pen.at & ~4095ul);
	stack->size -= pen.at;
	stack->bytes += pen.at;
	return 0;
}
