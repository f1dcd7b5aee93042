/*
 * report.c - see report.h.
 *
 * Where the rules come from: the contract that the C libraries in use have with a vDSO, most of
 * it written down nowhere but in their sources and their bug trackers. Each message says which
 * client a breach hurts, so that somebody who bends a rule knows what it was for. Lists are
 * lists of what is allowed: what the checker has never heard of is reported, not waved through.
 */
#include <stdarg.h>
#include <stdio.h> /* vsnprintf, and nothing else: a library does not print */

#include "kernel/image/check/report.h"

const struct image_rule image_rules[] = {
	[RULE_ELF] = {.name = "elf",
		      .what = "a little-endian ELF shared object for a known machine"},
	[RULE_TRUNCATED] = {.name = "truncated",
			    .what = "the tables that the ELF header names are inside the file"},
	[RULE_SEGMENTS] = {.name = "segments",
			   .what = "only kinds of segments that a vDSO can have"},
	[RULE_NO_INTERP] = {.name = "no-interp",
			    .what = "no PT_INTERP: nothing interprets a vDSO"},
	[RULE_NO_TLS] = {.name = "no-tls", .what = "no thread-local data: nothing sets it up"},
	[RULE_NO_RELRO] = {.name = "no-relro",
			   .what = "no PT_GNU_RELRO: nothing is written, then protected"},
	[RULE_ONE_LOAD] = {.name = "one-load", .what = "exactly one PT_LOAD"},
	[RULE_LOAD_AT_ZERO] = {.name = "load-at-zero",
			       .what = "the PT_LOAD has offset 0 and address 0"},
	[RULE_LOAD_FLAGS] = {.name = "load-flags",
			     .what = "the PT_LOAD is R+X: read, execute, never write"},
	[RULE_LOAD_SIZES] = {.name = "load-sizes",
			     .what = "the PT_LOAD is all file: memsz is filesz"},
	[RULE_LOAD_ALIGN] = {.name = "load-align",
			     .what = "the PT_LOAD asks for no more than page alignment"},
	[RULE_LOAD_COVERS] = {.name = "load-covers",
			      .what = "headers and tables lie in the mapped bytes"},
	[RULE_SECTION_HEADERS] =
		{.name = "section-headers",
		 .what = "a section table with names and a .dynsym, which some clients go by"},
	[RULE_NO_WRITABLE_DATA] = {.name = "no-writable-data",
				   .what = "no variables: the image is mapped read-only"},
	[RULE_DYNAMIC] = {.name = "dynamic",
			  .what = "exactly one PT_DYNAMIC, ended by DT_NULL"},
	[RULE_DYNAMIC_READ_ONLY] = {.name = "dynamic-read-only",
				    .what = "the PT_DYNAMIC has no PF_W"},
	[RULE_DYNAMIC_TAGS] = {.name = "dynamic-tags",
			       .what = "only dynamic tags that a vDSO can have, each once"},
	[RULE_NO_RELOCATIONS] = {.name = "no-relocations",
				 .what = "no REL, RELA, JMPREL or RELR entries"},
	[RULE_NO_TEXTREL] = {.name = "no-textrel", .what = "no DT_TEXTREL, no DF_TEXTREL"},
	[RULE_NO_DEPENDENCIES] =
		{.name = "no-dependencies",
		 .what = "nothing needed, searched for, or run at start and end"},
	[RULE_STRTAB] = {.name = "strtab", .what = "a well-formed string table"},
	[RULE_SONAME] = {.name = "soname", .what = "a DT_SONAME that is not empty"},
	[RULE_SYMBOLS] = {.name = "symbols",
			  .what = "defined, visible functions in the image's own code"},
	[RULE_NAMES] =
		{.name = "names",
		 .what = "functions by the names that the machine's clients look for",
		 .hurts = "every client falls back to system calls, without a word",
		 .mend = "linker script: export them by the kernel's names, which are in "
			 "vdso(7): "
			 "__vdso_clock_gettime, on arm64, ppc and s390 __kernel_clock_gettime",
		 .source = "glibc sysdeps/unix/sysv/linux/*/sysdep.h; musl "
			   "arch/*/syscall_arch.h"},
	[RULE_HASH] = {.name = "hash",
		       .what = "DT_HASH and DT_GNU_HASH, and every symbol is found by both"},
	[RULE_VERSIONS] =
		{.name = "versions",
		 .what = "a base entry and the machine's node; every symbol has a node"},
	[RULE_NOTES] = {.name = "notes",
			.what = "well-formed notes, a Linux version and a build id among them"},
	[RULE_EH_FRAME] = {.name = "eh-frame",
			   .what = "an unwind table that knows every exported function"},
};
const unsigned image_nr_rules = NR_RULES;

_Static_assert(sizeof(image_rules) / sizeof(image_rules[0]) == NR_RULES, "a rule has no name");

static void tell(const struct report *report, enum rule rule, uint64_t offset,
		 const char *message)
{
	report->tell(report->arg, &(struct image_finding){
					  .rule = &image_rules[rule],
					  .message = message,
					  .offset = offset,
				  });
}

void rule_broken_at(struct report *report, enum rule rule, uint64_t offset, const char *fmt,
		    ...)
{
	char message[512];
	va_list ap;

	report->broken[rule] = true;
	if (!report->tell || report->told[rule] > IMAGE_REPORTS_PER_RULE)
		return;
	if (report->told[rule]++ == IMAGE_REPORTS_PER_RULE) {
		tell(report, rule, IMAGE_NOWHERE, "and more of these, which are not shown");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	/* The names in it are the image's: no newline, nothing that a terminal obeys. */
	for (char *p = message; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	tell(report, rule, offset, message);
}

unsigned report_count(const struct report *report)
{
	unsigned count = 0;

	for (unsigned rule = 0; rule < NR_RULES; rule++)
		count += report->broken[rule];
	return count;
}
