/*
 * auxv.c - the walk over an initial stack, on stacks made by hand and on our own vector.
 *
 * A walk that goes too far gets away with it nearly always: above the vector lie bytes and
 * strings, and sooner or later a zero. Here the stacks lie against memory that may not be
 * touched (attempt.h).
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "attempt.h"
#include "libc/auxv.h"

#define WORD(value) ((uintptr_t)(value))
/* Addresses that nobody follows. */
#define ARGUMENT 0x5000
#define VARIABLE 0x6000
#define EHDR     0x7000

/* A list of words, and how many of them come before the vector. */
#define STACK(vector, ...)                        \
	(const uintptr_t[]){__VA_ARGS__}, vector, \
		sizeof((const uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t)

#define ENTRIES AT_PAGESZ, 4096, AT_SYSINFO_EHDR, EHDR, AT_UID, 0, AT_NULL, 0

static struct {
	const void *sp;
	const char *broken; /* how the walk ended, if not as it should */
	const ElfW(auxv_t) * auxv;
	const void *ehdr;
} walk;

static void walk_up(void)
{
	walk.auxv = vdso_auxv_from_stack(walk.sp);
	walk.ehdr = vdso_auxv_ehdr(walk.auxv);
}

static void walk_from(const void *sp)
{
	walk.sp = sp;
	walk.auxv = walk.ehdr = NULL; /* if it breaks, the first one says where */
	walk.broken = attempt(walk_up);
}

/* Puts the words against the guard, and walks over them. */
static void test_stack(const char *what, const char *why, uintptr_t ehdr,
		       const uintptr_t *words, long vector, size_t count)
{
	static char *guard;
	uintptr_t *sp;

	if (!guard)
		guard = attempt_guard();
	sp = (uintptr_t *)guard - count;
	memcpy(sp, words, count * sizeof(*words));
	walk_from(sp);
	if (ok(!walk.broken && WORD(walk.auxv) == WORD(sp + vector) && WORD(walk.ehdr) == ehdr,
	       "%s", what))
		return;
	expected("the vector at slot %ld of the stack, and in it %#lx", vector,
		 (unsigned long)ehdr);
	if (walk.broken)
		but_got("%s", walk.broken);
	else
		but_got("the vector at slot %ld, and in it %#lx",
			(long)((const uintptr_t *)walk.auxv - sp),
			(unsigned long)WORD(walk.ehdr));
	if (WORD(walk.auxv) == WORD(sp + vector))
		diag("(vdso_auxv_from_stack() is right; this is about vdso_auxv_find())");
	else
		diag("(this is about vdso_auxv_from_stack())");
	because("%s", why);
}

static void test_stacks(void)
{
	test_stack("the vector begins behind two lists, and each of them ends in NULL",
		   "nothing points to the vector, so all that comes before it must be counted. "
		   "And an "
		   "entry is a pair: its type is looked at, and its value is not",
		   EHDR, STACK(7, 2, ARGUMENT, ARGUMENT, 0, VARIABLE, VARIABLE, 0, ENTRIES));
	test_stack("an empty environment is a list, too: its NULL alone",
		   "env -i starts a program so, and it has a vector like any other", EHDR,
		   STACK(4, 1, ARGUMENT, 0, 0, ENTRIES));
	test_stack("no argument at all is possible, and argv is then its NULL alone",
		   "execve(2) takes an empty argv, and older kernels hand it on as it is", EHDR,
		   STACK(4, 0, 0, VARIABLE, 0, ENTRIES));
	test_stack("an entry that is crossed out does not end the walk",
		   "valgrind makes AT_IGNORE of an entry; those behind it are still good", EHDR,
		   STACK(3, 0, 0, 0, AT_IGNORE, 7, ENTRIES));
	test_stack("a value is not taken for a type",
		   "entries are pairs: a value of 33 is a number, and no AT_SYSINFO_EHDR", EHDR,
		   STACK(3, 0, 0, 0, AT_UID, AT_SYSINFO_EHDR, AT_GID, 0, ENTRIES));
	test_stack("a vector without the entry has no vDSO, and nothing behind AT_NULL is read",
		   "what follows are random bytes and strings, which may look like an entry", 0,
		   STACK(4, 1, ARGUMENT, 0, 0, AT_PAGESZ, 4096, AT_IGNORE, EHDR, AT_NULL, 0));
	test_stack("what looks like an entry behind AT_NULL is none",
		   "the first AT_NULL is the end, whatever follows", 0,
		   STACK(4, 1, ARGUMENT, 0, 0, AT_NULL, 0, ENTRIES));
}

static void test_find(void)
{
	const uintptr_t words[] = {ENTRIES, AT_NULL, 0};
	const uintptr_t twice[] = {AT_PAGESZ, 4096, AT_PAGESZ, 1, AT_NULL, 0};
	const ElfW(auxv_t) *entry = vdso_auxv_find((const void *)twice, AT_PAGESZ);

	if (!ok(entry && entry->a_un.a_val == 4096,
		"of two entries of a type the first is found")) {
		expected("4096");
		but_got("%ld", entry ? (long)entry->a_un.a_val : 0);
		because("getauxval() answers so, and two readers of one vector must agree");
	}
	entry = vdso_auxv_find((const void *)words, AT_NULL);
	if (!ok(!entry, "the end is no entry")) {
		expected("NULL");
		but_got("entry %ld", (long)(entry - (const ElfW(auxv_t) *)words));
		because("AT_NULL says that nothing follows. Who gets it for an entry believes "
			"that there is one more");
	}
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
	unsigned long wrong = 0, got = 0;
	bool good = true;

	if (fd < 0 || read(fd, auxv, sizeof(auxv) - sizeof(auxv[0])) <= 0) {
		skip(1, "/proc/self/auxv cannot be read");
		return;
	}
	close(fd);
	for (size_t i = 0; good && i < sizeof(types) / sizeof(types[0]); i++) {
		const ElfW(auxv_t) *entry = vdso_auxv_find(auxv, types[i]);

		got = entry ? entry->a_un.a_val : 0;
		wrong = types[i];
		good = got == getauxval(wrong);
	}
	if (ok(good, "on our own vector the walk agrees with getauxval()"))
		return;
	expected("type %lu: %#lx", wrong, getauxval(wrong));
	but_got("%#lx", got);
	because("the vector is the kernel's, and the C library has walked over it, too");
}

/* The stack that this program was really started on: argv lies there, below the vector. */
static void test_real_stack(char **argv)
{
	const uintptr_t *sp = (const uintptr_t *)argv - 1;
	unsigned long want = getauxval(AT_SYSINFO_EHDR);

	walk_from(sp);
	if (ok(!walk.broken && WORD(walk.ehdr) == want,
	       "from our own initial stack the same vDSO is found"))
		return;
	expected("%#lx", want);
	but_got("%#lx%s%s", (unsigned long)WORD(walk.ehdr), walk.broken ? ", and " : "",
		walk.broken ? walk.broken : "");
	because("this is the real thing, and no stack that a test has made");
}

int main(int argc, char **argv)
{
	(void)argc;
	test_stacks();
	test_find();
	test_own();
	test_real_stack(argv);
	return done_testing();
}
