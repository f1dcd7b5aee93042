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
 * The file holds VDSO_NR_DATA_PAGES pages: that of the time, that of a time namespace's
 * offsets, and that of the random number generator. Which of the first two a reader sees first
 * is decided when they are mapped (place.h).
 */
#ifndef KERNEL_MAP_VVAR_H
#define KERNEL_MAP_VVAR_H

#include <vdso/datapage.h>

/* Where each data page is in the file. */
#define VVAR_FILE_TIME   (VDSO_TIME_PAGE * VDSO_PAGE_SIZE)
#define VVAR_FILE_TIMENS (VDSO_TIMENS_PAGE * VDSO_PAGE_SIZE)
#define VVAR_FILE_RNG    (VDSO_RNG_PAGE * VDSO_PAGE_SIZE)

struct vvar {
	int fd;                          /* the memfd; -1 once closed */
	union vdso_data_store *writable; /* VDSO_NR_DATA_PAGES pages; NULL once dropped */
};

/*
 * Makes the data pages, zeroed, and the one writable mapping of them. Returns 0 or
 * -errno (ENOSYS, EMFILE, ENOMEM); then nothing is left behind.
 */
int vvar_create(struct vvar *vvar);

/*
 * No writable mapping after this one, no change of size, no further seal.
 * Returns 0 or -errno: EINVAL on a kernel without F_SEAL_FUTURE_WRITE.
 */
int vvar_seal(struct vvar *vvar);

/*
 * Children of this process do not inherit the writable mapping. A second fence: no process that
 * has it becomes a program before it has given it up, by an exec or by vvar_drop_writable().
 * So a kernel that has no such thing is no failure, and Linux has it since 2.6.16: it is qemu's
 * user mode that knows no MADV_DONTFORK. (Before version 11 it says yes, and does nothing.)
 * Returns 0 or -errno.
 */
int vvar_keep_from_children(const struct vvar *vvar);

/*
 * Gives up the writable mapping, for the side that only reads, or the descriptor.
 * Each may be called twice.
 */
void vvar_drop_writable(struct vvar *vvar);
void vvar_close_fd(struct vvar *vvar);

/*
 * Fills the data page of offsets: sequence 1 and mode TIMENS for ever, offset[] by clock
 * id in both bases. To be called before there are readers: it is not made for changing a
 * live namespace.
 */
void vvar_set_offsets(struct vvar *vvar, const struct timens_offset offset[VDSO_BASES]);

#endif
