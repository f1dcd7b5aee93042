/*
 * help.c - the text of --help, made from what a command declares (options.h).
 */
#include <string.h>

#include "cli.h"

/* Where the explanation of an option begins. */
#define COLUMN 28

const struct option_row help_row = {
	.letter = 'h', .name = "help", .help = "show this help and exit"};

static void print_usage(const struct command *command, FILE *to)
{
	fputs("usage: uvdso", to);
	if (command->name)
		fprintf(to, " %s", command->name);
	fputs(command->options ? " [OPTION]..." : "", to);
	fputs(command->program && command->name ? " [--]" : "", to);
	fprintf(to, "%s%s\n", *command->operands ? " " : "", command->operands);
}

/* Lines, of which the first continues one that has got as far as width. */
static void print_column(const char *text, int width, FILE *to)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (width >= COLUMN)
			fputc('\n', to);
		fprintf(to, "%*s%.*s\n", width >= COLUMN ? COLUMN : COLUMN - width, "",
			(int)length, text);
		text += length;
		text += *text == '\n';
		width = 0;
	}
}

static void print_option(const struct option_row *row, FILE *to)
{
	char letter[4] = {'-', row->letter, ',', 0};
	int width = fprintf(to, "  %-3s --%s%s%s", row->letter ? letter : "", row->name,
			    row->arg ? " " : "", row->arg ? row->arg : "");

	/* Two blanks at least in between. */
	print_column(row->help, width + 2 > COLUMN ? COLUMN : width, to);
}

void print_help(const struct command *command, FILE *to)
{
	print_usage(command, to);
	fprintf(to, "\n%s\nOptions:\n", command->about);
	for (const struct option_row *row = command->options; row && row->name; row++)
		print_option(row, to);
	print_option(&help_row, to);
	if (command->notes)
		fprintf(to, "\n%s", command->notes);
	if (command->more)
		command->more(to);
	if (command->ends)
		fprintf(to, "\nExit status:\n%s", command->ends);
}
