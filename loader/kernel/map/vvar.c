/*
 * vvar.c - see vvar.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vdso/once.h>

#include "kernel/base/memfd.h"
#include "kernel/map/vvar.h"

#define VVAR_SIZE (VDSO_NR_DATA_PAGES * VDSO_PAGE_SIZE)

int vvar_create(struct vvar *vvar)
{
	int err;

	vvar->writable = NULL;
	vvar->fd = memfd_sealable("vvar", VVAR_SIZE, MEMFD_DATA);
	if (vvar->fd < 0)
		return vvar->fd;
	vvar->writable = mmap(NULL, VVAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vvar->fd, 0);
	if (vvar->writable == MAP_FAILED) {
		err = -errno;
		vvar->writable = NULL;
		vvar_close_fd(vvar);
		return err;
	}
	return 0;
}

int vvar_seal(struct vvar *vvar)
{
	int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	return fcntl(vvar->fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int vvar_keep_from_children(const struct vvar *vvar)
{
	if (!madvise(vvar->writable, VVAR_SIZE, MADV_DONTFORK))
		return 0;
	return errno == EINVAL ? 0 : -errno; /* EINVAL: unknown here, see vvar.h */
}

void vvar_drop_writable(struct vvar *vvar)
{
	if (vvar->writable)
		munmap(vvar->writable, VVAR_SIZE);
	vvar->writable = NULL;
}

void vvar_close_fd(struct vvar *vvar)
{
	if (vvar->fd >= 0)
		close(vvar->fd);
	vvar->fd = -1;
}

void vvar_set_offsets(struct vvar *vvar, const struct timens_offset offset[VDSO_BASES])
{
	struct vdso_data *data = vvar->writable[VVAR_FILE_TIMENS / VDSO_PAGE_SIZE].data;

	for (int cs = 0; cs < CS_BASES; cs++) {
		write_once_s32(&data[cs].clock_mode, VDSO_CLOCKMODE_TIMENS);
		for (int clock = 0; clock < VDSO_BASES; clock++) {
			write_once_s64(&data[cs].offset[clock].sec, offset[clock].sec);
			write_once64(&data[cs].offset[clock].nsec, offset[clock].nsec);
		}
		/* Last; pairs with vdso_read_begin(): the odd number comes with the mode. */
		atomic_store_explicit(&data[cs].seq, 1, memory_order_release);
	}
}
