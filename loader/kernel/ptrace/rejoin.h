/*
 * rejoin.h - a forked child in another time namespace than its parent.
 *
 * After unshare(2) with CLONE_NEWTIME the children of a process are in the new namespace. The
 * kernel gives them another page of offsets at the same address (kernel/time/namespace.c,
 * timens_on_fork()); ours they have inherited. So the tracer maps another one over it, before
 * the child runs.
 */
#ifndef KERNEL_PTRACE_REJOIN_H
#define KERNEL_PTRACE_REJOIN_H

#include "kernel/map/place.h"
#include "kernel/map/timens.h"
#include "kernel/ptrace/traced.h"

/*
 * For a process that may be new, at a stop that is the first one of a new process; threads, and
 * processes that SIGCONT has continued, stop in the same way. Nearly always there is nothing to
 * be done: it changes only a process that returns from a fork, and has offsets other than those
 * of its namespace. Returns 0, or -errno with error filled: then its clocks are those of its
 * parent's namespace. traced->gone says that it has ended meanwhile.
 */
int rejoin_timens(struct traced *traced, pid_t pid, const struct vdso_files *files,
		  const struct timens *timens, struct error *error);

#endif
