/*
 * mm_map.h - what the kernel's book-keeping says of a process, as prctl(2) takes it.
 *
 * linux/prctl.h has this as struct prctl_mm_map, with a pointer in it. Its length tells the
 * kernel what it is, and a 64-bit kernel knows only the long one, from 32-bit programs, too.
 */
#ifndef KERNEL_BASE_MM_MAP
#define KERNEL_BASE_MM_MAP

#include <stdint.h>

struct mm_map {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end, auxv;
	uint32_t auxv_size, exe_fd;
};
_Static_assert(sizeof(struct mm_map) == 104, "as a 64-bit kernel has it");

#endif
