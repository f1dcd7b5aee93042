/*
 * place.c - see place.h.
 *
 * "Never over something mapped" needs care: a list of free places is out of date the
 * moment it is read, and mmap(2) with MAP_FIXED takes what it is told to take. So the
 * kernel is asked for one address that we drew (MAP_FIXED_NOREPLACE, Linux 4.17), and
 * its answer is compared: older kernels and qemu-user take the address for a mere
 * hint and return another one without an error.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <host.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <unistd.h>

#include "kernel/image/alternatives.h"
#include "kernel/arch/cpu.h"
#include "kernel/image/check/check.h"
#include "kernel/base/memfd.h"
#include "kernel/map/place.h"

/* Draws before we give up. With a sparse address space the first one succeeds. */
#define MAX_DRAWS 128

__attribute__((format(printf, 3, 4))) static int fail(struct place_error *error, int err,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->why, sizeof(error->why), fmt, ap);
	va_end(ap);
	return err;
}

static size_t page_round(size_t size)
{
	return (size + VDSO_PAGE_SIZE - 1) & ~(size_t)(VDSO_PAGE_SIZE - 1);
}

/*
 * The copy of the image that gets mapped: fitted to this CPU, and then a file that nobody
 * can write any more. The seal comes after the writable mapping is gone; it would be
 * refused otherwise.
 */
static int image_to_memfd(const struct image *image, size_t length)
{
	int fd = memfd_sealable("vdso", length, MEMFD_CODE);
	unsigned char *copy;
	int err;

	if (fd < 0)
		return fd;
	copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (copy == MAP_FAILED)
		goto fail;
	memcpy(copy, image->bytes, image->size);
	err = alternatives_apply(copy, image->size, cpu_has);
	munmap(copy, length);
	errno = -err;
	if (err < 0)
		goto fail;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
	    0)
		goto fail;
	return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

struct first_broken {
	struct place_error *error;
	bool any;
};

static void note_first(void *arg, const char *rule, const char *message)
{
	struct first_broken *first = arg;

	if (!first->any)
		fail(first->error, 0, "the image breaks rule %s: %s", rule, message);
	first->any = true;
}

int page_files_open(struct page_files *files, const struct image *image,
		    const struct vvar *vvar, bool in_namespace, bool unchecked,
		    struct place_error *error)
{
	struct first_broken broken = {error, false};

	*files = (struct page_files){
		.data = vvar->fd,
		.image = -1,
		.image_length = page_round(image->size),
		.entry = image_entry(image),
		.in_namespace = in_namespace,
		.counters = -1,
	};
	if (image->size == 0)
		return fail(error, -ENOEXEC, "the image is empty");
	if (image_machine(image) != HOST_MACHINE)
		return fail(error, -ENOEXEC, "the image is not for this machine");
	if (!unchecked && image_check(image, note_first, &broken))
		return -ENOEXEC;
	files->image = image_to_memfd(image, files->image_length);
	if (files->image < 0)
		return fail(error, files->image, "cannot copy the image: %s",
			    strerror(-files->image));
	return 0;
}

void page_files_close(struct page_files *files)
{
	if (files->image >= 0)
		close(files->image);
	files->image = -1;
}

static int draw(bool random, unsigned turn, size_t length, uintptr_t *address)
{
	uint64_t pages = (HOST_PLACE_HIGH - HOST_PLACE_LOW - length) / VDSO_PAGE_SIZE, number;
	ssize_t got;

	if (!random) {
		*address = HOST_PLACE_HIGH - (turn + 1) * length;
		return 0;
	}
	do
		got = getrandom(&number, sizeof(number), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(number))
		return got < 0 ? -errno : -EIO;
	/* 64 random bits for some 30: what the remainder favours is beyond measuring. */
	*address = HOST_PLACE_LOW + number % pages * VDSO_PAGE_SIZE;
	return 0;
}

/* course: begin 09-loader */
/* Addresses where nothing is, taken so that nothing else gets there meanwhile. */
static int reserve(struct process *process, size_t length, uintptr_t *start)
{
	long persona = process_call(process, SYS_personality, 0xffffffff);

	for (unsigned turn = 0; turn < MAX_DRAWS; turn++) {
		uintptr_t want = 0;
		int err = draw(!(persona & ADDR_NO_RANDOMIZE), turn, length, &want);
		long got;

		if (err)
			return err;
		got = process_mmap(process, want, length, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
					   MAP_FIXED_NOREPLACE,
				   -1, 0);
		if ((uintptr_t)got == want) {
			*start = want;
			return 0;
		}
		if (!process_failed(got))
			process_call(process, SYS_munmap, got, (long)length);
		else if (got != -EEXIST)
			return (int)got;
	}
	return -EEXIST;
}

static int map_data(struct process *process, int fd, uintptr_t start, unsigned page,
		    off_t offset)
{
	uintptr_t at = start + page * VDSO_PAGE_SIZE;
	long got = process_mmap(process, at, VDSO_PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED,
				fd, offset);

	if (process_failed(got))
		return (int)got;
	/* As the kernel's: other processes' time is nothing for a core dump. */
	process_call(process, SYS_madvise, (long)at, VDSO_PAGE_SIZE, MADV_DONTDUMP);
	return 0;
}

static int map_image(struct process *process, const struct page_files *files, uintptr_t at)
{
	/* Private, so that a debugger can put a breakpoint in; its file is sealed. */
	long got = process_mmap(process, at, files->image_length, PROT_READ | PROT_EXEC,
				MAP_PRIVATE | MAP_FIXED, files->image, 0);

	return process_failed(got) ? (int)got : 0;
}
/* course: end 09-loader */

int place_files(struct process *process, const struct page_files *files,
		struct placement *placement, struct place_error *error)
{
	size_t data_length = VDSO_NR_DATA_PAGES * VDSO_PAGE_SIZE;
	size_t counters_length = files->counters < 0 ? 0 : VDSO_PAGE_SIZE;
	struct placement p = {.length = data_length + files->image_length + counters_length};
	int err = reserve(process, p.length, &p.start);
	long got = 0;

	if (err)
		return fail(error, err, "no free place for %zu bytes: %s", p.length,
			    strerror(-err));
	p.ehdr = p.start + data_length;
	p.entry = files->entry ? p.ehdr + files->entry : 0;

	err = map_data(process, files->data, p.start, VDSO_TIME_PAGE,
		       files->in_namespace ? VVAR_FILE_TIMENS : VVAR_FILE_TIME);
	if (!err && files->in_namespace)
		err = map_data(process, files->data, p.start, VDSO_TIMENS_PAGE, VVAR_FILE_TIME);
	if (!err)
		err = map_data(process, files->data, p.start, VDSO_RNG_PAGE, VVAR_FILE_RNG);
	if (err) {
		fail(error, err, "cannot map the data pages: %s", strerror(-err));
		goto undo;
	}
	err = map_image(process, files, p.ehdr);
	if (err) {
		fail(error, err, "cannot map the image: %s", strerror(-err));
		goto undo;
	}
	if (counters_length)
		got = process_mmap(process, p.ehdr + files->image_length, counters_length,
				   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				   files->counters, files->counters_at);
	if (process_failed(got)) {
		err = fail(error, (int)got, "cannot map the counters: %s", strerror((int)-got));
		goto undo;
	}
	*placement = p;
	return 0;
undo:
	unplace_files(process, &p);
	return err;
}

void unplace_files(struct process *process, struct placement *placement)
{
	if (placement->length)
		process_call(process, SYS_munmap, (long)placement->start,
			     (long)placement->length);
	*placement = (struct placement){0};
}

int place_page(const struct image *image, const struct vvar *vvar, bool in_namespace,
	       bool unchecked, struct placement *placement, struct place_error *error)
{
	struct page_files files;
	int err = page_files_open(&files, image, vvar, in_namespace, unchecked, error);

	if (!err)
		err = place_files(&process_self, &files, placement, error);
	page_files_close(&files);
	return err;
}

void unplace_page(struct placement *placement)
{
	unplace_files(&process_self, placement);
}
