/*
 * page.h - rounding to whole pages, which is all that can be mapped.
 *
 * A page has 4096 bytes on every machine that there is a port for (vdso/datapage.h says why
 * the data pages have to agree about that).
 */
#ifndef KERNEL_BASE_PAGE_H
#define KERNEL_BASE_PAGE_H

#include <stdint.h>
#include <vdso/datapage.h>

static inline uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(VDSO_PAGE_SIZE - 1);
}

/* Numbers come from files that nobody has checked: what is too large stays the last page. */
static inline uint64_t page_up(uint64_t address)
{
	return address > page_down(UINT64_MAX) ? page_down(UINT64_MAX)
					       : page_down(address + VDSO_PAGE_SIZE - 1);
}

#endif
