/*
 * bench.h - what the parts of `make bench` share.
 *
 *	bench.c       the order of it all, and the options
 *	machine.c     on what machine this is: without that a number says nothing
 *	latency.c     what a call costs, in a table and as a CSV file
 *	measure.c     how that is measured
 *	calls.c       the calls themselves: one loop a function, and who answers it
 *	tail.c        how long the slowest calls take, beside a writer
 *	namespace.c   a process of ours in a time namespace of the kernel's
 *	sandwich.c    how far our clocks are from the kernel's
 *	start.c       what it costs to start a program on the vDSO
 *	follow.c      what it costs to have a whole tree on it
 *	images.c      instead of all that: images that were named, beside each other
 *
 * No absolute number is a promise: on another machine, or on this one an hour later, it
 * is another. What can be compared is what was measured in one run, taking turns.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "measure.h"
#include "uvdso.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* How far the second vDSO is shifted, and the kernel's namespace where it has one. */
#define SHIFT_SECONDS 3600

typedef int gettime_fn(clockid_t, struct timespec *);

struct bench {
	bool quick;         /* a few seconds, for the test: every number, less precise */
	bool tail;          /* nothing but the slowest calls */
	bool no_counter;    /* as on a machine without a usable counter */
	const char *images; /* names of files, or NULL */
	char dir[4096];     /* where this program lies */
	char csv[4200];     /* where the table goes, besides the terminal */

	/* Escape sequences, or empty strings when nobody could see the colour. */
	const char *bold, *good, *bad, *off;

	struct uvdso *plain, *shifted;
	struct vdso_elf ours, ours_shifted, kernel;
};

/* machine.c */
void machine_print(const struct bench *bench);

/* latency.c. Returns 0, or 1 after a message. */
int latency_bench(struct bench *bench);

/* tail.c. Returns 0, or 1 after a message. */
int tail_bench(const struct bench *bench);

/*
 * namespace.c. Runs code in a child that is in a new time namespace whose MONOTONIC and
 * BOOTTIME are SHIFT_SECONDS ahead. It can give something back in shared memory only.
 * Returns false if there is no such namespace to be had, with the reason in *why, and
 * then code has not been run.
 */
bool in_time_namespace(void (*code)(void *), void *argument, const char **why);

/* sandwich.c. Boots a vDSO of its own: half of the question is about its first second. */
int sandwich_bench(const struct bench *bench);

/* start.c */
int start_bench(const struct bench *bench);

/* follow.c. The second is what the first has run, by uvdso and without. */
int follow_bench(const struct bench *bench);
int follow_inside(void);

/* images.c. The names of files, with commas between them. Returns 0, or 1 after a message. */
int images_bench(const struct bench *bench, const char *list);

/* bench.c. Boots a vDSO and opens it. Returns 0, or 1 after a message. */
int boot(const struct uvdso_options *options, struct uvdso **vdso, struct vdso_elf *elf);

#endif
