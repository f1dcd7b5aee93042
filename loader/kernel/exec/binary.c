/*
 * binary.c - see binary.h.
 */
#include <errno.h>
#include <host.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/page.h"
#include "kernel/base/random.h"
#include "kernel/base/wait.h"
#include "kernel/exec/binary.h"
#include "kernel/exec/layout.h"

/* The kernel refuses more bytes of program headers than these. */
#define PHDRS_MAX 65536

static int read_exactly(int fd, void *to, size_t size, uint64_t offset)
{
	unsigned interrupts = 0;
	size_t done = 0;

	if (offset > (uint64_t)INT64_MAX - size)
		return -ENODATA;
	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (n < 0 && interrupted(&interrupts))
			continue;
		if (n < 0)
			return error_from("pread");
		if (n == 0)
			return -ENODATA;
		done += (size_t)n;
	}
	return 0;
}

static int bad(struct error *error, const char *path, const char *why)
{
	return error_cannot_run(error, path, "%s", why);
}

/* What read_exactly() has said; why is for a file that is too short. */
static int bad_read(struct error *error, const char *path, int err, const char *why)
{
	return bad(error, path, err == -ENODATA ? why : error_words(err));
}

/* Each uvdso runs the programs of one machine. If there is one for this machine, say which. */
static int another_machine(const ElfW(Ehdr) * ehdr, const char *path, struct error *error)
{
	static const struct {
		unsigned char class, machine;
		const char *name;
	} others[] = {
		{ELFCLASS64, EM_X86_64, "x86_64"},
		{ELFCLASS32, EM_386, "i386"},
		{ELFCLASS64, EM_AARCH64, "aarch64"},
		{ELFCLASS64, EM_RISCV, "riscv64"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (ehdr->e_ident[EI_CLASS] == others[i].class &&
		    ehdr->e_ident[EI_DATA] == ELFDATA2LSB &&
		    ehdr->e_machine == others[i].machine)
			return error_cannot_run(error, path,
						"a program for another machine, %s: a uvdso "
						"built for %s runs it",
						others[i].name, others[i].name);
	return bad(error, path, "a program for another machine");
}

static int check_ehdr(const ElfW(Ehdr) * ehdr, const char *path, struct error *error)
{
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG))
		return bad(error, path, "neither an ELF file nor a script that starts with #!");
	/* As the kernel: of what e_ident says beyond the magic number it believes nothing. */
	if (ehdr->e_machine != HOST_MACHINE ||
	    (ehdr->e_ident[EI_CLASS] != HOST_CLASS && ehdr->e_phentsize != sizeof(ElfW(Phdr))))
		return another_machine(ehdr, path, error);
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return bad(error, path, "an ELF file, but not a program");
	if (ehdr->e_phentsize != sizeof(ElfW(Phdr)) || ehdr->e_phnum == 0 ||
	    ehdr->e_phnum * sizeof(ElfW(Phdr)) > PHDRS_MAX)
		return bad(error, path, "its program headers are malformed");
	return 0;
}

static int read_interp(struct binary *bin, const ElfW(Phdr) * ph, const char *path,
		       struct error *error)
{
	int err;

	if (bin->interp)
		return 0; /* the kernel takes the first one */
	if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
		return bad(error, path, "its PT_INTERP is not a path");
	bin->interp = malloc(ph->p_filesz);
	if (!bin->interp)
		return error_self(error, -ENOMEM, path, "out of memory");
	err = read_exactly(bin->fd, bin->interp, ph->p_filesz, ph->p_offset);
	if (err)
		return bad_read(error, path, err, "the file ends before its PT_INTERP");
	if (bin->interp[ph->p_filesz - 1])
		return bad(error, path, "its PT_INTERP has no end");
	return 0;
}

/* Does a segment end in the middle of a page, and go on in memory? */
static bool needs_zeros(const ElfW(Phdr) * ph)
{
	return ph->p_filesz && ph->p_memsz > ph->p_filesz && ph->p_flags & PF_W &&
	       (ph->p_vaddr + ph->p_filesz) % page_size();
}

static int check_load(struct binary *bin, const ElfW(Phdr) * ph, uint64_t file_size,
		      const char *path, struct error *error)
{
	if (ph->p_filesz > ph->p_memsz || ph->p_vaddr > HOST_USER_TOP ||
	    ph->p_memsz > HOST_USER_TOP - ph->p_vaddr)
		return bad(error, path, "a segment does not fit into the address space");
	if (ph->p_memsz == 0)
		return 0;
	/* Where nothing of the file is mapped its offset does not matter. */
	if (ph->p_filesz && ph->p_offset % page_size() != ph->p_vaddr % page_size())
		return bad(error, path, "a segment's offset and address differ within a page");
	if (ph->p_offset > (uint64_t)INT64_MAX - ph->p_filesz)
		return bad(error, path, "a segment's offset is too large");
	/*
	 * What the file does not have any more a program need not touch; but we must, if zeros
	 * begin in the middle of such a page.
	 */
	if (needs_zeros(ph) && page_down(ph->p_offset + ph->p_filesz) >= page_up(file_size))
		return bad(error, path, "the file is shorter than its segments");
	if (page_down(ph->p_vaddr) < bin->low)
		bin->low = page_down(ph->p_vaddr);
	if (page_up(ph->p_vaddr + ph->p_memsz) > bin->high)
		bin->high = page_up(ph->p_vaddr + ph->p_memsz);
	if (ph->p_align > bin->align && (ph->p_align & (ph->p_align - 1)) == 0)
		bin->align = ph->p_align;
	return 0;
}

int binary_read(struct binary *bin, int fd, bool is_interpreter, const char *path,
		struct error *error)
{
	struct stat st;
	int err;

	*bin = (struct binary){.fd = fd, .low = UINTPTR_MAX, .align = page_size()};
	if (fstat(fd, &st))
		return error_system(error, error_from("fstat"), path);
	err = read_exactly(fd, &bin->ehdr, sizeof(bin->ehdr), 0);
	if (err)
		return bad_read(error, path, err,
				"neither an ELF file nor a script that starts with #!");
	err = check_ehdr(&bin->ehdr, path, error);
	if (err)
		return err;

	bin->phdr = calloc(bin->ehdr.e_phnum, sizeof(*bin->phdr));
	if (!bin->phdr)
		return error_self(error, -ENOMEM, path, "out of memory");
	err = read_exactly(fd, bin->phdr, bin->ehdr.e_phnum * sizeof(*bin->phdr),
			   bin->ehdr.e_phoff);
	if (err)
		return bad_read(error, path, err, "the file ends before its program headers");

	for (int i = 0; i < bin->ehdr.e_phnum && !err; i++) {
		const ElfW(Phdr) *ph = &bin->phdr[i];

		if (ph->p_type == PT_INTERP && !is_interpreter)
			err = read_interp(bin, ph, path, error);
		else if (ph->p_type == PT_GNU_STACK) {
			bin->has_stack = true;
			bin->exec_stack = ph->p_flags & PF_X;
		} else if (ph->p_type == PT_LOAD)
			err = check_load(bin, ph, (uint64_t)st.st_size, path, error);
	}
	/* Of a program an interpreter might make something all the same. */
	if (!err && bin->low >= bin->high && !bin->interp)
		err = bad(error, path, "no segment to load");
	if (!err && bin->high > bin->low && bin->high - bin->low > HOST_USER_TOP / 2)
		err = bad(error, path, "its segments span half of the address space");
	return err;
}

/*
 * Reserves size bytes at want, or nowhere. Returns 0, -EEXIST or another -errno.
 * FIXED_NOREPLACE is a hint for kernels before 4.17, so the answer is compared.
 */
static int reserve_at(uintptr_t want, size_t size)
{
	void *got =
		mmap((void *)want, size, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == (void *)want)
		return 0;
	if (got == MAP_FAILED)
		return error_from("mmap");
	munmap(got, size);
	return -EEXIST;
}

/* Where the kernel puts libraries, at a multiple of align. Returns 0 or -errno. */
static int reserve_anywhere(size_t size, size_t align, uintptr_t *at)
{
	size_t more = size + align - page_size();
	void *got =
		mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t start, from = (uintptr_t)got;

	if (got == MAP_FAILED)
		return error_from("mmap");
	start = (from + align - 1) & ~(align - 1);
	if (start > from)
		munmap((void *)from, start - from);
	if (from + more > start + size)
		munmap((void *)(start + size), from + more - (start + size));
	*at = start;
	return 0;
}

static int reserve_program(size_t size, size_t align, uintptr_t *at)
{
	for (int turn = 0; turn < 64; turn++) {
		uint64_t random;
		uintptr_t want;

		if (random_bytes(&random, sizeof(random)))
			break;
		want = (HOST_PIE_LOW + random % HOST_PIE_SPAN) & ~(align - 1);
		if (!reserve_at(want, size)) {
			*at = want;
			return 0;
		}
	}
	return reserve_anywhere(size, align, at);
}

/*
 * At this address. If something is there, such as ourselves, somewhere else for now. It may be
 * address 0, where the system lets root have something mapped (vm.mmap_min_addr).
 */
static int reserve_fixed(uintptr_t want, size_t size, uintptr_t *at)
{
	int err = reserve_at(want, size);

	if (err == -EEXIST)
		return reserve_anywhere(size, page_size(), at);
	*at = want;
	return err;
}

static int map_segment(const struct binary *bin, const ElfW(Phdr) * ph, uintptr_t bias)
{
	int prot = (ph->p_flags & PF_R ? PROT_READ : 0) |
		   (ph->p_flags & PF_W ? PROT_WRITE : 0) | (ph->p_flags & PF_X ? PROT_EXEC : 0);
	uintptr_t start = page_down(bias + ph->p_vaddr);
	uintptr_t file_end = bias + ph->p_vaddr + ph->p_filesz;
	uintptr_t end = page_up(bias + ph->p_vaddr + ph->p_memsz);
	uintptr_t zero_pages = start;

	if (ph->p_filesz) {
		zero_pages = page_up(file_end);
		if (mmap((void *)start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED,
			 bin->fd, (off_t)page_down(ph->p_offset)) == MAP_FAILED)
			return error_from("mmap");
		/* After the last byte of the segment the page holds other parts of the file. */
		if (needs_zeros(ph))
			memset((void *)file_end, 0, zero_pages - file_end);
	}
	/* The kernel's are writable whatever the segment is (vm_brk_flags()). */
	if (end > zero_pages &&
	    mmap((void *)zero_pages, end - zero_pages,
		 PROT_READ | PROT_WRITE | (prot & PROT_EXEC),
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return error_from("mmap");
	return 0;
}

/* The addresses that go into the vector and the kernel's records. */
static void describe(const struct binary *bin, struct mapped_binary *map)
{
	map->entry = map->bias + bin->ehdr.e_entry;
	/* What it is if no segment has them in it. */
	map->phdr = map->bias;
	map->start_code = UINTPTR_MAX;
	for (int i = 0; i < bin->ehdr.e_phnum; i++) {
		const ElfW(Phdr) *ph = &bin->phdr[i];
		uintptr_t start = map->bias + ph->p_vaddr;

		if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
			continue;
		if (bin->ehdr.e_phoff >= ph->p_offset &&
		    bin->ehdr.e_phoff - ph->p_offset < ph->p_filesz)
			map->phdr = start + (bin->ehdr.e_phoff - ph->p_offset);
		if (ph->p_flags & PF_X && start < map->start_code)
			map->start_code = start;
		if (ph->p_flags & PF_X && start + ph->p_filesz > map->end_code)
			map->end_code = start + ph->p_filesz;
		if (start > map->start_data)
			map->start_data = start;
		if (start + ph->p_filesz > map->end_data)
			map->end_data = start + ph->p_filesz;
		if (start + ph->p_memsz > map->end_bss)
			map->end_bss = start + ph->p_memsz;
	}
}

int binary_map(const struct binary *bin, bool is_interpreter, struct mapped_binary *map,
	       const char *path, struct error *error)
{
	size_t size = bin->high - bin->low;
	bool fixed = true;
	uintptr_t start, now = 0;
	int err;

	*map = (struct mapped_binary){0};
	if (bin->low >= bin->high) {
		describe(bin, map);
		return 0;
	}
	if (bin->ehdr.e_type == ET_EXEC)
		start = bin->low;
	else if (!is_interpreter && bin->interp && !layout_is_random(1))
		start = HOST_PIE_LOW & ~(bin->align - 1);
	else
		fixed = false;
	if (fixed)
		err = reserve_fixed(start, size, &now);
	else if (is_interpreter) /* whose alignment the kernel does not look at */
		err = reserve_anywhere(size, page_size(), &now);
	else if (!bin->interp)
		err = reserve_anywhere(size, bin->align, &now);
	else
		err = reserve_program(size, bin->align, &now);
	if (err)
		return error_cannot_run(error, path, "no room for %zu bytes%s: %s", size,
					fixed ? " where it must lie" : "", error_words(err));
	if (!fixed)
		start = now;
	map->start = start;
	map->end = start + size;
	map->bias = start - bin->low;
	map->moved = now - start;

	for (int i = 0; i < bin->ehdr.e_phnum; i++) {
		const ElfW(Phdr) *ph = &bin->phdr[i];

		if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
			continue;
		err = map_segment(bin, ph, map->bias + map->moved);
		if (err)
			return error_cannot_run(error, path, "cannot map a segment: %s",
						error_words(err));
	}
	describe(bin, map);
	return 0;
}

void binary_close(struct binary *bin)
{
	if (bin->fd >= 0)
		descriptor_close(bin->fd);
	free(bin->phdr);
	free(bin->interp);
	*bin = (struct binary){.fd = -1};
}
