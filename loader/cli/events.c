/*
 * events.c - what loader/kernel tells while a program is started and runs, in words.
 *
 * Each is one line on standard error. Where a program of a followed tree is meant, the line
 * says which. May run in the process that is about to become the program (kernel/base/event.h).
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "kernel/base/event.h"

/* Names of programs and files, with nothing in them that a terminal obeys. */
#define SHOWN_MAX 1024

/* Of a process that we trace: it has told us from outside where things are. */
static void print_traced(const struct event *e)
{
	char shown[SHOWN_MAX];

	fprintf(stderr, "uvdso: %d %s: ", e->pid, escape_to(shown, sizeof(shown), e->comm));
	switch (e->kind) {
	case EVENT_KEEPS_KERNEL_VDSO:
		fprintf(stderr, "keeps the kernel's vDSO: %s\n", e->why);
		break;
	case EVENT_CLOSED:
		fprintf(stderr,
			"has closed its memory, so its system calls and deadlines go by "
			"the machine's clocks: prctl(2), PR_SET_DUMPABLE\n");
		break;
	case EVENT_KEEPS_OFFSETS:
		fprintf(stderr, "keeps its parent's clocks: %s\n", e->why);
		break;
	case EVENT_BY_KERNEL:
		fprintf(stderr, "system calls go by the machine's clocks: %s\n", e->why);
		break;
	case EVENT_PLACED:
		fprintf(stderr,
			"image %" PRIxPTR "-%" PRIxPTR " r-x, data %" PRIxPTR "-%" PRIxPTR
			" r--\n",
			e->ehdr, e->end, e->start, e->ehdr);
		break;
	case EVENT_INTERPRETER:
		fprintf(stderr, "interpreter at %" PRIxPTR "\n", e->start);
		break;
	case EVENT_UNMAPPED:
		fprintf(stderr, "unmapped %" PRIxPTR "-%" PRIxPTR " %s\n", e->start, e->end,
			e->what);
		break;
	case EVENT_VECTOR:
		fprintf(stderr, "vector AT_SYSINFO_EHDR was %" PRIxPTR ", is %" PRIxPTR "\n",
			e->was, e->ehdr);
		break;
	case EVENT_OLD_VECTOR:
		fprintf(stderr, "/proc/%d/auxv still shows the old one: %s\n", e->pid, e->why);
		break;
	default:
		fprintf(stderr, "event %d\n", e->kind);
	}
}

void print_event(void *unused, const struct event *e)
{
	char shown[SHOWN_MAX];

	(void)unused;
	if (e->pid) {
		print_traced(e);
		return;
	}
	switch (e->kind) {
	case EVENT_FAILED:
		complain(e->what, "%s", e->why);
		break;
	case EVENT_FOREIGN:
		fprintf(stderr, "uvdso: image    reads the data pages of Linux %s\n", e->what);
		break;
	case EVENT_BROKEN_RULE:
		fprintf(stderr, "uvdso: image    breaks rule %s: %s\n", e->what, e->why);
		break;
	case EVENT_NOT_FOLLOWED:
		fprintf(stderr,
			"uvdso: follow   not done, so programs that it starts, and "
			"deadlines, know nothing of this change of the clocks: %s\n",
			e->why);
		break;
	case EVENT_SLOW_CLOCKS:
		fprintf(stderr,
			"uvdso: counter  not used, so a clock takes %u times as long as in the "
			"kernel's vDSO: %s; see --counter\n",
			e->times, e->why);
		break;
	case EVENT_COUNTER:
		fprintf(stderr, "uvdso: counter  %.3f MHz, mult %u, shift %u\n", e->mhz,
			e->mult, e->shift);
		break;
	case EVENT_NO_COUNTER:
		fprintf(stderr, "uvdso: counter  not used: %s\n", e->why);
		break;
	case EVENT_BY_HAND:
		fprintf(stderr, "uvdso: exec     by hand: %s\n", e->why);
		break;
	case EVENT_EXE_STAYS:
		fprintf(stderr, "uvdso: exe      stays that of uvdso: %s\n", e->why);
		break;
	case EVENT_PROGRAM:
		fprintf(stderr, "uvdso: program  %" PRIxPTR "-%" PRIxPTR " %s\n", e->start,
			e->end, escape_to(shown, sizeof(shown), e->what));
		break;
	case EVENT_INTERPRETER:
		fprintf(stderr, "uvdso: interp   %" PRIxPTR "-%" PRIxPTR " %s\n", e->start,
			e->end, escape_to(shown, sizeof(shown), e->what));
		break;
	case EVENT_PLACED:
		fprintf(stderr,
			"uvdso: data     %" PRIxPTR "-%" PRIxPTR " r--\n"
			"uvdso: image    %" PRIxPTR "-%" PRIxPTR " r-x\n",
			e->start, e->ehdr, e->ehdr, e->end);
		break;
	case EVENT_UNMAPPED:
		fprintf(stderr, "uvdso: unmap    %" PRIxPTR "-%" PRIxPTR " %s\n", e->start,
			e->end, escape_to(shown, sizeof(shown), e->what));
		break;
	case EVENT_VECTOR:
		fprintf(stderr,
			"uvdso: vector   AT_SYSINFO_EHDR was %" PRIxPTR ", is %" PRIxPTR "\n",
			e->was, e->ehdr);
		break;
	default:
		fprintf(stderr, "uvdso: event %d\n", e->kind);
	}
}
