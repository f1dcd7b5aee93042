/*
 * find-call.c - the system call instruction that is borrowed from a process is one.
 *
 * Its calls are made by an instruction of an image that it has mapped. Where instructions are
 * aligned, the same bytes between two of them are none: a process that is sent there gets
 * SIGBUS.
 */
#include <regs.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/page.h"
#include "kernel/ptrace/inject.h"
#include "tap.h"

static unsigned char *image;

static void put(size_t at)
{
	memcpy(image + at, traced_instruction, sizeof(traced_instruction));
}

static void found(size_t want, const char *what)
{
	int err = 1;
	uintptr_t got = inject_find_syscall(getpid(), (uintptr_t)image, &err);

	is(err, 0, "%s: it can be read", what);
	is(got - (uintptr_t)image, want, "%s: the instruction is found", what);
	memset(image, 0, page_size());
}

int main(void)
{
	size_t size = page_size(), last = size - sizeof(traced_instruction);

	/* An image of one page, whatever that is, and after it nothing. */
	image = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (image == MAP_FAILED || munmap(image + size, size))
		bail_out("no memory");
	put(0);
	found(0, "at its beginning");
	put(last < 32764 ? last : 32764);
	found(last < 32764 ? last : 32764, "at its end");
	for (size_t between = 1; between < TRACED_ALIGN; between++)
		put(64 * between + between);
	put(1024);
	found(1024, TRACED_ALIGN > 1 ? "after bytes that only look like one" : "inside of it");
	is(inject_find_syscall(getpid(), (uintptr_t)image, &(int){0}), 0ul,
	   "where there is none, none is found");
	return done_testing();
}
