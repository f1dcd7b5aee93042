/*
 * unmap.h - what of the old program goes: everything that is not on a list.
 *
 * The kernel throws a whole address space away and begins a new one. We cannot, so we
 * write down the pieces that the new program needs, and unmap what lies between them.
 */
#ifndef KERNEL_EXEC_UNMAP
#define KERNEL_EXEC_UNMAP

#include <stdbool.h>

#include "kernel/exec/binary.h"
#include "kernel/arch/jump.h"
#include "kernel/base/maps.h"

#define PIECES_MAX 256

/* Stretches of whole pages that stay, in any order. */
struct pieces {
	struct {
		uintptr_t start, end;
	} piece[PIECES_MAX];
	size_t count;
};

/* Adds one, widened to whole pages, or all segments of a binary. False if there is no room. */
bool pieces_add(struct pieces *pieces, uintptr_t start, uintptr_t end);
bool pieces_add_segments(struct pieces *pieces, const struct binary *bin, uintptr_t bias);

/*
 * Adds to the list of the jump a munmap(2) for everything in maps that is not in stay, nor
 * the stack, nor the page of vsyscall. The kernel's own pages stay if keep_kernel_vdso, or if
 * this machine needs them (HOST_KERNEL_VDSO_STAYS); if verbose, their end is told on standard
 * error. Returns false if the list overflows.
 */
bool list_unmaps(struct jump *jump, size_t *at, const struct maps *maps,
		 const struct pieces *stay, bool keep_kernel_vdso, bool verbose);

#endif
