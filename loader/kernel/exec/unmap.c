/*
 * unmap.c - see unmap.h.
 *
 * Piece by piece and not line by line of /proc/self/maps: the kernel makes one mapping of
 * neighbours that are alike, so that one line can hold the list of the jump, a new .bss and
 * an old buffer.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kernel/base/page.h"
#include "kernel/exec/unmap.h"

/* The other calls of the list, before these and after them, need some room, too. */
#define OTHER_CALLS 16

bool pieces_add(struct pieces *pieces, uintptr_t start, uintptr_t end)
{
	if (pieces->count == PIECES_MAX)
		return false;
	pieces->piece[pieces->count].start = page_down(start);
	pieces->piece[pieces->count].end = page_up(end);
	pieces->count++;
	return true;
}

bool pieces_add_segments(struct pieces *pieces, const struct binary *bin, uintptr_t bias)
{
	for (int i = 0; bin->phdr && i < bin->ehdr.e_phnum; i++) {
		const ElfW(Phdr) *ph = &bin->phdr[i];

		if (ph->p_type == PT_LOAD && ph->p_memsz &&
		    !pieces_add(pieces, bias + ph->p_vaddr, bias + ph->p_vaddr + ph->p_memsz))
			return false;
	}
	return true;
}

/* The first piece that ends after an address, or -1. */
static int next_piece(const struct pieces *pieces, uintptr_t address)
{
	int next = -1;

	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->piece[i].end > address &&
		    (next < 0 || pieces->piece[i].start < pieces->piece[next].start))
			next = (int)i;
	return next;
}

static bool unmap_range(struct jump *jump, size_t *at, const struct map_range *range,
			const struct pieces *stay)
{
	uintptr_t start = range->start;

	while (start < range->end) {
		int next = next_piece(stay, start);
		uintptr_t end = range->end, go_on = end;

		if (next >= 0 && stay->piece[next].start < end) {
			end = stay->piece[next].start;
			go_on = stay->piece[next].end;
		}
		if (end > start) {
			if (*at >= JUMP_CALLS_MAX - OTHER_CALLS)
				return false;
			/* It can fail where the kernel has sealed its vDSO (mseal(2)). */
			jump_add_call(jump, at, 0, SYS_munmap, start, end - start, 0, 0);
		}
		start = go_on;
	}
	return true;
}

bool jump_add_unmaps(struct jump *jump, size_t *at, const struct maps *maps,
		     const struct pieces *stay, bool keep_kernel_vdso)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct map_range *range = &maps->range[i];

		if (!strcmp(range->name, "[stack]") || !strcmp(range->name, "[vsyscall]") ||
		    (keep_kernel_vdso && maps_is_kernel_vdso(range)))
			continue;
		if (!unmap_range(jump, at, range, stay))
			return false;
	}
	return true;
}

bool pieces_overlap(const struct pieces *pieces, uintptr_t start, uintptr_t end)
{
	int next = next_piece(pieces, start);

	return next >= 0 && pieces->piece[next].start < end;
}

/* Mapping by mapping: mremap(2) takes no two at once. */
bool jump_add_moves(struct jump *jump, size_t *at, const struct maps *maps,
		    const struct pieces *pieces, uintptr_t bytes)
{
	for (size_t i = 0; i < maps->count; i++) {
		uintptr_t start = maps->range[i].start, end;

		for (; start < maps->range[i].end; start = end) {
			int next = next_piece(pieces, start);

			if (next < 0 || pieces->piece[next].start >= maps->range[i].end)
				break;
			if (pieces->piece[next].start > start)
				start = pieces->piece[next].start;
			end = pieces->piece[next].end;
			if (end > maps->range[i].end)
				end = maps->range[i].end;
			if (*at >= JUMP_CALLS_MAX - OTHER_CALLS)
				return false;
			jump_add_call(jump, at, 0, SYS_mremap, start, end - start, end - start,
				      MREMAP_MAYMOVE | MREMAP_FIXED);
			jump->call[*at - 1].arg[4] = start - bytes;
		}
	}
	return true;
}
