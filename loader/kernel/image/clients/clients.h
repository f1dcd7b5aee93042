/*
 * clients.h - what the readers of a vDSO make of an image, each as its own source has it.
 *
 * `uvdso check` says which rules an image breaks. Here the question is the other one: what
 * happens to whom? For each client there is a small restatement of the way in which it looks
 * for its functions: in its own order, with its own tests, and without those that it does not
 * make. All read through struct look (look.h), so that a client that would read outside of the
 * image is stopped there, and the verdict says what it was reading.
 *
 * They are about the tables. Whether the code behind a symbol is right is not for them to say.
 */
#ifndef KERNEL_IMAGE_CLIENTS_CLIENTS_H
#define KERNEL_IMAGE_CLIENTS_CLIENTS_H

#include <stdbool.h>

#include "kernel/image/image.h"

enum client_outcome {
	CLIENT_OURS,       /* it takes its functions from this image */
	CLIENT_FALLS_BACK, /* it goes on without, by system calls, and says nothing */
	CLIENT_REFUSES,    /* it stops, with a message of its own */
	CLIENT_CRASHES,    /* a signal, or the abort of a run time system */
	CLIENT_HANGS,      /* it never comes back from the tables */
	CLIENT_ABSENT, /* there is no such client on the image's machine, or it does not look */
	NR_CLIENT_OUTCOMES
};

/* "ours", "falls back" and so on. */
extern const char *const client_outcomes[NR_CLIENT_OUTCOMES];

/*
 * rule is the name of one of image_rules[] (check/check.h), NULL when there is nothing to say,
 * and then why is empty: of CLIENT_ABSENT, and of CLIENT_OURS when nothing is lacking. why is
 * one line of printable ASCII.
 */
struct client_verdict {
	enum client_outcome outcome;
	const char *rule;
	char why[256];
};

struct client {
	const char *name;
	const char *who;    /* which versions of what, in a few words */
	const char *source; /* the file that this is a restatement of */
	const char *tested; /* what tests/image/clients.t runs; NULL: read, not run */
	const char *where; /* the machines that it uses a vDSO on, as machine.h names them, with
			      a blank on either side; NULL: all */
};
extern const struct client clients[];
extern const unsigned nr_clients;

/* Is the real client run on images of this machine, too, to see whether this is true? */
bool client_is_run(const struct client *client, const struct image *image);

/*
 * What clients[number] makes of the image. As image_check(): reads nothing outside of the
 * bytes, takes bounded time, allocates nothing, and may be called from any thread.
 */
void client_judge(unsigned number, const struct image *image, struct client_verdict *verdict);

#endif
