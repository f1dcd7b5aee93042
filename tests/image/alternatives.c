/*
 * alternatives.c - the image works with every instruction that it may be fitted with.
 *
 * The image's table is applied for CPUs that have nothing, RDTSCP, or all of it, and each
 * result is mapped and called. Then the table is made malformed in every way: it comes
 * from a file, and a loader that believed it would write anywhere.
 *
 * With an argument it only prints which CPU it runs on, once for the system call and once
 * for the image: to be run under valgrind, which lacks some of the instructions.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vdso/alternative.h>

#include "kernel/image/alternatives.h"
#include "kernel/arch/cpu.h"
#include "kernel/time/timekeeper.h"
#include "kernel/map/vvar.h"
#include "kernel/image/image.h"
#include "libc/vdso_elf.h"
#include "tap.h"
#include "uvdso.h"

#define PAGE      4096
#define DATA_SIZE (VDSO_NR_DATA_PAGES * VDSO_STRIDE)

typedef long getcpu_fn(unsigned *, unsigned *, void *);
typedef int gettime_fn(clockid_t, struct timespec *);

static bool has_nothing(unsigned feature)
{
	(void)feature;
	return false;
}

static bool has_rdtscp(unsigned feature)
{
	return feature == VDSO_CPU_RDTSCP;
}

/* Maps data pages and a patched copy, as place.c does, but for the CPU that has says. */
static unsigned char *map_for(const struct vvar *vvar, bool (*has)(unsigned), int *applied)
{
	struct image image = image_builtin();
	unsigned char *at = mmap(NULL, DATA_SIZE + 2 * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *code = at + DATA_SIZE;

	if (at == MAP_FAILED || image.size > 2 * PAGE ||
	    mmap(at, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, vvar->fd, VVAR_FILE_TIME) ==
		    MAP_FAILED)
		bail_out("cannot map");
	memcpy(code, image.bytes, image.size);
	*applied = alternatives_apply(code, image.size, has);
	mprotect(code, 2 * PAGE, PROT_READ | PROT_EXEC);
	return code;
}

static void check_machine(const struct vvar *vvar, bool (*has)(unsigned), const char *what)
{
	int applied, wrong = 0, backwards = 0;
	unsigned char *code = map_for(vvar, has, &applied);
	struct timespec last = {0, 0}, now;
	struct vdso_elf elf;
	getcpu_fn *getcpu;
	gettime_fn *gettime;
	cpu_set_t all;

	if (vdso_elf_open(&elf, code, image_builtin().size))
		bail_out("the patched image cannot be read");
	getcpu = vdso_elf_symbol(&elf, "__vdso_getcpu", NULL);
	gettime = vdso_elf_symbol(&elf, "__vdso_clock_gettime", NULL);
	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		unsigned cpu = ~0u, node = ~0u, kernel_node = 0;
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!CPU_ISSET(i, &all) || sched_setaffinity(0, sizeof(one), &one))
			continue;
		syscall(SYS_getcpu, NULL, &kernel_node, NULL);
		getcpu(&cpu, &node, NULL);
		wrong += (int)cpu != i || node != kernel_node;
	}
	sched_setaffinity(0, sizeof(all), &all);
	is(wrong, 0, "%s: getcpu() names every CPU (%d entries applied)", what, applied);
	for (int i = 0; i < 100000; i++) {
		gettime(CLOCK_MONOTONIC, &now);
		backwards += now.tv_sec < last.tv_sec ||
			     (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec);
		last = now;
	}
	ok(!backwards && last.tv_sec + last.tv_nsec > 0, "%s: MONOTONIC is monotonic", what);
}

/* The first entry of the table in a copy of the image. */
static unsigned char *find_table(unsigned char *copy, size_t size)
{
	const ElfW(Ehdr) *ehdr = (const void *)copy;
	const ElfW(Shdr) *section = (const void *)(copy + ehdr->e_shoff);

	for (int i = 0; i < ehdr->e_shnum; i++)
		if (!strcmp((char *)copy + section[ehdr->e_shstrndx].sh_offset +
				    section[i].sh_name,
			    VDSO_ALTERNATIVES) &&
		    section[i].sh_offset < size)
			return copy + section[i].sh_offset;
	return NULL;
}

static bool everything(unsigned feature)
{
	(void)feature;
	return true;
}

static void check_hostile(void)
{
	static const int32_t places[] = {INT32_MIN, -100000, 100000, INT32_MAX};
	static _Alignas(16) unsigned char copy[IMAGE_MAX];
	struct image image = image_builtin();
	unsigned char *table;
	int accepted = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memcpy(copy, image.bytes, image.size);
		table = find_table(copy, image.size);
		memcpy(table, &places[i], sizeof(places[i]));
		accepted += alternatives_apply(copy, image.size, everything) != -EINVAL;
	}
	ok(!accepted, "an entry that points outside of the image is refused");

	memcpy(copy, image.bytes, image.size);
	table = find_table(copy, image.size);
	table[7] = VDSO_ALTERNATIVE_CODE + 1; /* with */
	table[6] = 255;                       /* length */
	is(alternatives_apply(copy, image.size, everything), -EINVAL,
	   "an entry with more code than it can hold is refused");
	memcpy(copy, image.bytes, image.size);
	table[6] = 2;
	is(alternatives_apply(copy, image.size, everything), -EINVAL,
	   "an entry whose code is longer than the place is refused");

	accepted = 0;
	for (size_t size = 0; size < image.size; size++) {
		memcpy(copy, image.bytes, size);
		memset(copy + size, 0xa5, 4096);
		alternatives_apply(copy, size, everything);
		for (size_t i = size; i < size + 4096; i++)
			accepted += copy[i] != 0xa5;
	}
	ok(!accepted, "no truncated image makes it write behind the end");
}

int main(int argc, char **argv)
{
	struct timekeeper tk;
	struct vvar vvar;

	(void)argv;
	if (argc > 1) {
		unsigned kernel = ~0u, ours = ~0u;
		struct uvdso *page;
		getcpu_fn *getcpu;
		cpu_set_t one;
		char why[256];

		CPU_ZERO(&one);
		CPU_SET(sched_getcpu(), &one);
		sched_setaffinity(0, sizeof(one), &one);
		if (uvdso_boot(&page, NULL, why, sizeof(why)))
			bail_out("%s", why);
		getcpu = uvdso_symbol(page, "__vdso_getcpu", "LINUX_2.6");
		syscall(SYS_getcpu, &kernel, NULL, NULL);
		getcpu(&ours, NULL, NULL);
		printf("kernel %u ours %u\n", kernel, ours);
		uvdso_shutdown(page);
		return 0;
	}
	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data page");
	timekeeper_start(&tk, vvar.writable[0].data, COUNTER_AUTO);
	timekeeper_first(&tk);
	check_machine(&vvar, has_nothing, "a CPU with neither");
	if (cpu_has(VDSO_CPU_RDTSCP))
		check_machine(&vvar, has_rdtscp, "a CPU with RDTSCP");
	else
		skip(2, "this CPU has no RDTSCP");
	if (cpu_has(VDSO_CPU_RDPID))
		check_machine(&vvar, everything, "a CPU with RDTSCP and RDPID");
	else
		skip(2, "this CPU has no RDPID");
	check_hostile();
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
