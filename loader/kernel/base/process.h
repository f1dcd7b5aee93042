/*
 * process.h - where a vDSO is put: into this process, or into one that we trace.
 *
 * Placing it is a handful of system calls, and they must be made by the process that gets it:
 * no call maps memory in another process. The two cases differ only in how a call is made.
 * Here it is syscall(2); for a process that is stopped under ptrace(2) it is registers set from
 * outside (ptrace/traced.c). All other code, map/place.c first of all, is the same for both.
 */
#ifndef KERNEL_BASE_PROCESS_H
#define KERNEL_BASE_PROCESS_H

#include <host.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "kernel/base/error.h"

struct process {
	/* Makes a system call in that process: its result, or -errno. */
	long (*call)(struct process *process, long nr, const long arg[6]);
	const char *broken; /* the call of ours that failed instead, of the last one; or NULL */
};

/* This one. Its calls may be made from a signal handler; errno after them means nothing. */
extern struct process process_self;

/* process_call(process, SYS_close, fd): missing arguments are zero. */
#define process_call(process, nr, ...) \
	((process)->call((process), (nr), (const long[6]){__VA_ARGS__}))

/*
 * SIGKILL for a child of ours: kill(2), or where that is denied tgkill(2) or
 * rt_sigqueueinfo(2).
 */
void process_kill(pid_t pid);

/* By its pidfd, where ppoll(2) fails: has it been reaped? True if this fails, too. */
bool process_has_ended(int pidfd);

/* Is a result an error number? Right for calls that return addresses, too. */
static inline bool process_failed(long result)
{
	return (unsigned long)result > -4096ul;
}

/* Notes whose a result that is -errno is (base/error.h): that call's, or what made it. */
static inline int process_error(const struct process *process, const char *name, long result)
{
	return error_by(process->broken ? process->broken : name, (int)result);
}

/* mmap(2) there. Returns the address, or -errno, noted: see process_failed(). */
static inline long process_mmap(struct process *process, uintptr_t at, size_t length, int prot,
				int flags, int fd, off_t offset)
{
	long result = process_call(process, HOST_SYS_MMAP, (long)at, (long)length, prot, flags,
				   fd, (long)(offset / HOST_MMAP_UNIT));

	return process_failed(result) ? process_error(process, "mmap", result) : result;
}

/* As descriptor_close(), there; but in a row of calls no answer is known yet. */
void process_close(struct process *process, int fd);

#endif
