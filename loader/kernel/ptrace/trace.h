/*
 * trace.h - which functions of the vDSO a program uses, and what it asks the kernel all the
 * same.
 *
 * A vDSO that is not found, or not understood, breaks nothing: the C library makes system
 * calls, some twenty times slower, and nobody notices. So here both are counted, for each
 * program that has our vDSO:
 *
 *   calls       counted by the image itself (image/counted.h)
 *   resolved    does the program have the address of a function in its memory? Looked for when
 *               the process that was started ends, or becomes another program; and once more
 *               when the last of those that it forked does. So a thread or a child that ends
 *               costs nothing
 *   the rest    system calls for what the vDSO answers: from the vDSO, where it had to fall
 *               back, or from the program's own code. A seccomp filter stops for these alone.
 *               A call that a filter of the program's own refuses is not among them: the kernel
 *               does not tell us of it
 *
 * What is counted here is not what we cause. Our own calls in a program (inject.h) are none of
 * these, and the time is kept by another process, which does not wait for us.
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
#define TRACE_CLOCKS   20   /* lines for one program; clocks beyond share one */
#define TRACE_CALLS    25   /* with that one, and those for calls without a clock */

enum trace_kind {
	TRACE_CLOCK,  /* of a clock that is an argument */
	TRACE_OTHER,  /* gettimeofday, time, getcpu */
	TRACE_RANDOM, /* getrandom */
};

struct trace_call {
	const char *name; /* NULL: the clocks that there was no line for */
	enum trace_kind kind;
	long clock; /* of TRACE_CLOCK */
	uint64_t from_vdso, from_program;
};

struct trace_program {
	pid_t pid;
	char comm[16];
	uintptr_t ehdr; /* of its vDSO */
	uint32_t resolved;

	/* Tasks that run it, and those of the process that was started. */
	unsigned running, running_own;
	unsigned execs;              /* before which its memory was searched */
	bool searched, searched_own; /* since one of these was last seen to go on */
	bool unseen; /* it ended without; so what is not resolved is not known */

	unsigned calls;
	struct trace_call call[TRACE_CALLS];
};

struct trace {
	struct counted counted;
	int counters; /* memfd, a page for each program */
	const uint64_t *counter;
	unsigned programs, not_counted;
	struct trace_program *program;
	void *tasks; /* tsearch(3): threads and processes by their id */
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

/*
 * What a tracer is told of a task, a process or a thread, while that is stopped. In the order
 * of a life: its first stop; it has made another task; it has become another program, which is
 * told before trace_program(); a system call that the filter reports; it is about to end. And
 * after that, or instead of it: it has ended.
 */
void trace_begin(struct trace *trace, pid_t pid);
void trace_fork(struct trace *trace, pid_t pid);
void trace_exec(struct trace *trace, pid_t pid);
void trace_seccomp(struct trace *trace, pid_t pid);
void trace_exit(struct trace *trace, pid_t pid);
void trace_gone(struct trace *trace, pid_t pid);

/* Without a trace, too: a call that another filter than ours reports is not made, and fails. */
void trace_refuse(pid_t pid);

/* Is it known what a program has not resolved? Not if it was killed, or still runs. */
bool trace_knows_all(const struct trace *trace, unsigned program);

/* The counters of a program, by number: one for each trace->counted.function. */
const uint64_t *trace_counters(const struct trace *trace, unsigned program);

#endif
