/*
 * trace.c - uvdso trace: run, and then tables of what was counted (kernel/ptrace/trace.h) on
 * standard error.
 */
#include <stdio.h>

#include "cli.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"

static const char help[] =
	"usage: uvdso trace [OPTION]... [--] PROGRAM [ARG]...\n"
	"\n"
	"Runs a program as `uvdso run` does, with the same options, and then says on standard\n"
	"error which functions of the page it resolved, how often it called each, and which\n"
	"clock system calls were still made: by the page, where it fell back, or by the\n"
	"program itself. With --follow it says so of each program of the tree.\n"
	"\n"
	"  resolved   an address of the function was in its memory at its end\n"
	"  calls      of the program, its threads and the processes that it forked\n"
	"\n"
	"It waits for everything that the program has started. Nobody in the tree gets more\n"
	"rights by a setuid program (PR_SET_NO_NEW_PRIVS), and who kills uvdso kills the "
	"tree.\n"
	"The exit status is that of `uvdso run`.\n";

static const char *const clock_names[] = {
	"CLOCK_REALTIME",          "CLOCK_MONOTONIC",     "CLOCK_PROCESS_CPUTIME_ID",
	"CLOCK_THREAD_CPUTIME_ID", "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE",
	"CLOCK_MONOTONIC_COARSE",  "CLOCK_BOOTTIME",      "CLOCK_REALTIME_ALARM",
	"CLOCK_BOOTTIME_ALARM",    "CLOCK_SGI_CYCLE",     "CLOCK_TAI",
};

static void report_call(const struct trace_call *call, FILE *to)
{
	char text[64];

	if (!call->has_clock)
		snprintf(text, sizeof(text), "%s()", call->name);
	else if ((unsigned long)call->clock < sizeof(clock_names) / sizeof(clock_names[0]))
		snprintf(text, sizeof(text), "%s(%s)", call->name, clock_names[call->clock]);
	else
		snprintf(text, sizeof(text), "%s(%d)", call->name, (int)call->clock);
	fprintf(to, "    %-45s %9llu %12llu\n", text, (unsigned long long)call->from_vdso,
		(unsigned long long)call->from_program);
}

static void report_functions(const struct trace *trace, const struct trace_program *program,
			     const uint64_t *counter, FILE *to)
{
	fprintf(to, "  %-24s %-8s %12s\n", "function of the page", "resolved", "calls");
	for (size_t f = 0; f < trace->counted.count; f++) {
		/* A program that calls it has found it, even if it remembers no address. */
		bool resolved = program->resolved & 1u << f || counter[f];

		fprintf(to, "    %-22s %-8s %12llu\n", trace->counted.function[f].name,
			resolved ? "yes" : "no", (unsigned long long)counter[f]);
	}
}

static void report_program(const struct trace *trace, unsigned number, FILE *to)
{
	const struct trace_program *program = &trace->program[number];
	const uint64_t *counter = trace_counters(trace, number);
	uint64_t asked = 0, called = 0;

	for (unsigned i = 0; i < program->calls; i++)
		asked += program->call[i].from_vdso + program->call[i].from_program;
	for (size_t f = 0; f < trace->counted.count; f++)
		called += counter[f];
	fprintf(to, "%s (process %d):", program->comm, program->pid);
	/* Most programs of a tree never look at a clock: a line is enough for them. */
	if (!asked && !called && number) {
		fprintf(to, " %d functions resolved, none called, no clock system calls\n",
			__builtin_popcount(program->resolved));
		return;
	}
	fputc('\n', to);
	report_functions(trace, program, counter, to);
	fprintf(to, "  clock system calls: %llu\n", (unsigned long long)asked);
	if (asked)
		fprintf(to, "    %-45s %9s %12s\n", "", "by page", "by program");
	for (unsigned i = 0; i < program->calls; i++)
		report_call(&program->call[i], to);
}

static void report(const struct trace *trace, FILE *to)
{
	for (unsigned i = 0; i < trace->programs; i++)
		report_program(trace, i, to);
	if (trace->not_counted)
		fprintf(to, "and %u programs more, which were not counted\n",
			trace->not_counted);
}

int cmd_trace(int argc, char **argv)
{
	struct trace trace = TRACE_NONE;
	struct run_request request;
	int status = run_options(argc, argv, help, &request), wait_status;

	if (status != RUN_OPTIONS_GOOD)
		return status;
	request.trace = &trace;
	status = run_request(&request, &wait_status);
	report(&trace, stderr);
	trace_close(&trace);
	if (status)
		return status;
	die_like(wait_status);
}
