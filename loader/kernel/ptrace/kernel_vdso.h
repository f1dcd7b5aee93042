/*
 * kernel_vdso.h - the kernel's vDSO in a program that has just started.
 *
 * The kernel maps its image and the data before it in every program alike, at another address.
 * So the mappings that /proc/PID/maps lists for one program are those of the next one, too, if
 * it has the same image; and reading a page of it costs a fraction of reading that file.
 */
#ifndef KERNEL_PTRACE_KERNEL_VDSO_H
#define KERNEL_PTRACE_KERNEL_VDSO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <vdso/datapage.h>

#include "kernel/base/maps.h"

/* The kernel has one image and two or three mappings of data; more are left where they are. */
#define KERNEL_VDSO_RANGES 6

struct kernel_vdso {
	bool known;
	bool goes;             /* a program's has been unmapped: it is not sealed (mseal(2)) */
	uintptr_t instruction; /* how far into the image a system call is; 0: not looked for */
	unsigned count;
	struct map_range range[KERNEL_VDSO_RANGES]; /* as distances from the image */
	unsigned char page[VDSO_SMALLEST_PAGE];     /* the first of the image */
};

/*
 * Fills it, if it is not what the process has at image. Returns 0, or -errno, noted. What
 * /proc/PID/maps does not show is not in it.
 */
int kernel_vdso_learn(struct kernel_vdso *known, pid_t pid, uintptr_t image);

/* One of its mappings, in a process that has it at image. */
struct map_range kernel_vdso_range(const struct kernel_vdso *known, unsigned i,
				   uintptr_t image);

/*
 * Mappings first to *end - 1 lie side by side, and go with one call. Returns whether the image
 * is one of them.
 */
bool kernel_vdso_group(const struct kernel_vdso *known, unsigned first, unsigned *end);

#endif
