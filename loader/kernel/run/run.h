/*
 * run.h - runs an unmodified program on our vDSO: everything that `uvdso run` does.
 *
 * This process becomes the program, and keeps its process id, its parent, its timers, locks and
 * children. The time is kept by a process beside it. What happens meanwhile is told through the
 * request's events (base/event.h).
 */
#ifndef KERNEL_RUN_RUN_H
#define KERNEL_RUN_RUN_H

#include <stdbool.h>

#include "kernel/base/error.h"
#include "kernel/base/event.h"
#include "kernel/image/image.h"
#include "kernel/clock/wish.h"
#include "kernel/ptrace/trace.h"
#include "kernel/time/counter.h"

/* How the program is started: by execve(2), by hand (exec/exec.h), or the first that works. */
enum run_exec { RUN_BY_ANY, RUN_BY_KERNEL, RUN_BY_HAND };

/*
 * Do the programs that it starts get our vDSO as well? Without a word: if it has clocks of its
 * own, and nothing is in the way. Such a tree has its deadlines converted
 * (ptrace/time/deadlines.h).
 */
enum run_follow { RUN_FOLLOW_WITH_CLOCKS, RUN_FOLLOW, RUN_FOLLOW_NOT };

struct run_request {
	char **argv; /* the program and its arguments, NULL-terminated, at least one */
	char **envp;
	struct image image;
	const char *image_name; /* for messages: its file */
	struct clock_wish clocks;
	bool shift_files; /* the times of files go with them; only where they are followed */
	bool force;       /* use an image that fails the check all the same */
	enum counter_choice counter;
	bool keep_kernel_vdso;
	enum run_exec exec;
	enum run_follow follow;
	struct trace
		*trace; /* to be filled with what is counted, or NULL; zeroed by TRACE_NONE */
	struct events events;
};

/*
 * Becomes the program. Returns only on failure: -errno, with error filled.
 *
 * With a trace the program is a child. Returns 0 and its status as waitpid(2) gives it, or
 * -errno. A failure in the child, after the fork, is told from there as EVENT_FAILED, and is
 * the child's exit status. Leaves all signals blocked then: the caller is expected to end, see
 * die_like().
 *
 * What is in the buffers of stdio streams must be flushed before. To be called once.
 */
int run_program(const struct run_request *request, int *wait_status, struct error *error);

#endif
