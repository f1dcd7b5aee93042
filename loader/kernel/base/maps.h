/*
 * maps.h - what is mapped in a process, from its /proc/PID/maps (proc(5)).
 */
#ifndef KERNEL_BASE_MAPS
#define KERNEL_BASE_MAPS

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAPS_MAX 200

struct map_range {
	uintptr_t start, end;
	char name[32]; /* the beginning of the last column: a path, "[stack]", or empty */
};

struct maps {
	struct map_range range[MAPS_MAX];
	size_t count;
};

/*
 * Reads the list, in the order of addresses; pid 0 is this process. Allocates nothing, so
 * that the answer is not changed by asking. Returns 0 or -errno: what open(2) and read(2) say,
 * -E2BIG for more than MAPS_MAX mappings.
 */
int maps_read(struct maps *maps, pid_t pid);

/* Is this a mapping of the kernel's vDSO or of its data? */
bool maps_is_kernel_page(const struct map_range *range);

#endif
