/*
 * check.h - holds the bytes of an image against every rule.
 *
 * A vDSO is never relocated, and its mistakes are silent: a C library that is handed
 * a broken one falls back to system calls without a word, or dies before main. The
 * kernel therefore checks its image while it is built (vdso2c.c, and the search for
 * relocations in lib/vdso/Makefile.include). We check ours when it is built, in the
 * tests, and before the loader maps a byte of it, and look at more: relocations by
 * the size of their tables, RELR and JMPREL among them, and everything that some
 * client is known to trip over.
 */
#ifndef KERNEL_IMAGE_CHECK_CHECK_H
#define KERNEL_IMAGE_CHECK_CHECK_H

#include <stdint.h>

#include "kernel/image/image.h"

/*
 * Every rule: its short name, one line of what it asks for, and who is hurt by a breach, and
 * how; NULL where no client is known to be: a house rule. How to mend it: a linker's
 * option, or a line of a linker script; and where all this is known from.
 */
struct image_rule {
	const char *name, *what;
	const char *hurts, *mend, *source;
};
extern const struct image_rule image_rules[];
extern const unsigned image_nr_rules;

/* What is not at one place of the file. */
#define IMAGE_NOWHERE UINT64_MAX

/* A breach: what was found, in one line of printable ASCII, and at which offset of the file. */
struct image_finding {
	const struct image_rule *rule;
	const char *message;
	uint64_t offset;
};

/* Called for each breach. What it points to is only valid until the function returns. */
typedef void image_report_fn(void *arg, const struct image_finding *finding);

/* A rule that is broken more often than this is reported once more, to say so. */
#define IMAGE_REPORTS_PER_RULE 8

/*
 * Returns the number of rules that the image breaks and whose breach hurts somebody; 0 is a
 * good image. report may be NULL; it hears of the house rules as well, which are not
 * counted. Some rules cannot be checked once another is broken: in an image without a PT_LOAD
 * no symbol is looked for.
 *
 * Whatever the bytes are, none outside [bytes, bytes + size) is read, and the
 * time is bounded. Allocates nothing, keeps no state, prints nothing; may be
 * called from any thread.
 */
unsigned image_check(const struct image *image, image_report_fn *report, void *arg);

/* How many of image_rules[] hurt somebody. */
unsigned image_nr_hurting(void);

#endif
