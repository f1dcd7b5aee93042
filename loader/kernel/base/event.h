/*
 * event.h - what happens while a program is started and runs, told to the command.
 *
 * Nothing in loader/kernel/ prints. What a user may want to read goes through one function of
 * the command's, as facts and not as text: which wording, and whether it is shown at all, is
 * the command's business (loader/cli/events.c).
 *
 * The function is also called in the process that is about to become the program. That process
 * has a copy of the command's memory and its standard error, and nothing of the program has
 * begun. Handing the events to the parent instead would take a pipe that the program must not
 * inherit, and that a program started by hand does not close by itself (exec/exec.h), to say
 * the same words later. Until that process fails (EVENT_FAILED) the function must
 * not allocate memory or map anything: what exec.c has listed to be unmapped must stay all that
 * there is.
 */
#ifndef KERNEL_BASE_EVENT_H
#define KERNEL_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum event_kind {
	/* Always told. */
	EVENT_FAILED,            /* what, why: the program is not started */
	EVENT_KEEPS_KERNEL_VDSO, /* why: a program of the tree did not get our vDSO */

	EVENT_NOT_FOLLOWED, /* why: only the first program has clocks of its own */
	EVENT_CLOSED, /* a process has closed its memory to us: system calls show the kernel's
			 time */
	EVENT_SLOW_CLOCKS,   /* why, times: EVENT_NO_COUNTER where nobody hears of that */
	EVENT_KEEPS_OFFSETS, /* why: a new process has the clocks of another time namespace */
	EVENT_BY_KERNEL, /* why: a system call went by the kernel's clocks, not the tree's */

	/* Told if events->verbose. */
	EVENT_FOREIGN,     /* what: a kernel's image, with the data pages of these releases */
	EVENT_BROKEN_RULE, /* what, why: that image breaks a rule of `uvdso check` */
	EVENT_COUNTER,     /* mhz, mult, shift: the counter is used */
	EVENT_NO_COUNTER,  /* why: it is not */
	EVENT_BY_HAND,     /* why: the kernel's execve(2) is not used */
	EVENT_EXE_STAYS,   /* why: /proc/PID/exe will still name the command */
	EVENT_PROGRAM,     /* start, end, what: the program is mapped there */
	EVENT_INTERPRETER, /* start, what: and its ELF interpreter; end if known */
	EVENT_PLACED,      /* start, ehdr, end: the data pages and, from ehdr on, the image */
	EVENT_UNMAPPED,    /* start, end, what: of the kernel's vDSO */
	EVENT_VECTOR,      /* was, ehdr: what AT_SYSINFO_EHDR was, and is */
	EVENT_OLD_VECTOR,  /* why: /proc/PID/auxv still shows what it was */
};

struct event {
	enum event_kind kind;
	pid_t pid;        /* of a traced process; 0: of the one that becomes the program */
	const char *comm; /* what a traced process calls itself */
	const char *what; /* a file, a mapping or a step */
	const char *why;
	uintptr_t start, end, ehdr, was;
	double mhz;
	uint32_t mult, shift;
	unsigned times;
};

struct events {
	void (*tell)(void *arg, const struct event *event); /* or NULL */
	void *arg;
	bool verbose;
};

static inline void event_tell(const struct events *events, const struct event *event)
{
	if (events->tell)
		events->tell(events->arg, event);
}

/* event_verbose(events, EVENT_PROGRAM, .start = start, .end = end) */
#define event_verbose(events, ...)                                                \
	do {                                                                      \
		if ((events)->verbose)                                            \
			event_tell((events), &(const struct event){__VA_ARGS__}); \
	} while (0)

#endif
