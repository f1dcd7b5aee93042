/*
 * trace.c - uvdso trace: run, and then tables of what was counted (kernel/ptrace/trace.h) on
 * standard error.
 */
#include <stdio.h>

#include "cli.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"

static int run_traced(int argc, char **argv);

static const char *const clock_names[] = {
	"CLOCK_REALTIME",          "CLOCK_MONOTONIC",     "CLOCK_PROCESS_CPUTIME_ID",
	"CLOCK_THREAD_CPUTIME_ID", "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE",
	"CLOCK_MONOTONIC_COARSE",  "CLOCK_BOOTTIME",      "CLOCK_REALTIME_ALARM",
	"CLOCK_BOOTTIME_ALARM",    "CLOCK_SGI_CYCLE",     "CLOCK_TAI",
};

static void report_call(const struct trace_call *call, FILE *to)
{
	char text[64];

	if (!call->name)
		snprintf(text, sizeof(text), "other clocks");
	else if (call->kind != TRACE_CLOCK)
		snprintf(text, sizeof(text), "%s()", call->name);
	else if ((unsigned long)call->clock < sizeof(clock_names) / sizeof(clock_names[0]))
		snprintf(text, sizeof(text), "%s(%s)", call->name, clock_names[call->clock]);
	else
		snprintf(text, sizeof(text), "%s(%d)", call->name, (int)call->clock);
	fprintf(to, "    %-45s %9llu %12llu\n", text, (unsigned long long)call->from_vdso,
		(unsigned long long)call->from_program);
}

static bool is_random(const struct trace_call *call)
{
	return call->kind == TRACE_RANDOM;
}

static uint64_t sum_calls(const struct trace_program *program, bool random)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < program->calls; i++)
		if (is_random(&program->call[i]) == random)
			sum += program->call[i].from_vdso + program->call[i].from_program;
	return sum;
}

static void report_calls(const struct trace_program *program, bool random, FILE *to)
{
	uint64_t sum = sum_calls(program, random);

	fprintf(to, "  %s system calls: %llu\n", random ? "getrandom" : "clock",
		(unsigned long long)sum);
	if (sum)
		fprintf(to, "    %-45s %9s %12s\n", "", "by vDSO", "by program");
	for (unsigned i = 0; i < program->calls; i++)
		if (is_random(&program->call[i]) == random)
			report_call(&program->call[i], to);
}

/* A program that calls a function has found it, even if it remembers no address. */
static bool is_resolved(const struct trace_program *program, const uint64_t *counter, size_t f)
{
	return program->resolved & 1u << f || counter[f];
}

static void report_functions(const struct trace *trace, unsigned number, FILE *to)
{
	const struct trace_program *program = &trace->program[number];
	const uint64_t *counter = trace_counters(trace, number);
	const char *other = trace_knows_all(trace, number) ? "no" : "?";

	fprintf(to, "  %-24s %-8s %12s\n", "function of the vDSO", "resolved", "calls");
	for (size_t f = 0; f < trace->counted.count; f++)
		fprintf(to, "    %-22s %-8s %12llu\n", trace->counted.function[f].name,
			is_resolved(program, counter, f) ? "yes" : other,
			(unsigned long long)counter[f]);
}

static void report_program(const struct trace *trace, unsigned number, FILE *to)
{
	const struct trace_program *program = &trace->program[number];
	const uint64_t *counter = trace_counters(trace, number);
	uint64_t random = sum_calls(program, true), called = 0;
	unsigned resolved = 0;
	char comm[128];

	for (size_t f = 0; f < trace->counted.count; f++) {
		called += counter[f];
		resolved += is_resolved(program, counter, f);
	}
	fprintf(to, "%s (process %d):", escape_to(comm, sizeof(comm), program->comm),
		program->pid);
	/*
	 * Most programs of a tree never look at a clock: a line is enough for them. Some random
	 * numbers every C library asks for at the start.
	 */
	if (!sum_calls(program, false) && !called && number) {
		fprintf(to, " %s%u functions resolved, none called, no clock system calls",
			trace_knows_all(trace, number) ? "" : "at least ", resolved);
		if (random)
			fprintf(to, ", %llu of getrandom", (unsigned long long)random);
		fputc('\n', to);
		return;
	}
	fputc('\n', to);
	report_functions(trace, number, to);
	report_calls(program, false, to);
	if (random)
		report_calls(program, true, to);
}

static void report(const struct trace *trace, FILE *to)
{
	for (unsigned i = 0; i < trace->programs; i++)
		report_program(trace, i, to);
	if (trace->not_counted)
		fprintf(to, "and %u programs more, which were not counted\n",
			trace->not_counted);
}

const struct command command_trace = {
	.name = "trace",
	.summary = "run a program, then say which of the vDSO's functions it used",
	.operands = "PROGRAM [ARG]...",
	.first = "PROGRAM",
	.min = 1,
	.max = ANY_NUMBER,
	.program = true,
	.options = run_options,
	.failure = STATUS_SELF,
	.about = "Runs PROGRAM as `uvdso run` does, with the same options. Then says on\n"
		 "standard error which of the vDSO's functions it resolved, how often it\n"
		 "called each, and which system calls were still made for a clock, the CPU\n"
		 "or random numbers: by the vDSO, where it fell back, or by PROGRAM itself.\n"
		 "With --follow there is such a report for each program of the tree.\n",
	.notes = "In the report, `resolved` means that PROGRAM had the function's address in\n"
		 "its memory at its end, or a process that it forked and that ended last; a ?\n"
		 "that it could not be seen: PROGRAM was killed, still runs, or is very\n"
		 "large. `calls` are those of all its threads, and of the processes that it\n"
		 "forked; so are the system calls. Those that a seccomp filter of its own\n"
		 "refuses are not counted.\n"
		 "\n"
		 "uvdso waits until everything that PROGRAM has started has ended. Nothing in\n"
		 "the tree gains rights from a setuid program (PR_SET_NO_NEW_PRIVS). Killing\n"
		 "uvdso kills the tree.\n",
	.ends = "  That of PROGRAM. A signal that kills it kills uvdso, too. And:\n"
		"  125  uvdso itself failed, wrong usage or a lost report included\n"
		"  126  PROGRAM cannot be run\n"
		"  127  PROGRAM is not found\n",
	.run = run_traced,
};

static int run_traced(int argc, char **argv)
{
	struct trace trace = TRACE_NONE;
	int wait_status, status = run_with_options(&command_trace, argv, &trace, &wait_status);

	(void)argc;
	report(&trace, stderr);
	trace_close(&trace);
	if (status)
		return status;
	/* The report is what `uvdso trace` is for. */
	if (ferror(stderr))
		return STATUS_SELF;
	die_like(wait_status);
}
