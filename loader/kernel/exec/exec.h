/*
 * exec.h - becomes another program, on our page, without asking the kernel to.
 *
 * execve(2) would do everything, and would map the kernel's vDSO. So this process does
 * by hand what the kernel does, with the one difference that matters: the vector of the
 * new program points to our page. The program cannot tell; it is not modified.
 */
#ifndef KERNEL_EXEC_EXEC
#define KERNEL_EXEC_EXEC

#include <signal.h>
#include <stdbool.h>

#include "kernel/map/place.h"
#include "kernel/exec/program.h"
#include "kernel/base/error.h"

struct exec_request {
	const struct program *program;
	char **envp;
	const struct placement *page;
	bool keep_kernel_vdso;
	bool verbose;
	sigset_t mask; /* the signal mask that the program gets */
};

/*
 * Replaces the program of this process. Must be called with all signals blocked and a
 * single thread. Returns only on failure, with a status and error filled.
 */
int exec_program(const struct exec_request *request, struct run_error *error);

#endif
