/*
 * narrow.h - a program of 32 bits under a kernel of 64, in a tree that has clocks of its own.
 *
 * There is no image of ours for it. But all that it needs of the kernel's vDSO is the way into
 * the kernel (AT_SYSINFO) and the code that signal handlers return to, and neither is found by
 * AT_SYSINFO_EHDR. Without that entry of its vector it asks for the time by system calls, and
 * these are answered (deadlines.h). We make it map the memory for its deadlines.
 */
#ifndef KERNEL_PTRACE_NARROW_H
#define KERNEL_PTRACE_NARROW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/base/error.h"
#include "kernel/ptrace/traced.h"

/* Is it one? For a stopped process. Never on a machine of 32 bits. */
bool narrow_is(pid_t pid);

/*
 * For a program that has just begun (PTRACE_EVENT_EXEC). Returns 0 and in *slots where its
 * memory for deadlines is, of that size; or -errno with error filled, and it has the kernel's
 * clocks. traced->gone says that it has ended meanwhile.
 */
int narrow_program(struct traced *traced, pid_t pid, size_t size, uintptr_t *slots,
		   struct error *error);

#endif
