/*
 * auxv.c - the walk over an initial stack, on stacks made by hand and on our own vector.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "libc/auxv.h"
#include "tap.h"

#define WORD(value) ((uintptr_t)(value))

/* Entries for a stack: two words each. */
#define VECTOR(ehdr) \
	AT_PAGESZ, 4096, AT_IGNORE, 7, AT_SYSINFO_EHDR, (ehdr), AT_PAGESZ, 1, AT_NULL, 0

static void test_stack(const char *what, const uintptr_t *stack, uintptr_t ehdr)
{
	const ElfW(auxv_t) *auxv = vdso_auxv_from_stack(stack);
	const void *got = vdso_auxv_ehdr(auxv);

	if (!ok(WORD(got) == ehdr, "the vDSO is found on a stack with %s", what))
		diag("expected %#lx, got %p: the walk ended at slot %ld", (unsigned long)ehdr,
		     got, (long)((const uintptr_t *)auxv - stack));
}

static void test_find(void)
{
	const uintptr_t words[] = {VECTOR(0x1000)};
	const uintptr_t crossed_out[] = {AT_PAGESZ, 4096, AT_IGNORE, 0x1000, AT_NULL, 0};
	/* What looks like an entry behind the end is not one. */
	const uintptr_t ended[] = {AT_NULL, 0, AT_SYSINFO_EHDR, 0x1000, AT_NULL, 0};
	const ElfW(auxv_t) *auxv = (const void *)words, *entry;

	entry = vdso_auxv_find(auxv, AT_PAGESZ);
	ok(entry && entry->a_un.a_val == 4096, "of two entries of a type the first is found");
	ok(!vdso_auxv_find(auxv, AT_RANDOM), "a type that is not there gives NULL");
	ok(!vdso_auxv_find(auxv, AT_NULL), "the end is no entry");
	ok(!vdso_auxv_ehdr((const void *)crossed_out),
	   "an entry that was crossed out is not found");
	ok(!vdso_auxv_find((const void *)ended, AT_SYSINFO_EHDR),
	   "nothing is read behind AT_NULL");
}

/*
 * The kernel gives the same vector in /proc/self/auxv; getauxval() is the C library's walk.
 * Not AT_HWCAP: on x86 glibc answers that one with a value of its own.
 */
static void test_own(void)
{
	static const unsigned long types[] = {
		AT_SYSINFO_EHDR, AT_PAGESZ, AT_PHDR, AT_RANDOM, AT_EXECFN, AT_UID, 9999,
	};
	ElfW(auxv_t) auxv[64] = {0};
	int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
	bool good = true;

	if (fd < 0 || read(fd, auxv, sizeof(auxv) - sizeof(auxv[0])) <= 0) {
		skip(1, "/proc/self/auxv cannot be read");
		return;
	}
	close(fd);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const ElfW(auxv_t) *entry = vdso_auxv_find(auxv, types[i]);
		unsigned long got = entry ? entry->a_un.a_val : 0;

		if (got == getauxval(types[i]))
			continue;
		diag("type %lu: expected %#lx, got %#lx", types[i], getauxval(types[i]), got);
		good = false;
	}
	ok(good, "on our own vector the walk agrees with getauxval()");
}

/* The stack that this program was really started on: argv lies there, below the vector. */
static void test_real_stack(char **argv)
{
	const uintptr_t *sp = (const uintptr_t *)argv - 1;

	ok(WORD(vdso_auxv_ehdr(vdso_auxv_from_stack(sp))) == getauxval(AT_SYSINFO_EHDR),
	   "from our own initial stack the same vDSO is found");
}

int main(int argc, char **argv)
{
	(void)argc;
	const uintptr_t argument = WORD("program"), variable = WORD("A=1");

	test_stack(
		"arguments and an environment",
		(uintptr_t[]){2, argument, argument, 0, variable, variable, 0, VECTOR(0x7000)},
		0x7000);
	test_stack("no environment", (uintptr_t[]){1, argument, 0, 0, VECTOR(0x7000)}, 0x7000);
	test_stack("no arguments", (uintptr_t[]){0, 0, variable, 0, VECTOR(0x7000)}, 0x7000);
	test_stack("neither", (uintptr_t[]){0, 0, 0, VECTOR(0x7000)}, 0x7000);
	test_stack("no vDSO",
		   (uintptr_t[]){1, argument, 0, variable, 0, AT_PAGESZ, 4096, AT_NULL, 0}, 0);
	test_find();
	test_own();
	test_real_stack(argv);
	return done_testing();
}
