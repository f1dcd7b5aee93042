/*
 * password.c - draws a password, and then as many numbers as it is told to, from the vDSO that
 * it finds: the kernel's, or ours under `uvdso run`.
 *
 *	password [COUNT]                  from the vDSO
 *	password --system-call [COUNT]    each of them from the kernel
 *
 * Prints the password, and what one number took. Exits with 2 where the vDSO has no
 * getrandom().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"

#define LENGTH 20 /* characters of 6 bits */

typedef long getrandom_fn(void *buffer, size_t len, unsigned flags, void *state,
			  size_t state_size);

static getrandom_fn *vdso_getrandom; /* NULL: by system call */
static void *state;
static size_t state_size;

static bool find(void)
{
	const void *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct vdso_elf elf;

	if (!ehdr || vdso_elf_open(&elf, ehdr, 0))
		return false;
	vdso_getrandom =
		(getrandom_fn *)vdso_elf_symbol(&elf, VDSO_NAME("getrandom"), VDSO_VERSION);
	return vdso_getrandom != NULL;
}

/*
 * The memory for a state is the caller's, of the kind that the vDSO asks for. Without
 * MAP_DROPPABLE (before Linux 6.11) our vDSO refuses to answer for C libraries; this program
 * does not fork, and says what should happen if it did.
 */
static bool make_state(void)
{
	struct vgetrandom_opaque_params params;
	bool told = vdso_getrandom(NULL, 0, 0, &params, ~(size_t)0) == 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	state_size = told ? params.size_of_opaque_state : sizeof(struct vgetrandom_state);
	state = mmap(NULL, page, PROT_READ | PROT_WRITE,
		     told ? (int)params.mmap_flags : MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return state != MAP_FAILED && (told || !madvise(state, page, MADV_WIPEONFORK));
}

static void draw(void *to, size_t len)
{
	long got = vdso_getrandom ? vdso_getrandom(to, len, 0, state, state_size)
				  : syscall(SYS_getrandom, to, len, 0);

	if (got != (long)len) {
		fprintf(stderr, "password: no random numbers\n");
		exit(1);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	bool by_system_call = argc > 1 && !strcmp(argv[1], "--system-call");
	const char *text = argv[1 + by_system_call];
	long count = text ? strtol(text, NULL, 10) : 0;
	uint8_t bytes[LENGTH];
	uint64_t number;
	double begin;

	if (!by_system_call && (!find() || !make_state())) {
		fprintf(stderr, "password: no getrandom() in this vDSO\n");
		return 2;
	}
	draw(bytes, sizeof(bytes));
	for (int i = 0; i < LENGTH; i++)
		putchar(letters[bytes[i] % 64]);
	putchar('\n');
	begin = now();
	for (long i = 0; i < count; i++)
		draw(&number, sizeof(number));
	if (count > 0)
		printf("%ld numbers, %.0f ns each\n", count, (now() - begin) / (double)count);
	return 0;
}
