/*
 * cli.h - what the subcommands of uvdso share: statuses, errors, their list.
 */
#ifndef CLI_H
#define CLI_H

#include <stddef.h>

/* Exit statuses. 125 to 127 as env(1), timeout(1) and the shells have them. */
enum status {
	STATUS_OK = 0,
	STATUS_BROKEN = 1,       /* check, diff: something is not as it should be */
	STATUS_USAGE = 2,        /* the command line is wrong, or a file cannot be read */
	STATUS_SELF = 125,       /* run: uvdso itself failed */
	STATUS_CANNOT_RUN = 126, /* run: the program is there but cannot be run */
	STATUS_NOT_FOUND = 127,  /* run: there is no such program */
};

/* "uvdso: what: why" on standard error. why is a format. */
__attribute__((format(printf, 2, 3))) void complain(const char *what, const char *why, ...);

/* Each takes its own name in argv[0], and returns the exit status. */
int cmd_run(int argc, char **argv);
int cmd_symbols(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* The kernel's own vDSO of this process and its size in bytes; or NULL after a message. */
const unsigned char *kernel_image(size_t *size);

struct run_request;

/*
 * The options of `uvdso run` and the program behind them. Returns RUN_OPTIONS_GOOD; or the
 * status to exit with, after a message or the usage.
 */
#define RUN_OPTIONS_GOOD -1
int run_options(int argc, char **argv, const char *usage, struct run_request *request);

/*
 * Runs it to its end. Returns 0 and how it ended, as waitpid(2) gives it; or, after a message,
 * the status to exit with.
 */
int run_request(const struct run_request *request, int *wait_status);

/* Prints what happens meanwhile; see kernel/base/event.h. */
struct event;
void print_event(void *unused, const struct event *event);

#endif
