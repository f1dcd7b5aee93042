/*
 * page.h - rounding to whole pages, which is all that can be mapped.
 *
 * How many bytes a page has is the kernel's choice, and on aarch64 there are three sizes of it:
 * so it is asked, and nothing is compiled in. (What the data pages do about it:
 * vdso/datapage.h.)
 */
#ifndef KERNEL_BASE_PAGE_H
#define KERNEL_BASE_PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* No system call: the C library has it from the vector, AT_PAGESZ. */
static inline size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static inline uint64_t page_down(uint64_t address)
{
	return address & -(uint64_t)page_size();
}

/* Numbers come from files that nobody has checked: what is too large stays the last page. */
static inline uint64_t page_up(uint64_t address)
{
	return address > page_down(UINT64_MAX) ? page_down(UINT64_MAX)
					       : page_down(address + page_size() - 1);
}

#endif
