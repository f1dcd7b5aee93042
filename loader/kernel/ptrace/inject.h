/*
 * inject.h - gives a program that the kernel has just started our vDSO instead of its own.
 *
 * After execve(2) everything is in its place and not one instruction of the program has run:
 * the kernel's vDSO is mapped and the vector on the stack points to it. A tracer is told of
 * that moment (PTRACE_EVENT_EXEC, ptrace(2)). Ours maps our data pages and image, lets the
 * vector point to them and unmaps the kernel's.
 */
#ifndef KERNEL_PTRACE_INJECT_H
#define KERNEL_PTRACE_INJECT_H

#include "kernel/base/auxvec.h"
#include "kernel/base/maps.h"
#include "kernel/map/place.h"
#include "kernel/ptrace/traced.h"

/* The kernel has one image and two or three mappings of data; more would not be told of. */
#define INJECT_RANGES 6

struct injection {
	struct placement vdso;
	uintptr_t kernel_vdso; /* what the vector said before */
	uintptr_t interp;      /* where the program's ELF interpreter lies, 0 if it has none */
	int vector_in_kernel;  /* 0 if /proc/PID/auxv shows the change, else -errno */

	unsigned unmapped; /* what of the kernel's has been unmapped */
	struct map_range range[INJECT_RANGES];
};

/*
 * With inherited the program has the descriptors of files already, except for offsets, by the
 * same numbers: it came with them through its execve(2). They are closed. What it does not have
 * it is sent copies of.
 *
 * traced is filled for the caller: if traced->gone the process has ended meanwhile.
 * Otherwise it is stopped as it was before, and is to be continued.
 *
 * Returns 0; or -errno with error filled, and the program keeps the kernel's vDSO.
 */
int inject_vdso(struct traced *traced, pid_t pid, const struct vdso_files *files,
		bool inherited, bool keep_kernel_vdso, struct injection *injection,
		struct error *error);

/*
 * The address of a system call instruction in an image that the process has, or 0; then err is
 * why it cannot be read, or 0.
 */
uintptr_t inject_find_syscall(pid_t pid, uintptr_t image, int *err);

/*
 * One entry of the vector that a stopped program will see gets another value; without a value
 * (0) it becomes one that is ignored (AT_IGNORE). vector is its address there, and it has the
 * pairs of vec. Returns 0, what traced_read() or traced_write() say, or -ENOENT if it has no
 * pair of this type. For a test: which entry must vanish depends on machine and image.
 */
int inject_rewrite_entry(pid_t pid, uintptr_t vector, const struct auxvec *vec,
			 unsigned long type, uintptr_t value);

#endif
