/*
 * check.h - holds the bytes of an image against every rule.
 *
 * Nobody relocates a vDSO, and nobody forgives it: a C library that is handed a
 * broken one falls back to system calls without a word, or dies before main. The
 * kernel therefore checks its image while it is built (vdso2c.c, and the search
 * for relocations in lib/vdso/Makefile.include). We check ours when it is built,
 * when a test asks, and before the loader maps a byte of it, and look at more:
 * relocations by the size of their tables, RELR and JMPREL among them, and
 * everything that some client is known to trip over.
 */
#ifndef KERNEL_IMAGE_CHECK_CHECK
#define KERNEL_IMAGE_CHECK_CHECK

#include <stdint.h>

#include "kernel/image/image.h"

/* Every rule: its short name, and one line of what it asks for. */
struct image_rule {
	const char *name, *what;
};
extern const struct image_rule image_rules[];
extern const unsigned image_nr_rules;

/*
 * Called for each breach: the name of the rule, and what was found, where, and
 * whom it hurts, in one line of printable ASCII without a newline. Both strings
 * are only good until the function returns.
 */
typedef void image_report_fn(void *arg, const char *rule, const char *message);

/* A rule that is broken more often than this is reported once more, to say so. */
#define IMAGE_REPORTS_PER_RULE 8

/*
 * Returns the number of rules that the image breaks; 0 is a good image. report
 * may be NULL. Some rules cannot be looked at once another is broken: an image
 * without a PT_LOAD is not asked for its symbols.
 *
 * Whatever the bytes are, none outside [bytes, bytes + size) is read, and the
 * time is bounded. Allocates nothing, keeps no state, prints nothing; may be
 * called from any thread.
 */
unsigned image_check(const struct image *image, image_report_fn *report, void *arg);

/* The machine (EM_* of elf.h) that the image is for; 0 if these bytes are no ELF file. */
unsigned image_machine(const struct image *image);

/*
 * The entry of its ELF header, for an image that is known to be an ELF file; 0 if there is
 * none. i386's image has one, for AT_SYSINFO.
 */
uint32_t image_entry(const struct image *image);

#endif
