/*
 * kernel_timens.h - a process in another time namespace of the kernel's than the timekeeper.
 *
 * `unshare -T` puts what it starts into a time namespace (time_namespaces(7)), in which the
 * kernel's clocks are shifted. Data pages that are kept outside must be shifted by the same
 * difference there. What the kernel itself answers is shifted already.
 */
#ifndef KERNEL_MAP_KERNEL_TIMENS_H
#define KERNEL_MAP_KERNEL_TIMENS_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/foreign/layout.h"
#include "kernel/map/timens.h"

/*
 * How far a process's clocks are ahead of ours by that; other says whether it is in another
 * namespace at all. Returns 0 or -errno: -EXDEV where a process has left its namespace for its
 * children only, whose offsets the kernel shows then instead of its own.
 */
int kernel_timens_ahead(pid_t pid, struct timens_offset ahead[TIMENS_CLOCKS], bool *other);

/*
 * After unshare(CLONE_NEWTIME) a process stays in its namespace, and what it starts does not:
 * the attendants, whose clocks must be those of their owner, too. 1 in such a process, 0, or
 * -errno.
 */
int kernel_timens_is_left(void);

/*
 * In an attendant: back to the namespace of its owner. Returns 0 or -errno: -EPERM without the
 * rights for it, -EINVAL before Linux 5.8.
 */
int kernel_timens_join(pid_t owner);

/*
 * The page of offsets for such a process: the ones that were asked for, and the kernel's. It
 * must be zeroed, or have been filled before. In the layout of a kernel's image, unless foreign
 * is NULL, it has no room for what the kernel's own answers are shifted by.
 */
void kernel_timens_fill(union vdso_data_store *page, const struct foreign_layout *foreign,
			const struct timens *timens,
			const struct timens_offset ahead[TIMENS_CLOCKS]);

/* A sealed memfd with that page. Returns the descriptor or -errno. */
int kernel_timens_page(const union vdso_data_store *page);

#endif
