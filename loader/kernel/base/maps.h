/*
 * maps.h - what is mapped in a process, from its /proc/PID/maps (proc(5)).
 *
 * Needed to find the old program's mappings, which are to be unmapped, and the kernel's vDSO.
 */
#ifndef KERNEL_BASE_MAPS_H
#define KERNEL_BASE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a program has that has just started, with as many segments as the kernel takes, each in
 * two pieces, and an interpreter like that.
 */
#define MAPS_MAX 5000

struct map_range {
	uintptr_t start, end;
	char rights[5]; /* "r-xp" */
	char name[32];  /* the beginning of the last column: a path, "[stack]", or empty */
};

struct maps {
	struct map_range range[MAPS_MAX];
	size_t count;
};

/*
 * Reads the list, in the order of addresses; pid 0 is this process. Allocates nothing: that
 * would change the answer. Returns 0 or -errno: what open(2) and read(2) say,
 * -E2BIG for more than MAPS_MAX mappings.
 */
int maps_read(struct maps *maps, pid_t pid);

/*
 * Looks at one after the other, however many there are, until visit() returns false. Returns 0
 * or -errno.
 */
int maps_walk(pid_t pid, bool (*visit)(void *arg, const struct map_range *range), void *arg);

/* Is this a mapping of the kernel's vDSO or of its data? */
bool maps_is_kernel_vdso(const struct map_range *range);

/* Where a process has our image, or 0. Returns 0 or -errno. */
int maps_image(pid_t pid, uintptr_t *image);

#endif
