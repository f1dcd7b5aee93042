/*
 * reader.c - reads a data page that it has inherited, as fast as it can. For shared-page.c.
 *
 *	reader FD MILLISECONDS
 *
 * Built for x86-64 and for i386. Places the image of its own width in front of the pages
 * in FD and calls its clocks. What the writer publishes can be checked by itself
 * (shared-page.h), so a mixture of two updates is found out. Prints, for each function
 * that it has, its name and what it has counted.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "kernel/map/place.h"
#include "libc/vdso_elf.h"
#include "shared-page.h"

struct wide {
	int64_t sec, nsec;
};
struct narrow {
	long sec, nsec;
};

struct tally {
	long reads, changes, torn, kernel;
	uint64_t last;
};

static void count(struct tally *tally, uint64_t sec, bool whole, bool kernel)
{
	tally->reads++;
	tally->kernel += kernel;
	tally->torn += !whole && !kernel;
	tally->changes += sec != tally->last;
	tally->last = sec;
}

/* The writer's seconds have an upper half; the kernel's, of the system call, have none. */
static void read_wide(struct tally *tally, int (*gettime)(clockid_t, struct wide *),
		      clockid_t id)
{
	struct wide t;

	if (gettime(id, &t))
		return;
	count(tally, (uint64_t)t.sec, is_whole((uint64_t)t.sec, (uint64_t)t.nsec),
	      !(t.sec >> 32));
}

/* Half of the seconds has to do here. The system call's are those of just now. */
static void read_narrow(struct tally *tally, int (*gettime)(clockid_t, struct narrow *),
			clockid_t id)
{
	struct timespec now;
	struct narrow t;

	if (gettime(id, &t))
		return;
	clock_gettime(id, &now);
	count(tally, (unsigned long)t.sec, is_whole_low((uint32_t)t.sec, (uint64_t)t.nsec),
	      t.sec - now.tv_sec >= -2 && t.sec - now.tv_sec <= 0);
}

static void print(const char *name, const struct tally *tally)
{
	printf("%d-bit %s %ld %ld %ld %ld\n", (int)sizeof(void *) * 8, name, tally->reads,
	       tally->changes, tally->torn, tally->kernel);
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? atoi(argv[1]) : -1;
	struct vvar vvar = {.fd = fd, .readers = fd};
	struct tally fine = {0}, coarse = {0}, old_fine = {0}, old_coarse = {0};
	int (*wide)(clockid_t, struct wide *), (*narrow)(clockid_t, struct narrow *) = NULL;
	struct image image = image_builtin();
	struct placement page;
	struct error error;
	struct vdso_elf elf;
	struct timespec now;
	int64_t end;

	alarm(60);
	if (vdso_place(&image, &vvar, false, false, &page, &error))
		bail_out("no vDSO: %s", error.why);
	if (vdso_elf_open(&elf, (void *)page.ehdr, 0))
		bail_out("the vDSO cannot be read");
	wide = vdso_elf_symbol(&elf, "__vdso_clock_gettime64", "LINUX_2.6");
	if (wide)
		narrow = vdso_elf_symbol(&elf, "__vdso_clock_gettime", "LINUX_2.6");
	else
		wide = vdso_elf_symbol(&elf, "__vdso_clock_gettime", "LINUX_2.6");

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000ll + now.tv_nsec / 1000000 + atoi(argv[2]);
	do {
		for (int i = 0; i < 1000; i++) {
			read_wide(&coarse, wide, CLOCK_MONOTONIC_COARSE);
			read_wide(&fine, wide, CLOCK_MONOTONIC);
			if (narrow) {
				read_narrow(&old_coarse, narrow, CLOCK_MONOTONIC_COARSE);
				read_narrow(&old_fine, narrow, CLOCK_MONOTONIC);
			}
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec * 1000ll + now.tv_nsec / 1000000 < end);
	print("coarse", &coarse);
	print("fine", &fine);
	if (narrow) {
		print("old-coarse", &old_coarse);
		print("old-fine", &old_fine);
	}
	return 0;
}
