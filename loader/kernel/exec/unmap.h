/*
 * unmap.h - unmaps the old program: everything that is not on a list.
 *
 * The kernel throws a whole address space away and begins a new one. We cannot, so we
 * write down the pieces that the new program needs, and unmap what lies between them.
 */
#ifndef KERNEL_EXEC_UNMAP_H
#define KERNEL_EXEC_UNMAP_H

#include <stdbool.h>

#include "kernel/exec/binary.h"
#include "kernel/arch/jump.h"
#include "kernel/base/maps.h"

/* As many segments as the kernel takes, and as many of an interpreter. */
#define PIECES_MAX 2500

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

/* Is any of them between two addresses? */
bool pieces_overlap(const struct pieces *pieces, uintptr_t start, uintptr_t end);

/*
 * Adds to the list of the jump an mremap(2) for everything in maps that is in pieces, to the
 * place that is so many bytes below. Returns false if the list overflows.
 */
bool jump_add_moves(struct jump *jump, size_t *at, const struct maps *maps,
		    const struct pieces *pieces, uintptr_t bytes);

/*
 * Adds to the list of the jump a munmap(2) for everything in maps that is not in stay, nor
 * the stack, nor the vsyscall page, nor, with keep_kernel_vdso, the kernel's vDSO and its
 * data. Returns false if the list overflows.
 */
bool jump_add_unmaps(struct jump *jump, size_t *at, const struct maps *maps,
		     const struct pieces *stay, bool keep_kernel_vdso);

#endif
