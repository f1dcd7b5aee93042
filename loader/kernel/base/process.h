/*
 * process.h - where a page is put: into this process, or into one that we trace.
 *
 * Placing a page is a handful of system calls, and they must be made by the process that
 * gets it: no call maps memory for somebody else. What differs between the two cases is
 * only how a call is made. Here it is syscall(2); for a process that stands still under
 * ptrace(2) it is registers set from outside (traced.c). Everything above, place.c first
 * of all, is the same code for both.
 */
#ifndef KERNEL_BASE_PROCESS
#define KERNEL_BASE_PROCESS

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

struct process {
	/* Makes a system call in that process: its result, or -errno. */
	long (*call)(struct process *process, long nr, const long arg[6]);
};

/* This one. Its calls may be made from a signal handler, and set no errno to rely on. */
extern struct process process_self;

/* process_call(process, SYS_close, fd): arguments that are not given are zero. */
#define process_call(process, nr, ...) \
	((process)->call((process), (nr), (const long[6]){__VA_ARGS__}))

/* True for a result that is an error number, also of calls that return addresses. */
static inline bool process_failed(long result)
{
	return (unsigned long)result > -4096ul;
}

/* mmap(2) there. Returns the address, or -errno: see process_failed(). */
static inline long process_mmap(struct process *process, uintptr_t at, size_t length, int prot,
				int flags, int fd, off_t offset)
{
#ifdef SYS_mmap2 /* 32-bit machines: the offset in units of 4096 */
	return process_call(process, SYS_mmap2, (long)at, (long)length, prot, flags, fd,
			    (long)(offset / 4096));
#else
	return process_call(process, SYS_mmap, (long)at, (long)length, prot, flags, fd,
			    (long)offset);
#endif
}

#endif
