/*
 * check.c - the image checker: its rules by name, and the order in which
 * an image is held against them.
 *
 * Where the rules come from: the contract that the C libraries in use have with
 * the page, most of it written down nowhere but in their sources and their bug
 * trackers. Each message says which client a breach hurts, so that whoever bends
 * a rule knows what for. Lists are lists of what is allowed: what nobody here has
 * heard of is reported, not waved through.
 *
 * The files of the checker are listed in parts.h.
 */
#include <stdarg.h>
#include <stdio.h> /* vsnprintf, and nothing else: a library does not print */
#include <string.h>

#include "kernel/image/check/parts.h"

const struct image_rule image_rules[] = {
	[RULE_ELF] = {"elf", "a little-endian ELF shared object for a machine we know"},
	[RULE_TRUNCATED] = {"truncated",
			    "the tables that the ELF header names are in the file"},
	[RULE_SEGMENTS] = {"segments", "only kinds of segments that a page can have"},
	[RULE_NO_INTERP] = {"no-interp", "no PT_INTERP: nobody interprets the page"},
	[RULE_NO_TLS] = {"no-tls", "no thread-local data: nobody sets it up"},
	[RULE_NO_RELRO] = {"no-relro", "no PT_GNU_RELRO: nothing is written, then protected"},
	[RULE_ONE_LOAD] = {"one-load", "exactly one PT_LOAD"},
	[RULE_LOAD_AT_ZERO] = {"load-at-zero", "the PT_LOAD has offset 0 and address 0"},
	[RULE_LOAD_FLAGS] = {"load-flags", "the PT_LOAD is R+X: read, execute, never write"},
	[RULE_LOAD_SIZES] = {"load-sizes", "the PT_LOAD is all file: memsz is filesz"},
	[RULE_LOAD_ALIGN] = {"load-align", "the PT_LOAD asks for no more than page alignment"},
	[RULE_LOAD_COVERS] = {"load-covers", "headers and tables lie in the mapped bytes"},
	[RULE_SECTION_HEADERS] =
		{"section-headers",
		 "a section table with names and a .dynsym, for who goes by it"},
	[RULE_NO_WRITABLE_DATA] = {"no-writable-data",
				   "no variables: nobody may write to the page"},
	[RULE_DYNAMIC] = {"dynamic", "exactly one PT_DYNAMIC, ended by DT_NULL"},
	[RULE_DYNAMIC_READ_ONLY] = {"dynamic-read-only", "the PT_DYNAMIC has no PF_W"},
	[RULE_DYNAMIC_TAGS] = {"dynamic-tags",
			       "only dynamic tags that a page can have, each once"},
	[RULE_NO_RELOCATIONS] = {"no-relocations", "no REL, RELA, JMPREL or RELR entries"},
	[RULE_NO_TEXTREL] = {"no-textrel", "no DT_TEXTREL, no DF_TEXTREL"},
	[RULE_NO_DEPENDENCIES] = {"no-dependencies",
				  "nothing needed, searched for, or run at start and end"},
	[RULE_STRTAB] = {"strtab", "a well-formed string table"},
	[RULE_SONAME] = {"soname", "a DT_SONAME that is not empty"},
	[RULE_SYMBOLS] = {"symbols", "defined, visible functions in the page's own code"},
	[RULE_HASH] = {"hash", "DT_HASH and DT_GNU_HASH, and every symbol is found by both"},
	[RULE_VERSIONS] = {"versions",
			   "a base entry and the machine's node, which every symbol has"},
	[RULE_NOTES] = {"notes",
			"well-formed notes, a Linux version and a build id among them"},
	[RULE_EH_FRAME] = {"eh-frame", "an unwind table that knows every exported function"},
};
const unsigned image_nr_rules = NR_RULES;

_Static_assert(sizeof(image_rules) / sizeof(image_rules[0]) == NR_RULES, "a rule has no name");

void broken(struct check *c, enum rule rule, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	c->broken[rule] = true;
	if (!c->report || c->reported[rule] > IMAGE_REPORTS_PER_RULE)
		return;
	if (c->reported[rule]++ == IMAGE_REPORTS_PER_RULE) {
		c->report(c->arg, image_rules[rule].name,
			  "and more of these, which are not shown");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	/* The names in it are the image's: no newline, nothing that a terminal obeys. */
	for (char *p = message; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	c->report(c->arg, image_rules[rule].name, message);
}

bool address(struct check *c, const char *what, uint64_t vaddr, uint64_t len, uint64_t *offset)
{
	uint64_t into = vaddr - c->load.vaddr;

	if (vaddr < c->load.vaddr || into > c->load.filesz || len > c->load.filesz - into ||
	    __builtin_add_overflow(c->load.offset, into, offset) ||
	    !elf_inside(&c->elf, *offset, len)) {
		broken(c, RULE_LOAD_COVERS,
		       "%s, %#llx bytes at %#llx, is not inside the PT_LOAD: a client that "
		       "reads it faults",
		       what, X(len), X(vaddr));
		return false;
	}
	return true;
}

uint64_t page_round(uint64_t size)
{
	return size > UINT64_MAX - 4095 ? UINT64_MAX & ~4095ull : (size + 4095) & ~4095ull;
}

static void check_everything(struct check *c)
{
	if (!check_elf_header(c) || !check_segments(c))
		return;
	check_sections(c);
	check_notes(c);
	if (!check_dynamic(c))
		return;
	check_relocations(c);
	check_strings(c);
	check_symbols(c);
	check_hashes(c);
	check_versions(c);
	check_eh_frame(c);
}

unsigned image_check(const struct image *image, image_report_fn *report, void *arg)
{
	struct check c = {
		.elf = {.bytes = image->bytes, .size = image->size},
		.report = report,
		.arg = arg,
	};
	unsigned nr_broken = 0;

	check_everything(&c);
	for (unsigned rule = 0; rule < NR_RULES; rule++)
		nr_broken += c.broken[rule];
	return nr_broken;
}

unsigned image_machine(const struct image *image)
{
	const struct elf_bytes elf = {.bytes = image->bytes, .size = image->size};

	if (!elf_inside(&elf, 0, EI_NIDENT) || memcmp(image->bytes, ELFMAG, SELFMAG))
		return 0;
	/* e_machine is in the same place in both classes. */
	return elf_u16(&elf, offsetof(Elf64_Ehdr, e_machine));
}

uint32_t image_entry(const struct image *image)
{
	const struct elf_bytes elf = {.bytes = image->bytes, .size = image->size};

	/* Its lower half is in the same place in both classes, and no image is that long. */
	return elf_u32(&elf, offsetof(Elf64_Ehdr, e_entry));
}
