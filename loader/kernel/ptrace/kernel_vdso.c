/*
 * kernel_vdso.c - see kernel_vdso.h.
 */
#include <string.h>

#include "kernel/ptrace/kernel_vdso.h"
#include "kernel/ptrace/traced.h"

/* What maps_walk() is about. */
struct look {
	struct kernel_vdso *known;
	uintptr_t image;
};

static bool add(void *arg, const struct map_range *range)
{
	const struct look *look = arg;
	struct map_range *next = &look->known->range[look->known->count];

	if (!maps_is_kernel_vdso(range))
		return true;
	*next = *range;
	next->start -= look->image;
	next->end -= look->image;
	return ++look->known->count < KERNEL_VDSO_RANGES;
}

int kernel_vdso_learn(struct kernel_vdso *known, pid_t pid, uintptr_t image)
{
	unsigned char page[sizeof(known->page)];
	struct look look = {known, image};
	int err = traced_read(pid, image, page, sizeof(page));

	if (err)
		return err;
	if (known->known && !memcmp(page, known->page, sizeof(page)))
		return 0;
	*known = (struct kernel_vdso){.known = false};
	err = maps_walk(pid, add, &look);
	if (err)
		return err;
	memcpy(known->page, page, sizeof(page));
	known->known = true;
	return 0;
}

struct map_range kernel_vdso_range(const struct kernel_vdso *known, unsigned i, uintptr_t image)
{
	struct map_range range = known->range[i];

	range.start += image;
	range.end += image;
	return range;
}

bool kernel_vdso_group(const struct kernel_vdso *known, unsigned first, unsigned *end)
{
	bool image = false;

	*end = first;
	do
		image |= (intptr_t)known->range[*end].start <= 0 &&
			 (intptr_t)known->range[*end].end > 0;
	while (++*end < known->count && known->range[*end].start == known->range[*end - 1].end);
	return image;
}
