/*
 * exec.h - becomes another program, on our vDSO, without asking the kernel to.
 *
 * execve(2) would do everything, and would map the kernel's vDSO. So this process does by
 * hand what the kernel does, with the one difference that matters: the vector of the new
 * program points to our image. The program cannot tell; it is not modified.
 */
#ifndef KERNEL_EXEC_EXEC_H
#define KERNEL_EXEC_EXEC_H

#include <signal.h>
#include <stdbool.h>

#include "kernel/base/error.h"
#include "kernel/base/event.h"
#include "kernel/map/place.h"
#include "kernel/exec/program.h"

struct exec_request {
	const struct program *program;
	char **envp;
	const struct placement *vdso;
	bool keep_kernel_vdso;
	const struct events *events;
	int close[2];  /* descriptors that it does not get, or -1 */
	sigset_t mask; /* the signal mask that the program gets */
};

/*
 * Replaces the program of this process. Must be called with all signals blocked and a
 * single thread. Returns only on failure: an error number, with error filled.
 */
int exec_program(const struct exec_request *request, struct error *error);

#endif
