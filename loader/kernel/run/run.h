/*
 * run.h - runs an unmodified program on the page: everything that `uvdso run` does.
 */
#ifndef KERNEL_RUN_RUN
#define KERNEL_RUN_RUN

#include <stdbool.h>
#include <stdio.h>

#include "kernel/image/image.h"
#include "kernel/base/error.h"
#include "kernel/map/timens.h"

struct run_request {
	char **argv; /* the program and its arguments, NULL-terminated, at least one */
	char **envp;
	struct image image;
	const char *image_name; /* for messages: its file */
	struct timens timens;
	bool force;      /* an image that fails the check is used all the same */
	bool no_counter; /* mode NONE: fine clocks by system call */
	bool keep_kernel_vdso;
	bool follow; /* the programs that it starts get the page as well */
	bool verbose;
	FILE *trace; /* where to say what the program used of the page, or NULL (trace.h) */
};

/*
 * Starts the program in a child process and keeps its time until it ends. Returns 0 and
 * the child's status as waitpid(2) gives it, or one of 125 to 127 with error filled. A
 * failure in the child, after the fork, is printed there and is the child's exit status.
 *
 * Leaves all signals blocked: the caller is expected to end now, see die_like().
 */
int run_program(const struct run_request *request, int *wait_status, struct run_error *error);

#endif
