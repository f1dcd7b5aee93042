/*
 * main.c - the command uvdso: finds the subcommand and hands over.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct command {
	const char *name, *args, *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", "[OPTION]... [--] PROGRAM [ARG]...", "run an unmodified program on the page",
	 cmd_run},
	{"trace", "[OPTION]... [--] PROGRAM [ARG]...",
	 "run it, then say what it used of the page and what it asked the kernel", cmd_trace},
	{"symbols", "[FILE | --kernel]", "the exported names, each with its version",
	 cmd_symbols},
	{"check", "FILE...", "hold an image against every rule", cmd_check},
	{"diff", "", "our page beside the running kernel's, point by point", cmd_diff},
	{"watch", "[-n TIMES]", "the data page, live", cmd_watch},
	{"dump", "[-o FILE]", "write out the kernel's own vDSO of this process", cmd_dump},
	{"gdb", "PID [GDB-ARG...]", "attach gdb to a program on the page, with our source",
	 cmd_gdb},
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

void complain(const char *what, const char *why, ...)
{
	va_list ap;

	fprintf(stderr, "uvdso: %s: ", what);
	va_start(ap, why);
	vfprintf(stderr, why, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void usage(FILE *to)
{
	fputs("uvdso - build your own vDSO in userspace, and run programs on it\n\n", to);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  uvdso %s%s%s\n      %s\n", commands[i].name,
			*commands[i].args ? " " : "", commands[i].args, commands[i].what);
	fputs("\n`uvdso COMMAND --help` says more about each.\n", to);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return STATUS_OK;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	complain(argv[1], "no such command; `uvdso --help` lists them");
	return STATUS_USAGE;
}
