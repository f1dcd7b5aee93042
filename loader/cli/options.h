/*
 * options.h - one parser for the command line of every subcommand.
 *
 * A command declares what it takes, as data: a table of options, and its operands. From
 * that come the parsing, the messages and the text of --help, so that they are the same
 * everywhere, and a new option is one row (and a line in the manual page and in the
 * completion: tests/cli/words.t compares all three).
 *
 * The rules, which are those of getopt_long(3) but for the second:
 *
 *   - `--name value` and `--name=value`, `-n value` and `-nvalue`; `--` ends the options.
 *   - Long options are not abbreviated. Otherwise a new option could change the meaning of
 *     a script that has a short form of an old one.
 *   - Options may come after operands, unless the operands are a program and its arguments.
 *   - If an option is repeated the last one counts; a shift of a clock replaces an earlier
 *     shift of that clock only.
 *   - -h and --help are options of every command, and win over what is wrong after them.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Sets the option: to is what the row says, text the option's argument or NULL. Returns
 * NULL, or a sentence that says what is wrong with the text.
 */
typedef const char *option_set(const char *text, void *to);

option_set set_flag; /* bool *: true */
option_set set_text; /* const char **: the argument itself */

/* A table of these ends with a row that has no name. */
struct option_row {
	char letter;      /* 'v' for -v, or 0 */
	const char *name; /* "verbose" for --verbose: every option has a long name */
	const char *arg;  /* what its argument is called; NULL: it takes none */
	option_set *set;
	void *to;
	const char *help; /* lines of at most 50 characters */
};

/* The option that every command has without declaring it. */
extern const struct option_row help_row;

struct command {
	const char *name;                  /* NULL: uvdso itself */
	const char *summary;               /* a few words, for the list of commands */
	const char *operands;              /* "PROGRAM [ARG]...", as usage shows them */
	const char *first;                 /* what the first operand is called */
	unsigned min, max;                 /* how many operands there may be */
	bool program;                      /* the first operand ends the options */
	const struct option_row *options;  /* NULL: only --help */
	int failure;                       /* its status for wrong usage and lost output */
	const char *about, *notes;         /* paragraphs before and after the options */
	void (*more)(FILE *to);            /* prints what only the program knows; or NULL */
	const char *ends;                  /* its exit statuses, a line each */
	int (*run)(int argc, char **argv); /* takes its operands, returns the exit status */
};

#define ANY_NUMBER (~0u)

/*
 * Parses the arguments, of which argv[0] is the command's name, and sets what its options
 * set. Returns OPTIONS_GOOD, with the operands from argv[optind] on; or the status to
 * exit with, after a message or after the help.
 */
#define OPTIONS_GOOD (-1)
int options_parse(const struct command *command, int argc, char **argv);

/*
 * "uvdso: COMMAND: what: why; see `uvdso COMMAND --help`". what is a word of the command
 * line, or NULL where one is missing; why is a format. Returns the command's status for
 * failures.
 */
__attribute__((format(printf, 3, 4))) int refuse(const struct command *command,
						 const char *what, const char *why, ...);

/* The text of `uvdso COMMAND --help`. */
void print_help(const struct command *command, FILE *to);

#endif
