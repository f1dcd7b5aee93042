/*
 * diff.c - uvdso diff: the built-in image beside the running kernel's, point by point.
 *
 * Both are read from memory in the same way: the kernel's where it is mapped, ours where
 * this program carries it. What is compared is what clients look at, so that a learner
 * sees where the two agree because they must, and where each may choose.
 */
#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "kernel/image/elf_bytes.h"
#include "kernel/image/image.h"
#include "kernel/image/check/check.h"
#include "libc/vdso_elf.h"

#define COLUMN 24

struct side {
	struct image image;
	struct vdso_elf elf;
	struct elf_bytes bytes;
};

/* One line: "=" where the two say the same, "~" where they differ. */
static void row(const char *what, const char *ours, const char *kernels)
{
	printf("%c %-28s %-*s %s\n", strcmp(ours, kernels) ? '~' : '=', what, COLUMN, ours,
	       kernels);
}

/* A row of which both texts come from the same function. */
static void point(const char *what, void (*tell)(const struct side *, char *, size_t),
		  const struct side sides[2])
{
	char text[2][96] = {"", ""};

	for (int i = 0; i < 2; i++)
		tell(&sides[i], text[i], sizeof(text[i]));
	row(what, text[0], text[1]);
}

static void tell_size(const struct side *side, char *text, size_t size)
{
	snprintf(text, size, "%zu", side->image.size);
}

/* The entry of the dynamic section, or NULL. */
static const ElfW(Dyn) * dynamic(const struct side *side, ElfW(Sxword) tag)
{
	for (size_t i = 0; i < side->elf.nr_dynamic; i++)
		if (side->elf.dynamic[i].d_tag == tag)
			return &side->elf.dynamic[i];
	return NULL;
}

static void tell_soname(const struct side *side, char *text, size_t size)
{
	const ElfW(Dyn) *entry = dynamic(side, DT_SONAME);

	snprintf(text, size, "%s",
		 entry && entry->d_un.d_val < side->elf.strsz
			 ? side->elf.strtab + entry->d_un.d_val
			 : "none");
}

static void tell_segments(const struct side *side, char *text, size_t size)
{
	struct elf_header header = elf_header(&side->bytes);

	snprintf(text, size, "%u", header.phnum);
}

static void tell_load(const struct side *side, char *text, size_t size)
{
	unsigned flags = side->elf.load->p_flags;

	snprintf(text, size, "at %#lx, %c%c%c, %lu bytes",
		 (unsigned long)side->elf.load->p_vaddr, flags & PF_R ? 'R' : '-',
		 flags & PF_W ? 'W' : '-', flags & PF_X ? 'X' : '-',
		 (unsigned long)side->elf.load->p_memsz);
}

static void tell_hash(const struct side *side, char *text, size_t size)
{
	if (side->elf.hash.nbucket)
		snprintf(text, size, "%u buckets", side->elf.hash.nbucket);
	else
		snprintf(text, size, "none");
}

static void tell_gnu_hash(const struct side *side, char *text, size_t size)
{
	if (side->elf.gnu.nbucket)
		snprintf(text, size, "%u buckets, %u words", side->elf.gnu.nbucket,
			 side->elf.gnu.bloom_size);
	else
		snprintf(text, size, "none");
}

static void tell_versions(const struct side *side, char *text, size_t size)
{
	snprintf(text, size, "%u", side->elf.nr_verdef);
}

/* The number of bytes in the sections of a name. */
static uint64_t section_size(const struct side *side, const char *name)
{
	struct elf_header header = elf_header(&side->bytes);
	uint64_t at = header.shoff + (uint64_t)header.shstrndx * header.shentsize, sum = 0;
	struct elf_section names = elf_section(&side->bytes, at);

	for (unsigned i = 0; i < header.shnum; i++) {
		struct elf_section s = elf_section(
			&side->bytes, header.shoff + (uint64_t)i * header.shentsize);
		const char *is = elf_string(&side->bytes, names.offset + s.name,
					    names.offset + names.size);

		if (is && !strcmp(is, name))
			sum += s.size;
	}
	return sum;
}

static void tell_text(const struct side *side, char *text, size_t size)
{
	snprintf(text, size, "%lu", (unsigned long)section_size(side, ".text"));
}

static void tell_alternatives(const struct side *side, char *text, size_t size)
{
	snprintf(text, size, "%lu",
		 (unsigned long)(section_size(side, ".altinstructions") +
				 section_size(side, ".cpu_alt")));
}

static void tell_unwind(const struct side *side, char *text, size_t size)
{
	snprintf(text, size, "%lu", (unsigned long)section_size(side, ".eh_frame"));
}

static void tell_rules(const struct side *side, char *text, size_t size)
{
	unsigned broken = image_check(&side->image, NULL, NULL);

	snprintf(text, size, broken ? "%u broken" : "all %u kept",
		 broken ? broken : image_nr_hurting());
}

/* Does it have a function of this name and version? */
static bool has(const struct side *side, const struct vdso_elf_entry *entry)
{
	return vdso_elf_symbol(&side->elf, entry->name, entry->version) != NULL;
}

/* Rows for the functions of one side; or only for those that the other does not have. */
static unsigned functions(const struct side *side, const struct side *other, bool only_missing)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < vdso_elf_symbol_count(&side->elf); i++) {
		struct vdso_elf_entry entry;
		char name[96];
		bool both;

		if (!vdso_elf_symbol_at(&side->elf, i, &entry))
			continue;
		both = has(other, &entry);
		missing += !both;
		if (both && only_missing)
			continue;
		snprintf(name, sizeof(name), "%s", entry.name);
		row(name,
		    only_missing    ? "-"
		    : entry.version ? entry.version
				    : "no version",
		    only_missing || both ? entry.version ? entry.version : "no version" : "-");
	}
	return missing;
}

static const struct {
	const char *what;
	void (*tell)(const struct side *, char *, size_t);
} points[] = {
	{"file, bytes", tell_size},
	{"DT_SONAME", tell_soname},
	{"program headers", tell_segments},
	{"PT_LOAD", tell_load},
	{"DT_HASH", tell_hash},
	{"DT_GNU_HASH, bloom filter", tell_gnu_hash},
	{"version definitions", tell_versions},
	{".text, bytes", tell_text},
	{".eh_frame, bytes", tell_unwind},
	{"alternatives, bytes", tell_alternatives},
	{"rules of uvdso check", tell_rules},
};

static int open_side(struct side *side, const char *what)
{
	int err = vdso_elf_open(&side->elf, side->image.bytes, side->image.size);

	side->bytes = elf_bytes_of(side->image.bytes, side->image.size);
	if (err)
		complain(what, "%s", vdso_elf_error(err));
	return err;
}

static int diff(int argc, char **argv);

const struct command command_diff = {
	.name = "diff",
	.summary = "compare the built-in image with the running kernel's, point by point",
	.operands = "",
	.failure = STATUS_USAGE,
	.about =
		"Shows the built-in image beside the running kernel's, point by point. A line\n"
		"begins with = where the two agree, and with ~ where they differ.\n",
	.ends = "  0    the built-in image has every function of the kernel's, in its version\n"
		"  1    one is missing\n"
		"  2    wrong usage, or this process has no vDSO of the kernel\n",
	.run = diff,
};

static int diff(int argc, char **argv)
{
	struct side sides[2] = {{.image = image_builtin()}, {.image = {NULL, 0}}};
	unsigned missing;

	(void)argc, (void)argv;
	sides[1].image.bytes = kernel_image(&sides[1].image.size);
	if (!sides[1].image.bytes || open_side(&sides[0], "built-in image") ||
	    open_side(&sides[1], "the kernel's vDSO"))
		return STATUS_USAGE;
	printf("  %-28s %-*s %s\n", "", COLUMN, "ours", "the kernel's");
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		point(points[i].what, points[i].tell, sides);
	functions(&sides[0], &sides[1], false);
	missing = functions(&sides[1], &sides[0], true);
	return missing ? STATUS_BROKEN : STATUS_OK;
}
