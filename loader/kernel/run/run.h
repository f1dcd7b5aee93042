/*
 * run.h - runs an unmodified program on our vDSO: everything that `uvdso run` does.
 *
 * The caller becomes the timekeeper of the program and stays it to the program's end. What
 * happens meanwhile is told through the request's events (base/event.h).
 */
#ifndef KERNEL_RUN_RUN_H
#define KERNEL_RUN_RUN_H

#include <stdbool.h>

#include "kernel/base/error.h"
#include "kernel/base/event.h"
#include "kernel/image/image.h"
#include "kernel/map/timens.h"
#include "kernel/ptrace/trace.h"

struct run_request {
	char **argv; /* the program and its arguments, NULL-terminated, at least one */
	char **envp;
	struct image image;
	const char *image_name; /* for messages: its file */
	struct timens timens;
	bool force;      /* use an image that fails the check all the same */
	bool no_counter; /* mode NONE: fine clocks by system call */
	bool keep_kernel_vdso;
	bool follow; /* the programs that it starts get our vDSO as well */
	struct trace
		*trace; /* to be filled with what is counted, or NULL; zeroed by TRACE_NONE */
	struct events events;
};

/*
 * Starts the program in a child process and keeps its time until it ends. Returns 0 and the
 * child's status as waitpid(2) gives it, or an error number with error filled. A failure in the
 * child, after the fork, is told from there as EVENT_FAILED, and is the child's exit status.
 *
 * What is in the buffers of stdio streams should be flushed before. Leaves all signals blocked:
 * the caller is expected to end now, see die_like().
 */
int run_program(const struct run_request *request, int *wait_status, struct error *error);

#endif
