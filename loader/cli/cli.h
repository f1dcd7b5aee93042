/*
 * cli.h - what the subcommands of uvdso share: exit statuses, messages, their list.
 */
#ifndef CLI_H
#define CLI_H

#include <stddef.h>

#include "options.h"

/*
 * Exit statuses. A command that becomes another program needs statuses of its own that
 * the program is unlikely to have: 125 to 127, as env(1), timeout(1) and the shells.
 */
enum status {
	STATUS_OK = 0,
	STATUS_BROKEN = 1,       /* check, diff: something was found */
	STATUS_USAGE = 2,        /* wrong usage, or a file that cannot be read or written */
	STATUS_SELF = 125,       /* run, trace, gdb: anything of uvdso's own, usage included */
	STATUS_CANNOT_RUN = 126, /* ... the program is there but cannot be run */
	STATUS_NOT_FOUND = 127,  /* ... there is no such program */
};

/*
 * "uvdso: what: why" on standard error, as one line; why is a format. File names and
 * other text from outside may hold anything: what could steer a terminal is escaped.
 */
__attribute__((format(printf, 2, 3))) void complain(const char *what, const char *why, ...);

/*
 * The text with control characters, and bytes that are not UTF-8, written as \n, \t or
 * \xHH. To be freed by the caller; NULL if there is no memory.
 */
char *escape(const char *text);

/* The same into a buffer of size bytes, at least 5, and as much of it as fits. Returns to. */
const char *escape_to(char *to, size_t size, const char *text);

/* The number of bytes of the UTF-8 character at text, 0 if it is none; 1 for the null byte. */
size_t utf8_length(const char *text);

/* Writes out what waits for standard output; false if that, or any of it before, was lost. */
bool flush_output(void);

/* At the end: returns status; or failure, with a message, if any of the output was lost. */
int finish_output(int status, int failure);

extern const struct command command_run, command_trace, command_symbols, command_check,
	command_diff, command_watch, command_clock, command_dump, command_gdb;

/* The kernel's own vDSO of this process and its size in bytes; or NULL after a message. */
const unsigned char *kernel_image(size_t *size);

/* For check: a line for each client (kernel/image/clients). Do all take all they ask for? */
struct image;
bool print_clients(const char *path, const struct image *image);
bool print_clients_json(const char *path, const struct image *image, const char *error);
void list_clients(FILE *to);

/* The options of `uvdso run`, which `uvdso trace` has as well. */
extern const struct option_row run_options[];

/*
 * Runs the program argv to its end for a command, as run_options say, and counts into trace
 * unless that is NULL. Returns 0 and how it ended, as waitpid(2) gives it; or, after a message,
 * the status to exit with.
 */
struct trace;
int run_with_options(const struct command *command, char **argv, struct trace *trace,
		     int *wait_status);

/* Options that several commands have; what they set is the command's own. */
#define OPTION_OFFSET(clocks)                                               \
	{                                                                   \
		0, "offset", "CLOCK=+N[smhd]", set_offset, clocks,          \
			"shift CLOCK (realtime, monotonic, boottime or\n"   \
			"tai) by +N or -N seconds, minutes, hours or\n"     \
			"days; may be repeated, the last one for a clock\n" \
			"counts"                                            \
	}
#define OPTIONS_CLOCK(clocks)                                                            \
	OPTION_OFFSET(clocks),                                                           \
		{0,                                                                      \
		 "at",                                                                   \
		 "TIME",                                                                 \
		 set_at,                                                                 \
		 clocks,                                                                 \
		 "REALTIME and TAI begin at TIME: '2038-01-19\n"                         \
		 "03:14:00', local or followed by UTC; @SECONDS; or\n"                   \
		 "words that date(1) knows"},                                            \
		{0, "freeze", NULL, set_freeze, clocks, "REALTIME and TAI stand still"}, \
		{0,                                                                      \
		 "rate",                                                                 \
		 "N",                                                                    \
		 set_rate,                                                               \
		 clocks,                                                                 \
		 "REALTIME and TAI run N times as fast, from 0.001\n"                    \
		 "to 1000"},                                                             \
	{                                                                                \
		0, "rate-all", NULL, set_rate_all, clocks,                               \
			"with --rate: so do the other clocks, and sleeps,\n"             \
			"timers and timeouts"                                            \
	}
#define OPTION_COUNTER(choice)                                                  \
	{                                                                       \
		0, "counter", "WHEN", set_counter, choice,                      \
			"read the fine clocks off the machine's counter:\n"     \
			"auto (default: if the kernel relies on it), always,\n" \
			"or never (by system calls)"                            \
	}
#define OPTION_NO_COUNTER(choice)                                                            \
	{                                                                                    \
		0, "no-counter", NULL, set_no_counter, choice, "the same as --counter=never" \
	}
#define OPTION_VERBOSE(flag, help)                         \
	{                                                  \
		'v', "verbose", NULL, set_flag, flag, help \
	}

/* For struct clock_wish *: another clock is shifted. */
option_set set_offset;

/* For struct clock_wish *, too. */
option_set set_at, set_freeze, set_rate, set_rate_all;

/* Do they go together? Returns 0, or after a message the status to exit with. */
struct clock_wish;
int check_clocks(const struct command *command, const struct clock_wish *wish);

/* For enum uvdso_counter *. */
option_set set_counter, set_no_counter;

/* Prints what happens meanwhile; see kernel/base/event.h. */
struct event;
void print_event(void *unused, const struct event *event);

#endif
