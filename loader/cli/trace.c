/*
 * trace.c - uvdso trace: run, and then the tables of kernel/trace.h on standard error.
 */
#include <stdio.h>

#include "cli.h"
#include "kernel/run/run.h"

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

int cmd_trace(int argc, char **argv)
{
	struct run_request request;
	int status = run_options(argc, argv, help, &request);

	if (status != RUN_OPTIONS_GOOD)
		return status;
	request.trace = stderr;
	return run_request(&request);
}
