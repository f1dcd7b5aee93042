/*
 * opaque.c - draws random numbers from the vDSO in every way that makes it ask the kernel, or
 * not. Prints how many system calls of the vDSO and of its own that should be.
 */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"

static long (*draw)(void *buffer, size_t len, unsigned flags, void *state, size_t size);

static void repeat(int times, size_t len, unsigned flags, void *state, size_t size)
{
	static char buffer[1 << 20];

	while (times-- > 0)
		draw(buffer, len, flags, state, size);
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vgetrandom_state *state =
		mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vdso_elf elf;
	char bytes[8];

	if (state == MAP_FAILED ||
	    vdso_elf_open(&elf, (const void *)getauxval(AT_SYSINFO_EHDR), 0))
		return 2;
	*(const void **)&draw = vdso_elf_symbol(&elf, VDSO_NAME("getrandom"), VDSO_VERSION);
	if (!draw)
		return 2;
	repeat(1000, 32, 0, state, sizeof(*state));   /* the first fetches a key */
	repeat(3, 1 << 20, 0, state, sizeof(*state)); /* large, and served all the same */
	repeat(10, 8, 0x80, state, sizeof(*state));   /* unknown flags */
	repeat(5, 8, 0, state, sizeof(*state) - 1);   /* a state of another image */
	state->in_use = 1;
	repeat(7, 8, 0, state, sizeof(*state)); /* as in a signal handler */
	state->in_use = 0;
	repeat(4, 0, 0, state, sizeof(*state));                    /* nothing to do */
	repeat(4, 8, 0, (char *)state + page - 8, sizeof(*state)); /* EFAULT */
	for (int i = 0; i < 3; i++)
		syscall(SYS_getrandom, bytes, sizeof(bytes), 0);
	puts("vdso 23 program 3");
	return 0;
}
