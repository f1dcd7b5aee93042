/*
 * vvar.c - see vvar.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vdso/once.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/memfd.h"
#include "kernel/map/vvar.h"

/* That of the file; what nobody touches takes no memory. */
#define VVAR_SIZE VVAR_FILE_MIRROR(MIRROR_PAGES)

/* How often a lock is tried. */
#define LOCKS_MAX 4

static size_t mapped_size(const struct vvar *vvar)
{
	return vvar->foreign ? VVAR_SIZE : VVAR_FILE_MIRROR(0);
}

/* Without /proc, readers have the memfd itself, and are not counted. */
static void open_for_readers(struct vvar *vvar)
{
	char path[] = "/proc/self/fd/0123456789";

	snprintf(strrchr(path, '/') + 1, 11, "%d", vvar->fd);
	vvar->readers = above_stdio(open(path, O_RDONLY | O_CLOEXEC));
	vvar->counted = vvar->readers >= 0 && !flock(vvar->readers, LOCK_SH);
	if (vvar->counted)
		return;
	if (vvar->readers >= 0)
		descriptor_close(vvar->readers);
	vvar->readers = fcntl(vvar->fd, F_DUPFD_CLOEXEC, 3);
}

int vvar_create(struct vvar *vvar)
{
	int err;

	*vvar = (struct vvar)VVAR_NONE;
	/* Where nothing can be closed, nothing is opened. */
	if (close(-1) && errno != EBADF)
		return error_from("close");
	vvar->fd = memfd_sealable("vvar", VVAR_SIZE, MEMFD_DATA);
	if (vvar->fd < 0)
		return vvar->fd;
	open_for_readers(vvar);
	if (vvar->readers >= 0)
		return 0;
	err = error_from("fcntl");
	vvar_close_fd(vvar);
	return err;
}

int vvar_map_writable(struct vvar *vvar)
{
	void *got =
		mmap(NULL, mapped_size(vvar), PROT_READ | PROT_WRITE, MAP_SHARED, vvar->fd, 0);

	if (got == MAP_FAILED)
		return error_from("mmap");
	vvar->writable = got;
	return 0;
}

int vvar_seal(struct vvar *vvar)
{
	int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	return fcntl(vvar->fd, F_ADD_SEALS, seals) < 0 ? error_from("fcntl") : 0;
}

void vvar_drop_writable(struct vvar *vvar)
{
	if (vvar->writable)
		munmap(vvar->writable, mapped_size(vvar));
	vvar->writable = NULL;
}

union mirror_store *vvar_mirror(const struct vvar *vvar)
{
	return (void *)&vvar->writable[VDSO_NR_DATA_PAGES];
}

/*
 * A lock that we get means that nobody holds the other one, and is given back. Where locks fail
 * for another reason, and again, readers cannot be counted any more.
 */
bool vvar_in_use(struct vvar *vvar)
{
	for (int turn = 0; vvar->counted && turn < LOCKS_MAX; turn++) {
		if (!flock(vvar->fd, LOCK_EX | LOCK_NB)) {
			flock(vvar->fd, LOCK_UN);
			return false;
		}
		if (errno == EWOULDBLOCK)
			return true;
	}
	vvar->counted = false;
	return true;
}

void vvar_close_readers(struct vvar *vvar)
{
	if (vvar->readers >= 0)
		descriptor_close(vvar->readers);
	vvar->readers = -1;
}

void vvar_close_fd(struct vvar *vvar)
{
	vvar_close_readers(vvar);
	if (vvar->fd >= 0)
		descriptor_close(vvar->fd);
	vvar->fd = -1;
}

void vvar_fill_offsets(union vdso_data_store *page,
		       const struct timens_offset offset[VDSO_BASES],
		       const struct timens_offset kernels[VDSO_BASES], u32 wall)
{
	struct vdso_data *data = page->offsets;

	for (int cs = 0; cs <= CS_KERNEL; cs++) {
		const struct timens_offset *from = cs == CS_KERNEL ? kernels : offset;

		write_once_s32(&data[cs].clock_mode, VDSO_CLOCKMODE_TIMENS);
		write_once32(&data[cs].wall, wall);
		for (int clock = 0; clock < VDSO_BASES; clock++) {
			write_once_s64(&data[cs].offset[clock].sec, from[clock].sec);
			write_once64(&data[cs].offset[clock].nsec, from[clock].nsec);
		}
		/* Last; pairs with vdso_read_begin(): the odd number comes with the mode. */
		atomic_store_explicit(&data[cs].seq, 1, memory_order_release);
	}
}

void vvar_set_offsets(struct vvar *vvar, const struct timens_offset offset[VDSO_BASES],
		      const struct timens_offset kernels[VDSO_BASES], u32 wall)
{
	vvar_fill_offsets(&vvar->writable[VDSO_TIMENS_PAGE], offset, kernels, wall);
}
