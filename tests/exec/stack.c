/*
 * stack.c - the first stack of a program, read as a program reads it.
 *
 * The stack is built for an address that nobody has mapped, and looked at in the buffer
 * that it will be copied from: so a wrong pointer in it is a point that fails, and no crash.
 * The rules are in the order in which a C library's first lines run into them. start.c and
 * exec/start.t ask a real program what it has found.
 */
#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/exec/stack.h"
#include "libc/auxv.h"
#include "tap.h"

#define TOP  0x7ffff000ul
#define MANY 9 /* builds: enough that no rule is kept by luck */
#define EHDR 0x7e003000ul

/*
 * The buffer is mapped, and fresh memory is zero: there a NULL that nobody has written would be
 * right by luck. So what is mapped here is full of something else.
 */
void *mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
#ifdef SYS_mmap2
	void *got = (void *)syscall(SYS_mmap2, address, length, prot, flags, fd, offset / 4096);
#else
	void *got = (void *)syscall(SYS_mmap, address, length, prot, flags, fd, offset);
#endif

	if (got != MAP_FAILED && flags & MAP_ANONYMOUS && prot & PROT_WRITE)
		memset(got, 0x5a, length);
	return got;
}

static char *no_strings[] = {NULL};
static char *arguments[] = {"date", "-u", "", "+%s", NULL};
static char *variables[] = {"HOME=/root", "TZ=UTC", "A=", NULL};
static char path[] = "/bin/date", machine[] = "x86_64";

static struct first_stack stack;
static struct auxvec vec;
static uintptr_t end; /* of what was built, as the new program will know it */

static void fill_vector(void)
{
	const ElfW(auxv_t) pairs[] = {
		{AT_SYSINFO_EHDR, {EHDR}},
		{AT_PAGESZ, {4096}},
		{AT_PHDR, {0x400040}},
		{AT_RANDOM, {0}},
		{AT_PLATFORM, {(uintptr_t)machine}},
		{AT_NULL, {0}},
	};

	memcpy(vec.pair, pairs, sizeof(pairs));
	vec.count = sizeof(pairs) / sizeof(pairs[0]);
}

static void drop(void)
{
	uintptr_t page = (uintptr_t)stack.bytes & ~4095ul;

	if (stack.bytes)
		munmap((void *)page, (uintptr_t)stack.bytes + stack.size - page);
	stack = (struct first_stack){.bytes = NULL};
}

/* A store that went to an address of the new program, where there is nothing. */
static void fault(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	ok(false, "the stack is put together in the buffer, and nowhere else");
	expected("loads and stores in the buffer: stack->bytes");
	but_got("one at %p", info->si_addr);
	because("sp, base and at of the pen are addresses as the new program will know them. "
		"Until it is copied there, a byte lies so far behind stack->bytes as its "
		"address is above pen->base");
	exit(done_testing());
}

static void build(char **argv, char **envp)
{
	struct error error;

	fill_vector();
	drop();
	if (stack_build(&stack, TOP, argv, envp, path, &vec, &error))
		bail_out("it was not built: %s", error.why);
	end = stack.sp + stack.size;
}

/*
 * What lies at an address of the new program: size bytes, or NULL if they are not its stack's.
 */
static const void *at(uintptr_t address, size_t size)
{
	if (address < stack.sp || address > end || end - address < size)
		return NULL;
	return stack.bytes + (address - stack.sp);
}

/* A word of it. The stack pointer may be any number, so it is copied. */
static bool word_at(uintptr_t address, uintptr_t *word)
{
	const void *it = at(address, sizeof(*word));

	if (it)
		memcpy(word, it, sizeof(*word));
	return it;
}

static uintptr_t word(size_t number)
{
	uintptr_t word = 0;

	word_at(stack.sp + number * sizeof(word), &word);
	return word;
}

static const char *string(uintptr_t address)
{
	const char *it = at(address, 1);

	return it && memchr(it, 0, end - address) ? it : "(not on the stack)";
}

/* Are these the pointers from word number on, and a NULL? The first that is not, or -1. */
static int first_wrong(size_t number, char **list)
{
	int i = 0;

	for (; list[i]; i++)
		if (strcmp(string(word(number + (size_t)i)), list[i]))
			return i;
	return word(number + (size_t)i) == 0 ? -1 : i;
}

/* A point: pointers from word number on, as first_wrong() has them. False if it fails. */
static bool pointers(const char *name, size_t number, char **list, const char *what)
{
	int wrong = first_wrong(number, list);
	uintptr_t got = wrong < 0 ? 0 : word(number + (size_t)wrong);

	if (ok(wrong < 0, "%s", what))
		return true;
	expected("%s[%d]: %s", name, wrong, list[wrong] ? list[wrong] : "NULL, the end");
	but_got("%#lx: %s", (unsigned long)got, got ? string(got) : "NULL");
	return false;
}

static void test_count(void)
{
	build(arguments, variables);
	if (!is(word(0), 4, "the first word is the number of the arguments"))
		because("a program begins with nothing but a stack pointer. All else is found "
			"by going up from there, and this is the first step");
}

static void test_arguments(void)
{
	build(arguments, variables);
	if (!pointers("argv", 1, arguments,
		      "after it come pointers to the arguments, and a NULL"))
		because("main() gets the address of this list as its argv, and a NULL ends it. "
			"(The buffer of this test is not zero where nobody has written.)");
}

static void test_environment(void)
{
	build(arguments, variables);
	if (pointers("envp", 1 + 4 + 1, variables,
		     "after them come pointers to the environment, and a NULL"))
		return;
	because("getenv() goes through this list up to its NULL, and there the vector begins. "
		"(The "
		"buffer of this test is not zero where nobody has written.)");
}

/* Behind the second NULL, found as loader/libc/auxv.c finds it, but within the stack. */
static uintptr_t find_vector(void)
{
	unsigned nulls = 0;
	uintptr_t word;

	for (uintptr_t address = stack.sp + sizeof(word); word_at(address, &word);
	     address += sizeof(word))
		if (word == 0 && ++nulls == 2)
			return address + sizeof(word);
	return end;
}

static void test_vector(void)
{
	uintptr_t address, type = ~0ul, value = 0, ehdr = 0;
	const char *name = "none";

	build(arguments, variables);
	for (address = find_vector(); type != AT_NULL && word_at(address, &type) &&
				      word_at(address + sizeof(type), &value);
	     address += 2 * sizeof(type)) {
		if (type == AT_SYSINFO_EHDR)
			ehdr = value;
		if (type == AT_EXECFN)
			name = string(value);
	}
	/* With nothing behind it: an end that is there by luck is none. */
	if (ok(ehdr == EHDR && !strcmp(name, path) && type == AT_NULL &&
		       address == stack.auxv + stack.auxv_size,
	       "behind the second NULL lies the vector, from the vDSO's address to AT_NULL"))
		return;
	expected("AT_SYSINFO_EHDR %#lx, AT_EXECFN %s, and AT_NULL as the last", EHDR, path);
	but_got("AT_SYSINFO_EHDR %#lx, AT_EXECFN %s, and %s", (unsigned long)ehdr, name,
		type != AT_NULL ? "no end" : "AT_NULL, but not where auxv and auxv_size say");
	because("this is how a program is told of the vDSO. It reads on until AT_NULL, and the "
		"kernel, for /proc/PID/auxv, what auxv and auxv_size say");
}

static void test_aligned(void)
{
	char *list[MANY + 1] = {NULL};

	for (unsigned count = 0; count < MANY; count++) {
		build(list, no_strings);
		if (stack.sp % 16) {
			ok(false,
			   "the stack pointer is a multiple of 16, however many words there "
			   "are");
			expected("the last digit 0");
			but_got("%#lx, with %u arguments", (unsigned long)stack.sp, count);
			because("compilers rely on it. A program dies at the first store of "
				"two words at once, in the one start and not in the other");
			return;
		}
		list[count] = arguments[0];
	}
	ok(true, "the stack pointer is a multiple of 16, however many words there are");
}

/* The value of a type in the vector that was built; 0 if it has none. */
static uintptr_t value_of(uintptr_t type)
{
	uintptr_t pair[2];

	for (uintptr_t address = find_vector();
	     word_at(address, &pair[0]) && pair[0] != AT_NULL &&
	     word_at(address + sizeof(pair[0]), &pair[1]);
	     address += sizeof(pair))
		if (pair[0] == type)
			return pair[1];
	return 0;
}

static void test_targets(void)
{
	char *list[MANY + 1] = {NULL};

	for (unsigned count = 0; count < MANY; count++) {
		uintptr_t bytes, name;

		build(list, no_strings);
		bytes = value_of(AT_RANDOM);
		name = value_of(AT_PLATFORM);
		if (!bytes || bytes < stack.auxv + stack.auxv_size || !at(bytes, 16) ||
		    strcmp(string(name), machine)) {
			ok(false, "what was written before lies above all that, and is whole");
			expected("AT_RANDOM, 16 bytes, from %#lx on or above; AT_PLATFORM %s",
				 (unsigned long)(stack.auxv + stack.auxv_size), machine);
			but_got("AT_RANDOM %#lx, AT_PLATFORM %s, with %u arguments",
				(unsigned long)bytes, string(name), count);
			because("a stack grows downwards. If sp is rounded up, or the size is "
				"too "
				"small, the last words lie over what was written last: the "
				"random "
				"bytes, of which every program makes its stack protector");
			return;
		}
		list[count] = arguments[0];
	}
	ok(true, "what was written before lies above all that, and is whole");
}

static void test_titles(void)
{
	size_t args = sizeof("date") + sizeof("-u") + sizeof("") + sizeof("+%s");
	size_t env = sizeof("HOME=/root") + sizeof("TZ=UTC") + sizeof("A=");

	build(arguments, variables);
	if (ok(stack.arg_end - stack.arg_start == args && stack.env_start == stack.arg_end &&
		       stack.env_end - stack.env_start == env &&
		       string(word(1)) == at(stack.arg_start, args) &&
		       string(word(6)) == at(stack.env_start, env),
	       "the strings lie in order and without gaps: arguments, then environment"))
		return;
	expected("%zu bytes of arguments, then %zu of environment", args, env);
	but_got("%ld from %#lx, and %ld from %#lx", (long)(stack.arg_end - stack.arg_start),
		(unsigned long)stack.arg_start, (long)(stack.env_end - stack.env_start),
		(unsigned long)stack.env_start);
	because("ps(1) shows these bytes, and servers write their title over them");
}

static void test_random(void)
{
	uintptr_t first, different = 0;

	build(arguments, variables);
	first = stack.sp;
	for (unsigned i = 0; i < MANY; i++) {
		build(arguments, variables);
		different += stack.sp != first;
	}
	if (!ok(different, "the stack does not begin at the same address each time"))
		diag("%d builds, all at %#lx", MANY, (unsigned long)first);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &act, NULL);
	test_count();
	test_arguments();
	test_environment();
	test_vector();
	test_aligned();
	test_targets();
	test_titles();
	test_random();
	drop();
	return done_testing();
}
