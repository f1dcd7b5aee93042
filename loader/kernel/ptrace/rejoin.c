/*
 * rejoin.c - see rejoin.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/maps.h"
#include "kernel/base/page.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/ptrace/inject.h"
#include "kernel/ptrace/rejoin.h"

/* Where it has our image, or 0. It may have any number of other mappings. */
static uintptr_t find_image(pid_t pid)
{
	uintptr_t image;

	return maps_image(pid, &image) ? 0 : image;
}

/*
 * Is it at its first stop, in the call that has made it? Elsewhere it may be inside of a call
 * that is to be restarted, which ours would spoil.
 */
static bool is_new(pid_t pid)
{
	struct user_regs_struct regs;
	long nr = traced_regs(pid, &regs) ? -1 : regs_nr(&regs);

	return nr == SYS_clone || nr == SYS_clone3
#ifdef SYS_fork
	       || nr == SYS_fork || nr == SYS_vfork
#endif
		;
}

static unsigned time_page(const struct vdso_files *files)
{
	return files->foreign ? (unsigned)files->foreign->time : VDSO_TIME_PAGE;
}

/* Threads, and whoever shares the memory of another process, share its clocks as well. */
static bool has_offsets(pid_t pid, uintptr_t at, const union vdso_data_store *wanted,
			size_t size)
{
	static union vdso_data_store page;

	return !traced_read(pid, at, &page, size) && !memcmp(&page, wanted, size);
}

static int map_over(struct process *process, uintptr_t at, size_t size, int fd, off_t offset)
{
	long got =
		process_mmap(process, at, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, offset);

	return process_failed(got) ? (int)got : 0;
}

/* The offsets, and the time in the page after them, which may have been empty (place.h). */
static int map_pages(struct traced *traced, uintptr_t start, int page,
		     const struct vdso_files *files)
{
	const struct foreign_layout *foreign = files->foreign;
	size_t stride = vdso_files_stride(files);
	int timens = foreign ? foreign->timens : VDSO_TIMENS_PAGE;
	const int ours[] = {page, files->data};
	int theirs[2], err;
	/* Its stack is no place for a message: what lies below the stack pointer is not ours.
	 */
	long room = process_mmap(&traced->process, 0, page_size(), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (process_failed(room))
		return (int)room;
	err = traced_send_fds(traced, (uintptr_t)room, ours, theirs, 2);
	process_call(&traced->process, SYS_munmap, room, (long)page_size());
	if (err)
		return err;
	err = map_over(&traced->process, start + (unsigned)timens * stride, stride, theirs[1],
		       foreign ? VVAR_FILE_MIRROR(MIRROR_TIME) : VVAR_FILE_TIME);
	if (!err)
		err = map_over(&traced->process, start + time_page(files) * stride, stride,
			       theirs[0], 0);
	for (int i = 0; i < 2; i++)
		process_close(&traced->process, theirs[i]);
	return err;
}

int rejoin_timens(struct traced *traced, pid_t pid, const struct vdso_files *files,
		  const struct timens *timens, struct error *error)
{
	static union vdso_data_store offsets;
	struct timens_offset ahead[TIMENS_CLOCKS];
	uintptr_t image, instruction = 0, data_at;
	bool other;
	int page, err = kernel_timens_ahead(pid, ahead, &other);

	*traced = (struct traced){.pid = pid};
	if ((!err && !other) || !is_new(pid))
		return 0;
	image = find_image(pid);
	if (!image)
		return 0; /* it has the kernel's */
	if (files->foreign && files->foreign->timens < 0)
		return error_self(
			error, -ENOTSUP, NULL,
			"it is in a time namespace, and the image knows none (Linux 5.6)");
	data_at = image - vdso_files_data_length(files);
	if (!err) {
		kernel_timens_fill(&offsets, files->foreign, timens, ahead);
		if (has_offsets(pid, data_at + time_page(files) * vdso_files_stride(files),
				&offsets, vdso_files_stride(files)))
			return 0;
	}
	if (!err)
		instruction = inject_find_syscall(pid, image, &err);
	if (!err && !instruction)
		err = -ENOEXEC;
	page = err ? err : kernel_timens_page(&offsets);
	err = page < 0 ? page : traced_take_new(traced, pid, instruction);
	if (!err)
		err = map_pages(traced, data_at, page, files);
	if (traced->instruction)
		traced_release(traced);
	if (page >= 0)
		descriptor_close(page);
	return err ? error_self(error, err, NULL,
				"its time namespace is another one than its parent's: %s",
				error_words(err))
		   : 0;
}
