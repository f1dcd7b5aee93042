/*
 * trace.c - uvdso trace: run, and then the tables of kernel/ptrace/trace.h on standard error.
 */
#include "cli.h"

static int trace(int argc, char **argv);

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
		 "called each, and which clock system calls were still made: by the vDSO,\n"
		 "where it fell back, or by PROGRAM itself. With --follow there is such a\n"
		 "report for each program of the tree.\n",
	.notes = "In the report, `resolved` means that PROGRAM had the function's address in\n"
		 "its memory at its end; `calls` are those of all its threads, and of the\n"
		 "processes that it forked.\n"
		 "\n"
		 "uvdso waits until everything that PROGRAM has started has ended. Nothing in\n"
		 "the tree gains rights from a setuid program (PR_SET_NO_NEW_PRIVS). Killing\n"
		 "uvdso kills the tree.\n",
	.ends = "  That of PROGRAM. A signal that kills it kills uvdso, too. And:\n"
		"  125  uvdso itself failed, wrong usage or a lost report included\n"
		"  126  PROGRAM cannot be run\n"
		"  127  PROGRAM is not found\n",
	.run = trace,
};

static int trace(int argc, char **argv)
{
	(void)argc;
	return run_with_options(argv, true);
}
