/*
 * options.c - see options.h. getopt_long(3) does the parsing; its tables are made here
 * from the rows of the command, and its findings become our messages.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* What getopt_long() returns for the long name of row 0; below are the letters. */
#define FIRST_LONG 256

/* The tables of getopt_long(3), and the rows that its long options stand for. */
struct parser {
	const struct option_row **rows;
	struct option *longs;
	char *letters;
	int count;
};

const char *set_flag(const char *text, void *to)
{
	(void)text;
	*(bool *)to = true;
	return NULL;
}

const char *set_text(const char *text, void *to)
{
	*(const char **)to = text;
	return NULL;
}

int refuse(const struct command *command, const char *what, const char *why, ...)
{
	const char *name = command->name;
	char *text = NULL;
	va_list ap;

	va_start(ap, why);
	if (vasprintf(&text, why, ap) < 0)
		text = NULL;
	va_end(ap);
	if (what && !*what)
		what = "''";
	if (name)
		complain(name, "%s%s%s; see `uvdso %s --help`", what ? what : "",
			 what ? ": " : "", text ? text : why, name);
	else
		complain(what, "%s; see `uvdso --help`", text ? text : why);
	free(text);
	return command->failure;
}

static void add_row(struct parser *parser, const struct option_row *row, char **letter)
{
	int i = parser->count++;

	parser->rows[i] = row;
	parser->longs[i] = (struct option){
		.name = row->name,
		.has_arg = row->arg ? required_argument : no_argument,
		.val = FIRST_LONG + i,
	};
	if (row->letter)
		*(*letter)++ = row->letter;
	if (row->letter && row->arg)
		*(*letter)++ = ':';
}

static bool make_parser(struct parser *parser, const struct command *command)
{
	size_t rows = 1;
	char *letter;

	while (command->options && command->options[rows - 1].name)
		rows++;
	*parser = (struct parser){
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): its elements are pointers */
		.rows = calloc(rows, sizeof(*parser->rows)),
		.longs = calloc(rows + 1, sizeof(*parser->longs)),
		.letters = calloc(rows + 2, 2),
	};
	if (!parser->rows || !parser->longs || !parser->letters)
		return false;
	letter = parser->letters;
	if (command->program)
		*letter++ = '+';
	*letter++ = ':'; /* a missing argument is told apart from an unknown option */
	for (size_t i = 0; i + 1 < rows; i++)
		add_row(parser, &command->options[i], &letter);
	add_row(parser, &help_row, &letter);
	return true;
}

static void free_parser(struct parser *parser)
{
	free(parser->rows);
	free(parser->longs);
	free(parser->letters);
}

static const struct option_row *find_row(const struct parser *parser, int got)
{
	if (got >= FIRST_LONG)
		return parser->rows[got - FIRST_LONG];
	for (int i = 0; i < parser->count; i++)
		if (parser->rows[i]->letter == got)
			return parser->rows[i];
	return NULL;
}

/* Was the long option that getopt_long() has just found written out in full? */
static bool written_out(const struct option_row *row, char **argv)
{
	const char *word = argv[optind - 1];

	if (optarg == word)
		word = argv[optind - 2];
	word += strspn(word, "-");
	return strcspn(word, "=") == strlen(row->name);
}

/* The option as the user gave it, for a message. */
static const char *spelling(const struct option_row *row, int got, char text[64])
{
	if (row && got >= FIRST_LONG)
		snprintf(text, 64, "--%s", row->name);
	else
		snprintf(text, 64, "-%c", got);
	return text;
}

/* One result of getopt_long(): OPTIONS_GOOD, or the status to exit with. */
static int take_option(const struct command *command, const struct parser *parser, int got,
		       char **argv)
{
	bool bad = got == ':' || got == '?';
	const struct option_row *row = find_row(parser, bad ? optopt : got);
	const char *why;
	char text[64];

	/* Of an unknown long option getopt_long() says nothing; it is the last word. */
	if (bad && !optopt)
		return refuse(command, argv[optind - 1], "no such option");
	spelling(row, bad ? optopt : got, text);
	if (!row)
		return refuse(command, text, "no such option");
	if (got == ':')
		return refuse(command, text, "needs an argument, %s", row->arg);
	if (bad)
		return refuse(command, text, "takes no argument");
	if (got >= FIRST_LONG && !written_out(row, argv))
		return refuse(command, argv[optind - 1 - (optarg == argv[optind - 1])],
			      "no such option (--%s cannot be abbreviated)", row->name);
	if (row == &help_row) {
		print_help(command, stdout);
		return finish_output(STATUS_OK, command->failure);
	}
	why = row->set(optarg, row->to);
	return why ? refuse(command, text, "'%s': %s", optarg, why) : OPTIONS_GOOD;
}

static int take_operands(const struct command *command, int argc, char **argv)
{
	unsigned operands = (unsigned)(argc - optind);

	if (operands < command->min)
		return refuse(command, NULL, "no %s given", command->first);
	if (operands > command->max)
		return refuse(command, argv[optind + (int)command->max], "not expected here");
	return OPTIONS_GOOD;
}

int options_parse(const struct command *command, int argc, char **argv)
{
	struct parser parser;
	int status = OPTIONS_GOOD, got;

	if (!make_parser(&parser, command)) {
		free_parser(&parser);
		complain("options", "out of memory");
		return command->failure;
	}
	opterr = 0;
	optind = 0; /* from the beginning, even if another table was used before */
	while (status == OPTIONS_GOOD &&
	       (got = getopt_long(argc, argv, parser.letters, parser.longs, NULL)) != -1)
		status = take_option(command, &parser, got, argv);
	free_parser(&parser);
	return status == OPTIONS_GOOD ? take_operands(command, argc, argv) : status;
}
