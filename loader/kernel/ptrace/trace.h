/*
 * trace.h - which functions of the vDSO a program uses, and which clocks it asks the kernel.
 *
 * A vDSO that is not found, or not understood, breaks nothing: the C library makes system
 * calls, some twenty times slower, and nobody notices. So here both are counted, for each
 * program that has our vDSO:
 *
 *   calls       counted by the image itself (image/counted.h)
 *   resolved    does the program have the address of a function in its memory? Looked for
 *               at its end, and before it becomes another program
 *   the rest    clock system calls: from the vDSO, where it had to fall back, or from the
 *               program's own code. A seccomp filter stops for these alone
 *
 * What was counted stays in struct trace until trace_close(); the command makes tables of it.
 */
#ifndef KERNEL_PTRACE_TRACE_H
#define KERNEL_PTRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/image/counted.h"
#include "kernel/base/error.h"

#define TRACE_PROGRAMS 4096 /* more of them run, but are not counted */
#define TRACE_CALLS    24   /* different clock system calls of one program */

struct trace_call {
	long nr;
	const char *name;
	bool has_clock; /* then clock is its argument */
	long clock;
	uint64_t from_vdso, from_program;
};

struct trace_program {
	pid_t pid;
	char comm[16];
	uintptr_t ehdr; /* of its vDSO: by this it is found again, its children included */
	uint32_t resolved;
	unsigned calls;
	struct trace_call call[TRACE_CALLS];
};

struct trace {
	struct counted counted;
	int counters; /* memfd, a page for each program */
	const uint64_t *counter;
	unsigned programs, not_counted;
	struct trace_program *program;
};

/* What trace_close() has nothing to do for. */
#define TRACE_NONE             \
	{                      \
		.counters = -1 \
	}

/* Returns 0, or -errno with error filled. image must have passed image_check(). */
int trace_open(struct trace *trace, const struct image *image, struct error *error);
void trace_close(struct trace *trace);

/*
 * For the child, before its execve(2): has its clock system calls reported to the tracer. No
 * program that it starts will get more rights than it has (PR_SET_NO_NEW_PRIVS), or an
 * ordinary user could not ask for that. Returns 0 or -errno.
 */
int trace_filter(void);

/* The number of the next program: its counters are in that page of the file. */
unsigned trace_next(const struct trace *trace);

/* A program has been given the counted image, by that number. */
void trace_program(struct trace *trace, pid_t pid, const char *comm, uintptr_t ehdr);

/* PTRACE_EVENT_SECCOMP and PTRACE_EVENT_EXIT: the process is stopped. */
void trace_seccomp(struct trace *trace, pid_t pid);
void trace_exit(struct trace *trace, pid_t pid);

/* The counters of a program, by number: one for each trace->counted.function. */
const uint64_t *trace_counters(const struct trace *trace, unsigned program);

#endif
