/*
 * trace.h - which functions of the page a program uses, and which clocks it asks the kernel.
 *
 * A vDSO that is not found, or not understood, breaks nothing: the C library makes system
 * calls, some twenty times slower, and nobody notices. So here both are counted, for each
 * program that has our page:
 *
 *   calls       counted by the page itself (counted.h)
 *   resolved    does the program have the address of a function in its memory? Looked for
 *               at its end, and before it becomes another program
 *   the rest    clock system calls, from the page, where it had to fall back, or from the
 *               program's own code: a seccomp filter stops for these alone
 */
#ifndef KERNEL_PTRACE_TRACE
#define KERNEL_PTRACE_TRACE

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "kernel/image/counted.h"
#include "kernel/base/error.h"

#define TRACE_PROGRAMS 4096 /* more of them run, but are not counted */
#define TRACE_CALLS    24   /* different clock system calls of one program */

struct trace_call {
	long nr;
	long clock; /* for the calls that have one */
	uint64_t from_page, from_program;
};

struct trace_program {
	pid_t pid;
	char comm[16];
	uintptr_t ehdr; /* its page: by this it is found again, children included */
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

/* Returns 0 or a status with error filled. image must have passed image_check(). */
int trace_open(struct trace *trace, const struct image *image, struct run_error *error);
void trace_close(struct trace *trace);

/*
 * For the child, before its execve(2): has the tracer told of clock system calls. No
 * program that it starts will get more rights than it has (PR_SET_NO_NEW_PRIVS), or an
 * ordinary user could not ask for that. Returns 0 or -errno.
 */
int trace_filter(void);

/* The number of the next program: its counters are that page of the file. */
unsigned trace_next(const struct trace *trace);

/* A program has been given a counted page, by that number. */
void trace_program(struct trace *trace, pid_t pid, const char *comm, uintptr_t ehdr);

/* PTRACE_EVENT_SECCOMP and PTRACE_EVENT_EXIT: the process stands still. */
void trace_seccomp(struct trace *trace, pid_t pid);
void trace_exit(struct trace *trace, pid_t pid);

/* The tables, when all have ended. */
void trace_report(const struct trace *trace, FILE *to);

#endif
