/*
 * vvar.h - the data pages: memory that one process writes and others only read.
 *
 * The kernel owns the memory of its data pages and hands out mappings that can never become
 * writable. In userspace a memfd does the same: it is mapped writable once, for the
 * timekeeper, and then sealed against every further writable mapping (F_SEAL_FUTURE_WRITE,
 * fcntl(2), Linux 5.1). A mapping made after the seal cannot be made writable by mprotect(2)
 * either, and opening the file again through /proc does not help. A reader that had mapped it
 * before the seal could; so the seal comes before the first reader, always.
 *
 * Readers map the file by an open file description of their own, opened for reading and locked
 * with flock(2). That lock belongs to the description, and goes when the last process has
 * closed and unmapped it, whatever these processes are. So whoever keeps the time can ask
 * whether there is a reader left: vvar_in_use().
 *
 * The file holds VDSO_NR_DATA_PAGES data pages: that of the time, that of a time namespace's
 * offsets, and that of the random number generator. Which of the first two a reader sees first
 * is decided when they are mapped (place.h). They lie a stride apart (vdso/datapage.h), so that
 * each can be mapped by itself whatever a page is; where pages are smaller, the rest of a
 * stride is a hole in the file, and takes no memory. After them comes room for a mirror: the
 * same in the layout of a kernel's image (foreign/mirror.h).
 */
#ifndef KERNEL_MAP_VVAR_H
#define KERNEL_MAP_VVAR_H

#include <stdbool.h>
#include <vdso/datapage.h>

#include "kernel/foreign/mirror.h"

/* Where each data page is in the file. */
#define VVAR_FILE_TIME   (VDSO_TIME_PAGE * VDSO_STRIDE)
#define VVAR_FILE_TIMENS (VDSO_TIMENS_PAGE * VDSO_STRIDE)
#define VVAR_FILE_RNG    (VDSO_RNG_PAGE * VDSO_STRIDE)

/* That of a page of the mirror (enum mirror_page). */
#define VVAR_FILE_MIRROR(page) ((VDSO_NR_DATA_PAGES + (page)) * VDSO_STRIDE)

struct vvar {
	int fd;                          /* the memfd; -1 once closed */
	int readers;                     /* what readers map; -1 once closed */
	bool counted;                    /* it is locked, so that vvar_in_use() can tell */
	union vdso_data_store *writable; /* VDSO_NR_DATA_PAGES; NULL if not mapped */

	/* What image is to read them: NULL for ours. To be set once they are made. */
	const struct foreign_layout *foreign;
};

#define VVAR_NONE                       \
	{                               \
		.fd = -1, .readers = -1 \
	}

/*
 * Makes the data pages, zeroed. Returns 0 or -errno (ENOSYS, EMFILE, ENOMEM); then nothing is
 * left behind.
 */
int vvar_create(struct vvar *vvar);

/*
 * The one writable mapping, for the process that keeps the time. Nobody else ever has it: not
 * even for a moment, in which another thread could fork(2). Returns 0 or -errno.
 */
int vvar_map_writable(struct vvar *vvar);

/*
 * No writable mapping after this one, no change of size, no further seal.
 * Returns 0 or -errno: EINVAL on a kernel without F_SEAL_FUTURE_WRITE.
 */
int vvar_seal(struct vvar *vvar);

/* The pages of the mirror, after the others; only with foreign. */
union mirror_store *vvar_mirror(const struct vvar *vvar);

/*
 * Has any process data pages mapped, or the descriptor for it open? Asked of fd, by a process
 * that has neither. True if that cannot be known (not counted), as it is from now on where
 * locks fail.
 */
bool vvar_in_use(struct vvar *vvar);

/*
 * Gives up the writable mapping, or the descriptors: the one for readers alone, or both. Each
 * may be called twice.
 */
void vvar_drop_writable(struct vvar *vvar);
void vvar_close_readers(struct vvar *vvar);
void vvar_close_fd(struct vvar *vvar);

/*
 * Fills a page of offsets: sequence 1 and mode TIMENS for ever, offset[] by clock id in both
 * bases, what is to be added to the kernel's own answers (CS_KERNEL, vdso/datapage.h), and
 * where the wall clocks are, 0 or VDSO_WALL_DISTANCE. To be called before there are readers: it
 * is not made for changing a live namespace.
 */
void vvar_fill_offsets(union vdso_data_store *page,
		       const struct timens_offset offset[VDSO_BASES],
		       const struct timens_offset kernels[VDSO_BASES], u32 wall);

/* The one of the data pages. */
void vvar_set_offsets(struct vvar *vvar, const struct timens_offset offset[VDSO_BASES],
		      const struct timens_offset kernels[VDSO_BASES], u32 wall);

#endif
