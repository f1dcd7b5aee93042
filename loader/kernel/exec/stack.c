/*
 * stack.c - see stack.h.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "kernel/base/page.h"
#include "kernel/base/random.h"
#include "kernel/exec/layout.h"
#include "kernel/exec/stack.h"

#define RANDOM_BYTES 16

/* Between the strings and what is below them the kernel leaves up to this many bytes. */
#define SP_RANDOM 8192

/* What the kernel lets every program have in arguments and environment. */
#define ARG_MAX_ALWAYS (128 << 10)

/* Writes strings from the top of the new stack downwards. */
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

/* Arguments, or an environment. */
struct strings {
	char **list;
	size_t count, size; /* size: of all of them, each with its end */
};

static struct strings measure(char **list)
{
	struct strings strings = {list, 0, 0};

	for (; list[strings.count]; strings.count++)
		strings.size += strlen(list[strings.count]) + 1;
	return strings;
}

/* Writes strings so that the first one gets the lowest address. */
static void write_strings(struct pen *pen, const struct strings *strings, uintptr_t *addresses)
{
	for (size_t i = strings->count; i-- > 0;)
		addresses[i] = write_down(pen, strings->list[i], strlen(strings->list[i]) + 1);
}

/* How far below the strings everything else is. */
static uintptr_t random_distance(void)
{
	uint16_t random;

	if (!layout_is_random(1) || random_bytes(&random, sizeof(random)))
		return 0;
	return random % SP_RANDOM;
}

/* The pointers in the vector whose targets move to the new stack, and the gap above these. */
static int write_targets(struct pen *pen, struct auxvec *vec)
{
	static const unsigned long names[] = {AT_BASE_PLATFORM, AT_PLATFORM};
	unsigned char random[RANDOM_BYTES];
	int err = 0;

	pen->at = (pen->at - random_distance()) & ~(uintptr_t)15;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = (const char *)auxvec_get(vec, names[i]);

		if (name)
			err |= auxvec_set(vec, names[i],
					  write_down(pen, name, strlen(name) + 1));
	}
	/* Fresh: stack canaries and pointer guards are made of it. */
	if (random_bytes(random, sizeof(random)))
		return -EIO;
	return err | auxvec_set(vec, AT_RANDOM, write_down(pen, random, sizeof(random)));
}

/*
 * The drawing in stack.h, from the program's path downwards; the path is written already.
 * Returns 0, or -errno.
 */
static int lay_out(struct first_stack *stack, struct pen *pen, const struct strings *args,
		   const struct strings *env, struct auxvec *vec)
{
	/* course: begin 10-programs */
	/*
	 * The words hold the addresses of the strings, and are known only when these are
	 * written. They are gathered at the bottom of the buffer, and moved at the end.
	 */
	uintptr_t *word = (uintptr_t *)stack->bytes;
	uintptr_t *argv = word + 1, *envp = argv + args->count + 1;
	uintptr_t *vector = envp + env->count + 1;
	size_t size;
	int err;

	stack->env_end = pen->at;
	write_strings(pen, env, envp);
	stack->env_start = stack->arg_end = pen->at;
	write_strings(pen, args, argv);
	stack->arg_start = pen->at;
	err = write_targets(pen, vec);
	if (err)
		return err;

	word[0] = args->count;
	argv[args->count] = 0;
	envp[env->count] = 0;
	stack->auxv_size = vec->count * sizeof(vec->pair[0]);
	memcpy(vector, vec->pair, stack->auxv_size);

	size = (size_t)((unsigned char *)vector - stack->bytes) + stack->auxv_size;
	stack->sp = (pen->at - size) & ~(uintptr_t)15;
	memmove(stack->bytes + (stack->sp - pen->base), stack->bytes, size);
	stack->auxv = stack->sp + size - stack->auxv_size;
	return 0;
	/* course: end 10-programs */
}

int stack_build(struct first_stack *stack, uintptr_t top, char **argv, char **envp,
		const char *execfn, struct auxvec *vec, struct error *error)
{
	struct strings args = measure(argv), env = measure(envp);
	size_t strings, words, slack = 512, execfn_size = strlen(execfn) + 1;
	size_t limit = ARG_MAX_ALWAYS;
	struct rlimit rlimit;
	struct pen pen;
	int err;

	strings = args.size + env.size + execfn_size + sizeof(uint64_t);
	words = 1 + args.count + 1 + env.count + 1 + 2 * AUXVEC_MAX;
	/* slack: platform names, random bytes, alignment. */
	stack->size = strings + words * sizeof(uintptr_t) + slack + SP_RANDOM;

	/* The kernel's limit for exec(3), so that the program has room left to run in. */
	if (!getrlimit(RLIMIT_STACK, &rlimit) && rlimit.rlim_cur / 4 > limit)
		limit = rlimit.rlim_cur / 4;
	if (strings + (args.count + env.count) * sizeof(uintptr_t) > limit)
		return error_cannot_run(error, execfn, "%s", strerror(E2BIG));

	stack->bytes = mmap(NULL, stack->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack->bytes == MAP_FAILED)
		return error_system(error, error_from("mmap"), execfn);
	pen = (struct pen){stack->bytes, top - stack->size, top};

	write_down(&pen, &(uint64_t){0}, sizeof(uint64_t));
	if (auxvec_set(vec, AT_EXECFN, write_down(&pen, execfn, execfn_size)))
		return error_self(error, -ENOSPC, execfn, "the vector is full");
	err = lay_out(stack, &pen, &args, &env, vec);
	if (err)
		return error_self(error, err, execfn, "cannot complete the vector");

	/* What is below sp is not needed. */
	pen.at = stack->sp - pen.base;
	munmap(stack->bytes, page_down(pen.at));
	stack->size -= pen.at;
	stack->bytes += pen.at;
	return 0;
}
