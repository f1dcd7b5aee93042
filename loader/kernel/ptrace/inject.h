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
#include "kernel/map/place.h"
#include "kernel/ptrace/kernel_vdso.h"
#include "kernel/ptrace/traced.h"

struct injection {
	struct placement vdso;
	uintptr_t kernel_vdso; /* what the vector said before */
	uintptr_t interp;      /* where the program's ELF interpreter lies, 0 if it has none */
	int vector_in_kernel;  /* 0 if /proc/PID/auxv shows the change, else -errno */
	bool left;             /* with INJECT_LEAVE: it goes the rest of the way by itself */

	unsigned unmapped; /* what of the kernel's has been unmapped */
	struct map_range range[KERNEL_VDSO_RANGES];
};

/*
 * How. With INJECT_INHERITED the program has the descriptors of files already, except for
 * offsets, by the same numbers: it came with them through its execve(2). They are closed.
 * Copies of all others are sent to it. With INJECT_KEEP the kernel's vDSO stays.
 *
 * With INJECT_LEAVE it may be left to itself, as soon as nothing but an error can come between:
 * it has a few system calls to make, and then is the program, without a further stop. Such a
 * process must not be injected into again, but where inject_has_stopped() says so.
 */
#define INJECT_INHERITED 1u
#define INJECT_KEEP      2u
#define INJECT_LEAVE     4u
#define INJECT_AGAIN     8u

/*
 * traced is filled for the caller: if traced->gone the process has ended meanwhile.
 * Otherwise it is stopped, and is to be continued, without a signal.
 *
 * Returns 0; or -errno with error filled, and the program keeps the kernel's vDSO.
 */
int inject_vdso(struct traced *traced, pid_t pid, const struct vdso_files *files, unsigned how,
		struct injection *injection, struct error *error);

/*
 * At a stop of SIGTRAP, SIGSYS or a fault: has a process that was left to itself been denied a
 * call? Then it is to be injected into with INJECT_AGAIN, and so to the end.
 */
bool inject_has_stopped(pid_t pid);

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
