/*
 * place.c - see place.h.
 *
 * "Never over something mapped" needs care: a list of free places is out of date the moment it
 * is read, and mmap(2) with MAP_FIXED takes what it is told to take. So the kernel is asked for
 * one address that we drew (MAP_FIXED_NOREPLACE, Linux 4.17), and its answer is compared: older
 * kernels and qemu-user take the address for a mere hint and return another one without an
 * error.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <host.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <unistd.h>

#include "kernel/foreign/patch.h"
#include "kernel/image/alternatives.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/jump.h"
#include "kernel/image/check/check.h"
#include "kernel/image/identity.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/memfd.h"
#include "kernel/base/page.h"
#include "kernel/base/random.h"
#include "kernel/map/place.h"

/* Draws before we give up. With a sparse address space the first one succeeds. */
#define MAX_DRAWS 128

/*
 * The image as it gets mapped: fitted to this CPU, and a file that cannot be changed. What is
 * left of its last page ends with the landing.
 */
static int image_to_memfd(const struct image *image, size_t length, bool foreign)
{
	unsigned char *copy = calloc(1, length);
	int fd;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, image->bytes, image->size);
	memcpy(copy + length - LANDING_SIZE, landing_code_start, LANDING_SIZE);
	fd = (foreign ? foreign_patch : alternatives_apply)(copy, image->size, cpu_has) < 0
		     ? -ENOEXEC
		     : memfd_sealed("vdso", copy, length, MEMFD_CODE);
	free(copy);
	return fd;
}

static void note_first(void *arg, const struct image_finding *finding)
{
	struct error *error = arg;

	/* What breaks only a house rule runs. */
	if (finding->rule->hurts && !error->status)
		error_cannot_run(error, NULL, "the image breaks rule %s: %s",
				 finding->rule->name, finding->message);
}

/*
 * What is known to read other data pages is named first: it may keep every rule, and where it
 * does not, this is still what its owner wants to know.
 */
static int check_image(const struct image *image, struct error *error)
{
	struct image_identity identity = image_identity(image);
	bool ours = image_reads_our_data(&identity);
	char words[128];

	if (!ours && (identity.has_layout || identity.has_version))
		return error_cannot_run(error, NULL, "%s",
					image_identity_words(&identity, words, sizeof(words)));
	if (image_check(image, note_first, error))
		return -ENOEXEC;
	return ours ? 0
		    : error_cannot_run(error, NULL, "%s",
				       image_identity_words(&identity, words, sizeof(words)));
}

int vdso_files_open(struct vdso_files *files, const struct image *image,
		    const struct vvar *vvar, bool unchecked, struct error *error)
{
	*files = (struct vdso_files){
		.data = vvar->readers,
		.image = -1,
		.image_size = image->size,
		.image_length = page_up(image->size + LANDING_SIZE),
		.entry = image_entry(image),
		.offsets = -1,
		.foreign = vvar->foreign,
		.counters = -1,
	};
	error->status = 0;
	if (image->size == 0)
		return error_cannot_run(error, NULL, "the image is empty");
	if (!image_machine(image))
		return error_cannot_run(error, NULL, "not an ELF file");
	if (!image_is_for_host(image))
		return error_cannot_run(error, NULL,
					"the image is for %s, and this uvdso for %s",
					image_machine_name(image), host_machine_name());
	/* A kernel's runs in a kernel, whatever it breaks, and has just answered (probe.h). */
	if (!unchecked && !vvar->foreign && check_image(image, error))
		return -ENOEXEC;
	files->image = image_to_memfd(image, files->image_length, vvar->foreign);
	if (files->image == -ENOEXEC)
		return error_cannot_run(
			error, NULL,
			"its alternatives lead out of the image: they cannot be "
			"applied");
	if (files->image < 0)
		return error_self(error, files->image, NULL, "cannot copy the image: %s",
				  error_words(files->image));
	return 0;
}

void vdso_files_close(struct vdso_files *files)
{
	if (files->image >= 0)
		descriptor_close(files->image);
	files->image = -1;
}

static int draw(bool random, unsigned turn, size_t length, uintptr_t *address)
{
	uint64_t pages = (HOST_PLACE_HIGH - HOST_PLACE_LOW - length) / page_size(), number;
	int err;

	if (!random) {
		*address = HOST_PLACE_HIGH - (turn + 1) * length;
		return 0;
	}
	err = random_bytes(&number, sizeof(number));
	if (err)
		return err;
	/* 64 random bits for some 30: what the remainder favours is beyond measuring. */
	*address = HOST_PLACE_LOW + number % pages * page_size();
	return 0;
}

/*
 * How much of the image's file is mapped. Counters lie right after the image's own pages; such
 * a program is started by the kernel, and needs no landing.
 */
static size_t mapped_length(const struct vdso_files *files)
{
	return files->counters >= 0 ? page_up(files->image_size) : files->image_length;
}

/* course: begin 09-loader */
/* Addresses where nothing is, taken so that nothing else gets there meanwhile. */
static int reserve(struct process *process, size_t length, uintptr_t *start)
{
	long persona = process_call(process, SYS_personality, 0xffffffff);
	bool random = process_failed(persona) || !(persona & ADDR_NO_RANDOMIZE);

	for (unsigned turn = 0; turn < MAX_DRAWS; turn++) {
		uintptr_t want = 0;
		int err = draw(random, turn, length, &want);
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
			return process_error(process, "mmap", got);
	}
	return -EEXIST;
}

static int map_data(struct process *process, int fd, uintptr_t start, unsigned page,
		    off_t offset)
{
	uintptr_t at = start + page * VDSO_STRIDE;
	long got = process_mmap(process, at, VDSO_STRIDE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
				offset);

	return process_failed(got) ? process_error(process, "mmap", got) : 0;
}

static int map_image(struct process *process, const struct vdso_files *files, uintptr_t at)
{
	/* Private, so that a debugger can put a breakpoint in; its file is sealed. */
	long got = process_mmap(process, at, mapped_length(files), PROT_READ | PROT_EXEC,
				MAP_PRIVATE | MAP_FIXED, files->image, 0);

	return process_failed(got) ? process_error(process, "mmap", got) : 0;
}
/* course: end 09-loader */

size_t vdso_files_stride(const struct vdso_files *files)
{
	return files->foreign ? page_size() : VDSO_STRIDE;
}

size_t vdso_files_data_length(const struct vdso_files *files)
{
	return (files->foreign ? files->foreign->pages : VDSO_NR_DATA_PAGES) *
	       vdso_files_stride(files);
}

size_t vdso_files_slots_at(const struct vdso_files *files)
{
	return mapped_length(files) + (files->counters >= 0 ? page_size() : 0);
}

/* The slots are a part of the reserved memory, zeros, that the program may read. */
static int open_slots(struct process *process, const struct vdso_files *files, uintptr_t at)
{
	long got = process_call(process, SYS_mprotect, (long)at, (long)files->slots, PROT_READ);

	return got ? process_error(process, "mprotect", got) : 0;
}

static int map_counters(struct process *process, const struct vdso_files *files, uintptr_t at)
{
	long got = process_mmap(process, at, page_size(), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_FIXED, files->counters, files->counters_at);

	return process_failed(got) ? process_error(process, "mmap", got) : 0;
}

/* Of a kernel's image: it was built for pages of this size. */
static int map_page(struct process *process, int fd, uintptr_t start, unsigned page,
		    off_t offset)
{
	long got = process_mmap(process, start + page * page_size(), page_size(), PROT_READ,
				MAP_SHARED | MAP_FIXED, fd, offset);

	return process_failed(got) ? process_error(process, "mmap", got) : 0;
}

/* The same where a kernel's image expects them: the data as the timekeeper mirrors them. */
static int map_mirror(struct process *process, const struct vdso_files *files, uintptr_t start)
{
	const struct foreign_layout *l = files->foreign;
	bool shifted = files->in_namespace && l->timens >= 0, apart = files->offsets >= 0;
	int err = map_page(process, shifted && apart ? files->offsets : files->data, start,
			   (unsigned)l->time,
			   shifted && apart
				   ? 0
				   : VVAR_FILE_MIRROR(shifted ? MIRROR_OFFSETS : MIRROR_TIME));

	if (!err && shifted)
		err = map_page(process, files->data, start, (unsigned)l->timens,
			       VVAR_FILE_MIRROR(MIRROR_TIME));
	if (!err && l->rng >= 0 && l->rng != l->time)
		err = map_page(process, files->data, start, (unsigned)l->rng,
			       VVAR_FILE_MIRROR(MIRROR_RNG));
	if (!err && l->machines >= 0)
		err = map_page(process, files->data, start, (unsigned)l->machines,
			       VVAR_FILE_MIRROR(MIRROR_ZEROS));
	return err;
}

/* All data pages, in the order in which the functions of the image expect them. */
static int map_ours(struct process *process, const struct vdso_files *files, uintptr_t start)
{
	bool apart = files->in_namespace && files->offsets >= 0;
	int err = map_data(process, apart ? files->offsets : files->data, start, VDSO_TIME_PAGE,
			   files->in_namespace && !apart ? VVAR_FILE_TIMENS : VVAR_FILE_TIME);

	if (!err && files->in_namespace)
		err = map_data(process, files->data, start, VDSO_TIMENS_PAGE, VVAR_FILE_TIME);
	if (!err)
		err = map_data(process, files->data, start, VDSO_RNG_PAGE, VVAR_FILE_RNG);
	return err;
}

static int map_all_data(struct process *process, const struct vdso_files *files,
			uintptr_t start)
{
	int err = files->foreign ? map_mirror(process, files, start)
				 : map_ours(process, files, start);

	/* As the kernel's: other processes' time is nothing for a core dump. */
	if (!err)
		process_call(process, SYS_madvise, (long)start,
			     (long)vdso_files_data_length(files), MADV_DONTDUMP);
	return err;
}

int vdso_files_place(struct process *process, const struct vdso_files *files,
		     struct placement *placement, struct error *error)
{
	size_t data_length = vdso_files_data_length(files);
	bool counted = files->counters >= 0;
	struct placement p = {.length =
				      data_length + vdso_files_slots_at(files) + files->slots};
	int err = reserve(process, p.length, &p.start);
	const char *what;

	if (err)
		return error_self(error, err, NULL, "no free place for %zu bytes: %s", p.length,
				  error_words(err));
	p.ehdr = p.start + data_length;
	p.entry = files->entry ? p.ehdr + files->entry : 0;
	p.landing = counted ? 0 : p.ehdr + files->image_length - LANDING_SIZE;
	p.slots = files->slots ? p.ehdr + vdso_files_slots_at(files) : 0;

	what = "data pages";
	err = map_all_data(process, files, p.start);
	if (!err) {
		what = "image";
		err = map_image(process, files, p.ehdr);
	}
	if (!err && counted) {
		what = "counters";
		err = map_counters(process, files, p.ehdr + mapped_length(files));
	}
	if (!err && files->slots) {
		what = "slots";
		err = open_slots(process, files, p.slots);
	}
	if (err) {
		vdso_unplace(process, &p);
		return error_self(error, err, NULL, "cannot map the %s: %s", what,
				  error_words(err));
	}
	*placement = p;
	return 0;
}

void vdso_unplace(struct process *process, struct placement *placement)
{
	long start = (long)placement->start, length = (long)placement->length;

	/* Where it cannot go at least nothing is left in its place. */
	if (length && process_call(process, SYS_munmap, start, length) &&
	    process_call(process, SYS_munmap, start, length))
		process_mmap(process, placement->start, placement->length, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	*placement = (struct placement){0};
}

int vdso_place(const struct image *image, const struct vvar *vvar, bool in_namespace,
	       bool unchecked, struct placement *placement, struct error *error)
{
	struct vdso_files files;
	int err = vdso_files_open(&files, image, vvar, unchecked, error);

	files.in_namespace = in_namespace;

	if (!err)
		err = vdso_files_place(&process_self, &files, placement, error);
	vdso_files_close(&files);
	return err;
}
