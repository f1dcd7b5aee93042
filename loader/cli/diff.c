/*
 * diff.c - uvdso diff: our page beside the running kernel's, point by point.
 *
 * Both are read in the same way, out of memory: the kernel's as it is mapped here, ours as
 * it is carried inside this program. What is compared is what clients look at, so that a
 * learner sees where the two agree because they must, and where each may choose.
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

struct page {
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

/* A point that gives a text for each of them. */
static void point(const char *what, void (*tell)(const struct page *, char *, size_t),
		  const struct page pages[2])
{
	char text[2][96] = {"", ""};

	for (int i = 0; i < 2; i++)
		tell(&pages[i], text[i], sizeof(text[i]));
	row(what, text[0], text[1]);
}

static void tell_size(const struct page *page, char *text, size_t size)
{
	snprintf(text, size, "%zu", page->image.size);
}

/* The entry of the dynamic section, or NULL. */
static const ElfW(Dyn) * dynamic(const struct page *page, ElfW(Sxword) tag)
{
	for (size_t i = 0; i < page->elf.nr_dynamic; i++)
		if (page->elf.dynamic[i].d_tag == tag)
			return &page->elf.dynamic[i];
	return NULL;
}

static void tell_soname(const struct page *page, char *text, size_t size)
{
	const ElfW(Dyn) *entry = dynamic(page, DT_SONAME);

	snprintf(text, size, "%s",
		 entry && entry->d_un.d_val < page->elf.strsz
			 ? page->elf.strtab + entry->d_un.d_val
			 : "none");
}

static void tell_segments(const struct page *page, char *text, size_t size)
{
	struct elf_header header = elf_header(&page->bytes);

	snprintf(text, size, "%u", header.phnum);
}

static void tell_load(const struct page *page, char *text, size_t size)
{
	unsigned flags = page->elf.load->p_flags;

	snprintf(text, size, "at %#lx, %c%c%c, %lu bytes",
		 (unsigned long)page->elf.load->p_vaddr, flags & PF_R ? 'R' : '-',
		 flags & PF_W ? 'W' : '-', flags & PF_X ? 'X' : '-',
		 (unsigned long)page->elf.load->p_memsz);
}

static void tell_hash(const struct page *page, char *text, size_t size)
{
	if (page->elf.hash.nbucket)
		snprintf(text, size, "%u buckets", page->elf.hash.nbucket);
	else
		snprintf(text, size, "none");
}

static void tell_gnu_hash(const struct page *page, char *text, size_t size)
{
	if (page->elf.gnu.nbucket)
		snprintf(text, size, "%u buckets, %u words", page->elf.gnu.nbucket,
			 page->elf.gnu.bloom_size);
	else
		snprintf(text, size, "none");
}

static void tell_versions(const struct page *page, char *text, size_t size)
{
	snprintf(text, size, "%u", page->elf.nr_verdef);
}

/* The number of bytes in the sections of a name. */
static uint64_t section_size(const struct page *page, const char *name)
{
	struct elf_header header = elf_header(&page->bytes);
	uint64_t at = header.shoff + (uint64_t)header.shstrndx * header.shentsize, sum = 0;
	struct elf_section names = elf_section(&page->bytes, at);

	for (unsigned i = 0; i < header.shnum; i++) {
		struct elf_section s = elf_section(
			&page->bytes, header.shoff + (uint64_t)i * header.shentsize);
		const char *is = elf_string(&page->bytes, names.offset + s.name,
					    names.offset + names.size);

		if (is && !strcmp(is, name))
			sum += s.size;
	}
	return sum;
}

static void tell_text(const struct page *page, char *text, size_t size)
{
	snprintf(text, size, "%lu", (unsigned long)section_size(page, ".text"));
}

static void tell_alternatives(const struct page *page, char *text, size_t size)
{
	snprintf(text, size, "%lu",
		 (unsigned long)(section_size(page, ".altinstructions") +
				 section_size(page, ".cpu_alt")));
}

static void tell_unwind(const struct page *page, char *text, size_t size)
{
	snprintf(text, size, "%lu", (unsigned long)section_size(page, ".eh_frame"));
}

static void ignore(void *arg, const char *rule, const char *message)
{
	(void)arg, (void)rule, (void)message;
}

static void tell_rules(const struct page *page, char *text, size_t size)
{
	unsigned broken = image_check(&page->image, ignore, NULL);

	snprintf(text, size, broken ? "%u broken" : "all %u kept",
		 broken ? broken : image_nr_rules);
}

/* Has the page a function of this name and version? */
static bool has(const struct page *page, const struct vdso_elf_entry *entry)
{
	return vdso_elf_symbol(&page->elf, entry->name, entry->version) != NULL;
}

/* The functions of one, and whether the other has them; only the ones missing if asked. */
static unsigned functions(const struct page *page, const struct page *other, bool only_missing)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < vdso_elf_symbol_count(&page->elf); i++) {
		struct vdso_elf_entry entry;
		char name[96];
		bool both;

		if (!vdso_elf_symbol_at(&page->elf, i, &entry))
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
	void (*tell)(const struct page *, char *, size_t);
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

static int open_page(struct page *page, const char *what)
{
	int err = vdso_elf_open(&page->elf, page->image.bytes, page->image.size);

	page->bytes = (struct elf_bytes){page->image.bytes, page->image.size,
					 page->image.bytes[EI_CLASS] == ELFCLASS64};
	if (err)
		complain(what, "%s", vdso_elf_error(err));
	return err;
}

static void help(void)
{
	fputs("uvdso diff\n\n"
	      "Our page beside the running kernel's. A line begins with = where both say the\n"
	      "same, and with ~ where they differ.\n\n"
	      "Status: 0 every function of the kernel's page is in ours, under its version;\n"
	      "1 one is missing, or this process has no vDSO of the kernel's; 2 wrong usage.\n",
	      stdout);
}

int cmd_diff(int argc, char **argv)
{
	struct page pages[2] = {{.image = image_builtin()}, {.image = {NULL, 0}}};
	unsigned missing;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help();
		return STATUS_OK;
	}
	if (argc > 1) {
		complain(argv[1], "diff takes no arguments; see `uvdso diff --help`");
		return STATUS_USAGE;
	}
	pages[1].image.bytes = kernel_image(&pages[1].image.size);
	if (!pages[1].image.bytes || open_page(&pages[0], "built-in page") ||
	    open_page(&pages[1], "the kernel's vDSO"))
		return STATUS_BROKEN;
	printf("  %-28s %-*s %s\n", "", COLUMN, "ours", "the kernel's");
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		point(points[i].what, points[i].tell, pages);
	functions(&pages[0], &pages[1], false);
	missing = functions(&pages[1], &pages[0], true);
	return missing ? STATUS_BROKEN : STATUS_OK;
}
