/*
 * pages.c - whatever size a kernel's pages have, what is mapped begins and ends with one.
 *
 * A kernel with pages of 16 or 64 KiB refuses an address between two of them, and maps more
 * than it is asked for where a length is not whole pages. There is no such kernel here; but the
 * loader asks the C library how large a page is, and in this test that is a function of ours.
 * All that the loader asks for is noted, and the kernel does it, since what fits large pages
 * fits small ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/base/memfd.h"
#include "kernel/base/page.h"
#include "kernel/exec/binary.h"
#include "kernel/image/image.h"
#include "kernel/image/machine.h"
#include "kernel/map/place.h"
#include "kernel/time/rng.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#ifdef SYS_mmap2 /* as in process.h */
#	define MMAP SYS_mmap2
#else
#	define MMAP SYS_mmap
#endif

static long faked = 4096;

/* Instead of the C library's. Nothing of the loader asks for anything else. */
long sysconf(int name)
{
	return name == _SC_PAGESIZE ? faked : -1;
}

/* What was asked for since begin(), and the first of it that is not whole pages. */
static struct {
	unsigned fixed, wrong;
	unsigned long at, offset;
	uintptr_t end; /* of all of it, in whole pages */
} seen;

static void begin(void)
{
	memset(&seen, 0, sizeof(seen));
}

static void note(uintptr_t at, size_t length, int flags, unsigned long offset)
{
	unsigned long between = (unsigned long)faked - 1;

	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		at = 0;
	seen.fixed += at != 0;
	if (at && page_up(at + length) > seen.end)
		seen.end = page_up(at + length);
	if (!((at | offset) & between) || seen.wrong++)
		return;
	seen.at = at;
	seen.offset = offset;
}

/* An address of the kernel's choice would be a multiple of its pages, too. */
static uintptr_t choose(size_t length)
{
	size_t all = length + (size_t)faked;
	long got = process_call(&process_self, MMAP, 0, (long)all, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (process_failed(got))
		bail_out("no memory");
	process_call(&process_self, SYS_munmap, got, (long)all);
	return page_up((uintptr_t)got);
}

/* The loader's, when it maps a program. */
void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
	long to = at ? (long)at : (long)choose(length);
	long got = process_call(&process_self, MMAP, to, (long)page_up(length), prot, flags, fd,
				(long)(offset / HOST_MMAP_UNIT));

	note((uintptr_t)at, length, flags, (unsigned long)offset);
	if (!process_failed(got))
		return (void *)got;
	errno = (int)-got;
	return MAP_FAILED;
}

static long call(struct process *process, long nr, const long arg[6])
{
	long result = process_self.call(&process_self, nr, arg);

	(void)process;
	/* Where something lies already, another place is tried. */
	if (nr == MMAP && result != -EEXIST)
		note((uintptr_t)arg[0], (size_t)arg[1], (int)arg[3],
		     (unsigned long)arg[5] * HOST_MMAP_UNIT);
	return result;
}

static struct process process = {.call = call};

static void all_whole(unsigned least, uintptr_t end, const char *what)
{
	if (ok(seen.fixed >= least && !seen.wrong && seen.end == end,
	       "%ld KiB: %s: all at the beginning of a page, and nothing outside", faked / 1024,
	       what))
		return;
	expected("%u fixed mappings or more, each at a multiple of %#lx, up to %#lx", least,
		 (unsigned long)faked, (unsigned long)end);
	but_got("%u, up to %#lx, and %u between two pages, the first at %#lx, offset %#lx",
		seen.fixed, (unsigned long)seen.end, seen.wrong, seen.at, seen.offset);
	because("such a kernel says EINVAL, and no program runs on our vDSO there");
}

typedef long getrandom_fn(void *buffer, size_t len, unsigned flags, void *state, size_t size);

static getrandom_fn *find_getrandom(uintptr_t ehdr)
{
	struct vdso_elf elf;

	if (vdso_elf_open(&elf, (const void *)ehdr, 0))
		bail_out("the image is no image");
	return (getrandom_fn *)vdso_elf_symbol(&elf, VDSO_NAME("getrandom"), VDSO_VERSION);
}

/* A state may lie across 4096 bytes where a page has more. */
static void test_states(const struct placement *place)
{
	getrandom_fn *draw = find_getrandom(place->ehdr);
	size_t size = sizeof(struct vgetrandom_state);
	static _Alignas(65536) char memory[2 * 65536];
	unsigned char number[16];
	long in_one, in_two, middle;

	if (!draw)
		return; /* i386's has none */
	in_one = draw(number, sizeof(number), 0, memory + (size_t)faked - size, size);
	in_two = draw(number, sizeof(number), 0, memory + (size_t)faked - size + 8, size);
	middle = draw(number, sizeof(number), 0, memory + 4096 - 8, size);
	is(in_one, 16, "%ld KiB: a state at the end of a page serves", faked / 1024);
	is(in_two, -EFAULT, "%ld KiB: one in two pages does not", faked / 1024);
	if (!is(middle, faked == 4096 ? -EFAULT : 16,
		"%ld KiB: one across the first 4096 bytes serves if the page has more",
		faked / 1024))
		because("C libraries fill a page with states, and take it for an error when "
			"one "
			"of them is not served");
	memset(memory, 0, sizeof(memory));
}

static bool reads(const struct placement *place, unsigned page, u32 want)
{
	const volatile union vdso_data_store *data = (const void *)place->start;

	return data[page].data[0].mult == want;
}

static void test_vdso(void)
{
	struct image image = image_builtin();
	struct placement place;
	struct vdso_files files;
	struct error error;
	struct vvar vvar;
	struct rng rng;
	int counters;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data pages");
	rng_start(&rng, &vvar.writable[VDSO_RNG_PAGE].rng);
	if (vvar_seal(&vvar) || vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("no vDSO");

	begin();
	if (vdso_files_place(&process, &files, &place, &error))
		bail_out("%s", error.why);
	all_whole(4, place.start + place.length, "data pages and image");
	vvar.writable[VDSO_TIME_PAGE].data[0].mult = 4711;
	vvar.writable[VDSO_TIMENS_PAGE].data[0].mult = 4712;
	ok(reads(&place, VDSO_TIME_PAGE, 4711) &&
		   !memcmp((const void *)place.ehdr, "\177ELF", 4),
	   "%ld KiB: the data is there, and the image after it", faked / 1024);
	test_states(&place);
	vdso_unplace(&process, &place);

	files.in_namespace = true;
	begin();
	if (vdso_files_place(&process, &files, &place, &error))
		bail_out("%s", error.why);
	all_whole(5, place.start + place.length, "in a time namespace");
	ok(reads(&place, VDSO_TIME_PAGE, 4712) && reads(&place, VDSO_TIMENS_PAGE, 4711),
	   "%ld KiB: there the offsets come first, and then the data", faked / 1024);
	vdso_unplace(&process, &place);

	/* As trace does it, for the second program. */
	counters = memfd_sealable("counters", 2 * page_size(), MEMFD_DATA);
	files.counters = counters;
	files.counters_at = (off_t)page_size();
	begin();
	if (counters < 0 || vdso_files_place(&process, &files, &place, &error))
		bail_out("no counters");
	all_whole(5, place.start + place.length, "with a page of counters");
	vdso_unplace(&process, &place);
	close(counters);
	vdso_files_close(&files);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
}

/* This very program. What its linker has aligned for smaller pages only, such a kernel refuses.
 */
static void test_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct mapped_binary map;
	bool fits = true;
	struct binary binary;
	struct error error;
	int err;

	if (fd < 0)
		bail_out("this program cannot be read");
	err = binary_read(&binary, fd, false, "this", &error);
	for (int i = 0; binary.phdr && i < binary.ehdr.e_phnum; i++)
		if (binary.phdr[i].p_type == PT_LOAD)
			fits &= (binary.phdr[i].p_offset - binary.phdr[i].p_vaddr) %
					(unsigned long)faked ==
				0;
	is(!err, fits, "%ld KiB: a program is taken if its linker has aligned it for that",
	   faked / 1024);
	begin();
	if (!err) {
		if (binary_map(&binary, true, &map, "this", &error))
			bail_out("%s", error.why);
		all_whole(1, map.end, "a program");
		munmap((void *)map.start, map.end - map.start);
	}
	binary_close(&binary);
}

int main(void)
{
	struct image builtin;
	struct elf_bytes elf;

	/* Smaller ones than its own a kernel does not take. */
	for (faked = (long)getauxval(AT_PAGESZ); faked <= 65536; faked *= 4) {
		if (faked <= VDSO_STRIDE)
			test_vdso();
		test_program();
	}
	/* The note of the image says it once more (identity.c). */
	builtin = image_builtin();
	elf = elf_bytes_of(builtin.bytes, builtin.size);
	is(machine_of(&elf)->largest_page, (uint32_t)VDSO_STRIDE,
	   "the largest page in the table of machines is our stride");
	return done_testing();
}
