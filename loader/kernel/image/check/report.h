/*
 * report.h - the rules by name, and where a breach of one is noted.
 *
 * The lowest part of the checker: it knows nothing of ELF. The rules are listed here, in
 * enum rule, and in report.c, with what each asks for. A new rule is a line in both, and the
 * code that looks for the breach, in the file of its part.
 */
#ifndef KERNEL_IMAGE_CHECK_REPORT_H
#define KERNEL_IMAGE_CHECK_REPORT_H

#include <stdbool.h>

#include "kernel/image/check/check.h"

/* In the order of image_rules[]. */
enum rule {
	RULE_ELF,
	RULE_TRUNCATED,
	RULE_SEGMENTS,
	RULE_NO_INTERP,
	RULE_NO_TLS,
	RULE_NO_RELRO,
	RULE_ONE_LOAD,
	RULE_LOAD_AT_ZERO,
	RULE_LOAD_OFFSET,
	RULE_LOAD_FLAGS,
	RULE_LOAD_SIZES,
	RULE_LOAD_ALIGN,
	RULE_LOAD_COVERS,
	RULE_HEADERS_MAPPED,
	RULE_SECTION_HEADERS,
	RULE_NO_WRITABLE_DATA,
	RULE_DYNAMIC,
	RULE_DYNAMIC_READ_ONLY,
	RULE_DYNAMIC_TAGS,
	RULE_NO_RELOCATIONS,
	RULE_NO_TEXTREL,
	RULE_NO_DEPENDENCIES,
	RULE_STRTAB,
	RULE_SONAME,
	RULE_SONAME_TAKEN,
	RULE_SONAME_KNOWN,
	RULE_SYMBOLS,
	RULE_NAMES,
	RULE_VISIBILITY,
	RULE_HASH,
	RULE_GNU_HASH,
	RULE_VERSIONS,
	RULE_VERSION_HIDDEN,
	RULE_ALIGNMENT,
	RULE_NOTES,
	RULE_NOTE_VERSION,
	RULE_NOTE_BUILD_ID,
	RULE_NOTE_LAYOUT,
	RULE_EH_FRAME,
	RULE_EH_FRAME_HDR,
	RULE_EH_FRAME_END,
	RULE_EH_FRAME_ZERO,
	RULE_CFI,
	RULE_CFI_COVERS,
	RULE_ALTERNATIVES,
	RULE_NOTHING_AFTER,
	NR_RULES
};

/* What was found, for one image. */
struct report {
	image_report_fn *tell; /* or NULL */
	void *arg;
	unsigned char told[NR_RULES];
	bool broken[NR_RULES];
};

/* Notes a breach and tells of it; offset is where in the file it is, or IMAGE_NOWHERE. */
__attribute__((format(printf, 4, 5))) void
rule_broken_at(struct report *report, enum rule rule, uint64_t offset, const char *fmt, ...);

#define rule_broken(report, rule, ...) rule_broken_at(report, rule, IMAGE_NOWHERE, __VA_ARGS__)

/* How many rules are broken, house rules not counted. */
unsigned report_count(const struct report *report);

/* How a number and an address of the image are printed, with %#llx or %llu. */
#define X(number) ((unsigned long long)(number))

#endif
