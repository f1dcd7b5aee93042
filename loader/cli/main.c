/*
 * main.c - the command uvdso: finds the subcommand, hands over, and checks its output.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "version.h"

static int help(int argc, char **argv);

static const struct command command_help = {
	.name = "help",
	.summary = "show what uvdso, or one of its commands, can do",
	.operands = "[COMMAND]",
	.max = 1,
	.failure = STATUS_USAGE,
	.about =
		"Shows what `uvdso COMMAND --help` shows; without COMMAND, the list of them.\n",
	.ends = "  0    shown\n"
		"  2    wrong usage\n",
	.run = help,
};

static const struct command *const commands[] = {
	&command_run,   &command_trace, &command_symbols, &command_check, &command_diff,
	&command_watch, &command_clock, &command_dump,    &command_gdb,   &command_help,
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool show_version;

static const struct option_row options[] = {
	{0, "version", NULL, set_flag, &show_version, "show the version and exit"},
	{0},
};

static void list_commands(FILE *to)
{
	fputs("\nCommands:\n", to);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`uvdso COMMAND --help` says more about each.\n", to);
}

static const struct command uvdso = {
	.operands = "COMMAND [ARG]...",
	.max = ANY_NUMBER,
	.program = true,
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Runs unmodified programs on a vDSO of its own, and shows how a vDSO works.\n",
	.more = list_commands,
	.ends = "  That of the command. Called in a wrong way: 2, or 125 of run, trace and "
		"gdb.\n",
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	refuse(&uvdso, name, "no such command");
	return NULL;
}

static int help(int argc, char **argv)
{
	const struct command *command = argc ? find_command(argv[0]) : &uvdso;

	if (!command)
		return STATUS_USAGE;
	print_help(command, stdout);
	return STATUS_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int status = options_parse(command, argc, argv);

	if (status != OPTIONS_GOOD)
		return status;
	status = command->run(argc - optind, argv + optind);
	return finish_output(status, command->failure);
}

int main(int argc, char **argv)
{
	static char messages[BUFSIZ];
	const struct command *command;
	int status;

	/* Whole lines; and where the stack is short (ulimit -s), stdio must not take its own.
	 */
	setvbuf(stderr, messages, _IOLBF, sizeof(messages));
	status = options_parse(&uvdso, argc, argv);
	if (status != OPTIONS_GOOD)
		return status;
	if (show_version) {
		puts("uvdso " UVDSO_VERSION);
		return finish_output(STATUS_OK, STATUS_USAGE);
	}
	if (optind >= argc) {
		print_help(&uvdso, stderr);
		return STATUS_USAGE;
	}
	command = find_command(argv[optind]);
	return command ? run_command(command, argc - optind, argv + optind) : STATUS_USAGE;
}
