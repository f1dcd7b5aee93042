/*
 * mm_map.h - what the kernel records of a process's memory, as prctl(2) takes it.
 *
 * linux/prctl.h has this as struct prctl_mm_map, with a pointer in it. The kernel knows it by
 * its length: a 64-bit kernel accepts only the long one, from 32-bit programs, too, and a
 * 32-bit kernel only its own, in which auxv has four bytes.
 */
#ifndef KERNEL_BASE_MM_MAP_H
#define KERNEL_BASE_MM_MAP_H

#include <linux/prctl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

struct mm_map {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end, auxv;
	uint32_t auxv_size, exe_fd;
};
_Static_assert(sizeof(struct mm_map) == 104, "as a 64-bit kernel has it");

/* Gives it the form of the kernel that we run under; the length. */
static inline size_t mm_map_fit(struct mm_map *map)
{
	const size_t narrow = sizeof(*map) - 4;
	unsigned int size = 0;

	if (sizeof(long) == 8 || prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) ||
	    size != narrow)
		return sizeof(*map);
	memmove((char *)&map->auxv + 4, &map->auxv_size, 8);
	return narrow;
}

#endif
