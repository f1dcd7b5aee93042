/*
 * inject.h - gives a program that the kernel has just started our page instead of its own.
 *
 * After execve(2) everything is in its place and not one instruction of the program has
 * run: the kernel's vDSO is mapped and the vector on the stack points to it. A tracer is
 * told of that moment (PTRACE_EVENT_EXEC, ptrace(2)). Ours puts the page in, lets the
 * vector point to it and takes the kernel's away.
 */
#ifndef KERNEL_PTRACE_INJECT
#define KERNEL_PTRACE_INJECT

#include "kernel/base/maps.h"
#include "kernel/map/place.h"
#include "kernel/ptrace/traced.h"

/* Of the kernel's pages more would only not be shown: one image, two or three of data. */
#define INJECT_RANGES 6

struct injection {
	struct placement page;
	uintptr_t kernel_vdso; /* what the vector said before */
	uintptr_t interp;      /* where the program's ELF interpreter lies, 0 if it has none */
	int vector_in_kernel;  /* did /proc/PID/auxv follow? 0 or -errno */
	struct place_error error; /* why not, if it failed */

	unsigned unmapped; /* what was there of the kernel's, and is not any more */
	struct map_range range[INJECT_RANGES];
};

/*
 * traced is filled for the caller: if traced->gone the process has ended meanwhile.
 * Otherwise it stands still as it did before, and is to be continued.
 *
 * Returns 0; or -errno with injection->error filled, and the program is left with the
 * kernel's vDSO, as it was.
 */
int inject_page(struct traced *traced, pid_t pid, const struct page_files *files,
		bool keep_kernel_vdso, struct injection *injection);

#endif
