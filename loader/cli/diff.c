/*
 * diff.c - uvdso diff: two images beside each other, point by point, and to whom it matters.
 *
 * They may be any two, also of different machines; without files they are ours and the running
 * kernel's, which is read where it is mapped. What is compared is what clients look at. Most
 * differences matter to nobody: linkers differ, and so do versions of the kernel. So each that
 *is found is followed by who it matters to, and what happens to them:
 *
 *	= same       what     first      second
 *	~ different  what     first      second
 *	                      matters to nobody: why
 *
 * The rules behind it are those of `uvdso check`, which says what is wrong with one image; here
 * two that are both right are held against each other, and one that is wrong against one that
 *is right. See loader/kernel/image/check/report.c for where they are from.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "kernel/image/check/check.h"
#include "kernel/image/exports.h"
#include "kernel/image/identity.h"
#include "kernel/image/image.h"
#include "kernel/image/machine.h"

/* What the elf.h of glibc 2.31 lacks. */
#ifndef EF_RISCV_RVE
#	define EF_RISCV_RVE 8
#endif
#ifndef EM_LOONGARCH
#	define EM_LOONGARCH 258
#endif
#ifndef EF_LARCH_ABI_MODIFIER_MASK
#	define EF_LARCH_ABI_MODIFIER_MASK 7
#endif

#define COLUMN 24
/* There are some forty. */
#define IMAGE_RULES_MAX 128
#define TEXT            96

struct side {
	const char *title;
	struct image image;
	struct exports exports;
	const struct machine *machine; /* NULL: none with a vDSO is known */
	bool is_file;
};

/*
 * What a point says of one image. shown is printed, and compared. for_clients is what of it a
 * client depends on: where that is the same in both, the difference matters to nobody.
 */
struct answer {
	char shown[TEXT];
	char for_clients[TEXT];
};

struct point {
	const char *what;
	void (*tell)(const struct side *, struct answer *);
	const char *who;    /* ... it matters to, and how, if for_clients differs */
	const char *nobody; /* ... and why, if it does not */
};

static unsigned nr_matter;

/* Names come from the images: nothing in them may steer a terminal, or end a line. */
static void print_cell(const char *text, int width)
{
	/* One that is too long moves the others, and does not touch them. */
	if (width && (int)strlen(text) >= width)
		width = (int)strlen(text) + 1;
	for (; *text; text++, width--)
		putchar(*text >= ' ' && *text < 0x7f ? *text : '?');
	while (width-- > 0)
		putchar(' ');
}

static void row(const char *what, const char *a, const char *b)
{
	printf("%c ", strcmp(a, b) ? '~' : '=');
	print_cell(what, 29);
	print_cell(a, COLUMN + 1);
	print_cell(b, 0);
	putchar('\n');
}

static void matters(const char *who)
{
	printf("      matters to %s\n", who);
	nr_matter++;
}

static void matters_not(const char *why)
{
	printf("      matters to nobody: %s\n", why);
}

#define SHOW(...)        snprintf(answer->shown, sizeof(answer->shown), __VA_ARGS__)
#define FOR_CLIENTS(...) snprintf(answer->for_clients, sizeof(answer->for_clients), __VA_ARGS__)

static void tell_machine(const struct side *side, struct answer *answer)
{
	const char *order = side->exports.elf.big ? "big-endian" : "little-endian";

	if (side->machine)
		SHOW("%s, %s", side->machine->name, order);
	else
		SHOW("e_machine %u, %d bits, %s", side->exports.header.machine,
		     side->exports.elf.is64 ? 64 : 32, order);
	FOR_CLIENTS("%s", answer->shown);
}

/*
 * Which of the calling conventions, where a machine has several: the bits of e_flags that say
 * so (the machines' psABIs). The others, like the oldest processor, are no client's business.
 */
static uint32_t abi_bits(uint16_t machine)
{
	switch (machine) {
	case EM_ARM:
		return EF_ARM_EABIMASK;
	case EM_MIPS:
		return EF_MIPS_ABI2;
	case EM_PPC64:
		return EF_PPC64_ABI;
	case EM_RISCV:
		return EF_RISCV_FLOAT_ABI | EF_RISCV_RVE;
	case EM_LOONGARCH:
		return EF_LARCH_ABI_MODIFIER_MASK;
	}
	return 0;
}

static void tell_flags(const struct side *side, struct answer *answer)
{
	const struct elf_header *header = &side->exports.header;

	SHOW("%#x", header->flags);
	FOR_CLIENTS("%#x", header->flags & abi_bits(header->machine));
}

static void tell_size(const struct side *side, struct answer *answer)
{
	SHOW("%zu", side->image.size);
}

/* FNV-1a: enough to see whether they are the same. */
static void tell_contents(const struct side *side, struct answer *answer)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < side->image.size; i++)
		sum = (sum ^ side->image.bytes[i]) * 16777619u;
	SHOW("%08x", sum);
}

static void tell_soname(const struct side *side, struct answer *answer)
{
	SHOW("%s", side->exports.soname ? side->exports.soname : "none");
	FOR_CLIENTS("%s", answer->shown);
}

static void tell_segments(const struct side *side, struct answer *answer)
{
	SHOW("%u", side->exports.header.phnum);
}

static void flags_of(const struct elf_segment *s, char text[4])
{
	snprintf(text, 4, "%c%c%c", s->flags & PF_R ? 'R' : '-', s->flags & PF_W ? 'W' : '-',
		 s->flags & PF_X ? 'X' : '-');
}

static void tell_load(const struct side *side, struct answer *answer)
{
	const struct elf_segment *load = &side->exports.load;

	char flags[4];

	flags_of(load, flags);
	SHOW("at %#llx, %s, %llu bytes%s", (unsigned long long)load->vaddr, flags,
	     (unsigned long long)load->memsz, side->exports.nr_loads > 1 ? ", and more" : "");
	FOR_CLIENTS("%s %u %d", flags, side->exports.nr_loads, load->offset != 0);
}

static void tell_dynamic(const struct side *side, struct answer *answer)
{
	char flags[4];

	flags_of(&side->exports.dynamic, flags);
	SHOW("%s", flags);
	FOR_CLIENTS("%d", flags[1] == 'W');
}

static void tell_hash(const struct side *side, struct answer *answer)
{
	if (side->exports.hash)
		SHOW("%u buckets", side->exports.nr_buckets);
	else
		SHOW("none");
	FOR_CLIENTS("%d", side->exports.hash != 0);
}

static void tell_gnu_hash(const struct side *side, struct answer *answer)
{
	if (side->exports.gnu_hash)
		SHOW("%u buckets, %u words", side->exports.nr_gnu_buckets,
		     side->exports.gnu_filter_words);
	else
		SHOW("none");
	/* Whoever knows this one knows DT_HASH as well. */
	FOR_CLIENTS("%d", side->exports.hash || side->exports.gnu_hash);
}

static void tell_versions(const struct side *side, struct answer *answer)
{
	size_t used = 0;
	const char *name;
	bool base;

	for (uint32_t i = 0; i < side->exports.nr_verdef; i++) {
		name = exports_version(&side->exports, i, &base);
		if (!name)
			break;
		if (!base && used < sizeof(answer->shown))
			used += (size_t)snprintf(answer->shown + used,
						 sizeof(answer->shown) - used, "%s%s",
						 used ? ", " : "", name);
	}
	if (!used)
		SHOW("none");
	FOR_CLIENTS("%s", answer->shown);
}

/* The number of bytes in the sections of a name. */
static uint64_t section_size(const struct side *side, const char *name)
{
	const struct elf_bytes *elf = &side->exports.elf;
	const struct elf_header *header = &side->exports.header;
	struct elf_section names = elf_section_at(elf, header->shstrndx);
	uint64_t sum = 0;

	for (unsigned i = 0; i < header->shnum; i++) {
		struct elf_section s = elf_section_at(elf, i);
		const char *is =
			elf_string(elf, names.offset + s.name, names.offset + names.size);

		if (is && !strcmp(is, name))
			sum += s.size;
	}
	return sum;
}

static void tell_sections(const struct side *side, struct answer *answer)
{
	const struct elf_header *header = &side->exports.header;
	struct elf_section dynsym;
	bool there = header->shoff && header->shnum &&
		     elf_find_section(&side->exports.elf, SHT_DYNSYM, &dynsym);

	if (there)
		SHOW("%u", header->shnum);
	else
		SHOW("none, or no .dynsym");
	FOR_CLIENTS("%d", there);
}

static void tell_text(const struct side *side, struct answer *answer)
{
	SHOW("%llu", (unsigned long long)section_size(side, ".text"));
}

/* Unwinders go by the segment, and without an entry in it find nothing. */
static bool has_unwind_table(const struct side *side)
{
	const struct elf_header *header = &side->exports.header;

	for (unsigned i = 0; i < header->phnum; i++) {
		struct elf_segment s = elf_segment(
			&side->exports.elf, header->phoff + (uint64_t)i * header->phentsize);

		if (s.type == PT_GNU_EH_FRAME && s.filesz > 8)
			return true;
	}
	return false;
}

static void tell_unwind(const struct side *side, struct answer *answer)
{
	bool there = has_unwind_table(side);

	SHOW("%llu%s", (unsigned long long)section_size(side, ".eh_frame"),
	     there ? "" : ", without a table");
	FOR_CLIENTS("%d", there);
}

static void tell_alternatives(const struct side *side, struct answer *answer)
{
	SHOW("%llu", (unsigned long long)(section_size(side, ".altinstructions") +
					  section_size(side, ".cpu_alt") +
					  section_size(side, ".alternative")));
}

/* Not for clients, who never see them, but for who writes them. */
static void tell_data_pages(const struct side *side, struct answer *answer)
{
	struct image_identity identity = image_identity(&side->image);

	if (identity.has_layout)
		SHOW("%u, layout %08x", identity.nr_pages, identity.layout);
	else if (identity.has_version)
		SHOW("those of Linux %u.%u", identity.version >> 16,
		     identity.version >> 8 & 0xff);
	else
		SHOW("not said");
}

static void tell_entry(const struct side *side, struct answer *answer)
{
	bool is_asked = side->exports.header.machine == EM_386;

	if (side->exports.header.entry)
		SHOW("%#llx", (unsigned long long)side->exports.header.entry);
	else
		SHOW("none");
	FOR_CLIENTS("%d", is_asked && side->exports.header.entry);
}

static const struct point points[] = {
	{"machine", tell_machine,
	 "everybody: a program of the one machine cannot call what is made for the other",
	 NULL},
	{"e_flags", tell_flags,
	 "everybody: programs of the two pass arguments in different ways",
	 "the calling convention is the same, and no client looks at the rest"},
	{"file, bytes", tell_size, NULL,
	 "whole pages are mapped, and the rest of the last one is zeros"},
	{"file, checksum", tell_contents, NULL,
	 "it says whether the two are the same; what functions answer is not compared"},
	{"DT_SONAME", tell_soname,
	 "dlopen() by that name (vdsotest, the kernel's selftests), the sanitizers, and\n"
	 "      programs of glibc if a library has the same one",
	 NULL},
	{"program headers", tell_segments, NULL, "each is looked for by its type"},
	{"PT_LOAD", tell_load,
	 "glibc before December 2025, CRIU and gdb, which want one PT_LOAD, to rustix,\n"
	 "      which wants it R-X, and to everybody if it does not begin with the file",
	 "addresses count from where it is, and sizes are rounded to pages"},
	{"PT_DYNAMIC", tell_dynamic,
	 "glibc from 2.35 on: where it may be written (W) every program dies before main",
	 "only whether it may be written counts"},
	{"DT_HASH", tell_hash,
	 "musl and zig: without it they find nothing, and fall back to system calls",
	 "tables of any size are searched"},
	{"DT_GNU_HASH, bloom filter", tell_gnu_hash,
	 "everybody: without any hash table nothing is found",
	 "who can use it can use DT_HASH as well, and tables of any size"},
	{"version definitions", tell_versions,
	 "musl, Go and rustix, which take functions of the machine's version alone; Go\n"
	 "      dies at start if there is none",
	 NULL},
	{"section headers", tell_sections,
	 "bionic, which finds no symbol without them, and gdb, which gets no backtrace",
	 "each is looked for by its type or name"},
	{".text, bytes", tell_text, NULL, "each function is called by its own address"},
	{".eh_frame, bytes", tell_unwind,
	 "unwinders (libgcc, LLVM, gdb): without it nothing gets out of a signal handler\n"
	 "      that interrupts a call",
	 "only what it says of each function counts: see `uvdso check`"},
	{"alternatives, bytes", tell_alternatives, NULL,
	 "who starts the image puts them in, before any program sees it"},
	{"data pages", tell_data_pages, NULL,
	 "who starts an image brings its pages; uvdso has one layout, and refuses others"},
	{"entry", tell_entry,
	 "glibc and musl on i386: AT_SYSINFO, through which every system call goes",
	 "it is told to programs on i386 alone, as the address that it is"},
};

static void compare(const struct point *point, const struct side sides[2])
{
	struct answer answers[2] = {{.shown = ""}, {.shown = ""}};

	for (int i = 0; i < 2; i++)
		point->tell(&sides[i], &answers[i]);
	row(point->what, answers[0].shown, answers[1].shown);
	if (!strcmp(answers[0].shown, answers[1].shown))
		return;
	if (strcmp(answers[0].for_clients, answers[1].for_clients))
		matters(point->who);
	else
		matters_not(point->nobody);
}

static const char *version(const struct export *export)
{
	return export->version ? export->version : "no version";
}

/* For each rule of `uvdso check`: bit 1 the first image breaks it, bit 2 the second. */
struct breaches {
	unsigned char by[IMAGE_RULES_MAX];
	unsigned char side;
};

static void hear(void *arg, const struct image_finding *finding)
{
	struct breaches *breaches = arg;

	if (finding->rule - image_rules < IMAGE_RULES_MAX)
		breaches->by[finding->rule - image_rules] |= breaches->side;
}

/* Without the house rules, which hurt no client. */
static void compare_rules(const struct side sides[2])
{
	struct breaches breaches = {.by = {0}};
	char texts[2][TEXT];

	for (int i = 0; i < 2; i++) {
		unsigned broken;

		breaches.side = (unsigned char)(1 << i);
		broken = image_check(&sides[i].image, hear, &breaches);
		snprintf(texts[i], TEXT, broken ? "%u broken" : "all %u kept",
			 broken ? broken : image_nr_hurting());
	}
	row("rules of uvdso check", texts[0], texts[1]);
	for (unsigned i = 0; i < image_nr_rules; i++) {
		if (!image_rules[i].hurts || breaches.by[i] == 0 || breaches.by[i] == 3)
			continue;
		printf("      matters: only the %s breaks %s: %s\n",
		       breaches.by[i] == 1 ? "first" : "second", image_rules[i].name,
		       image_rules[i].hurts);
		nr_matter++;
	}
}

/* What some clients could insist on beside. */
static const char *kind(const struct export *export)
{
	bool weak = ELF64_ST_BIND(export->symbol.info) == STB_WEAK;

	if (ELF64_ST_TYPE(export->symbol.info) == STT_NOTYPE)
		return weak ? ", weak, no type" : ", no type";
	return weak ? ", weak" : "";
}

/* A function that one side lacks, or has in another version; lacks is that side. */
static void function_matters(const char *name, const struct side *lacks, bool has_other_version)
{
	const char *clients = machine_clients(name);
	char text[2 * TEXT];

	if (lacks->machine && machine_plain_name(name) != name &&
	    !machine_has_function(lacks->machine, name)) {
		snprintf(text, sizeof(text), "no vDSO of a kernel for %s has it",
			 lacks->machine->name);
		matters_not(text);
		return;
	}
	if (!clients || machine_plain_name(name) == name) {
		matters_not(clients ? "C libraries look for the name with its prefix"
				    : "no C library looks for it");
		return;
	}
	snprintf(text, sizeof(text), "%s%s", clients,
		 has_other_version ? ": most take it in the machine's version alone"
				   : ": without it they fall back to the system call");
	matters(text);
}

static void compare_function(const char *name, const struct export *a, const struct export *b,
			     const struct side *lacks)
{
	bool same = a && b && !strcmp(version(a), version(b));
	bool same_kind = !same || !strcmp(kind(a), kind(b));
	char texts[2][TEXT] = {"-", "-"};

	if (a)
		snprintf(texts[0], TEXT, "%s%s", version(a), same_kind ? "" : kind(a));
	if (b)
		snprintf(texts[1], TEXT, "%s%s", version(b), same_kind ? "" : kind(b));
	row(name, texts[0], texts[1]);
	if (!same)
		function_matters(name, lacks, a && b);
	else if (!same_kind)
		matters_not("clients take all kinds of functions");
}

/* Those of the first image, each beside the second's; then those that only the second has. */
static void compare_functions(const struct side sides[2])
{
	const struct exports *first = &sides[0].exports, *second = &sides[1].exports;
	struct export export, other;

	for (uint32_t i = 0; i < first->nr_symbols; i++)
		if (exports_at(first, i, &export))
			compare_function(export.name, &export,
					 exports_find(second, export.name, &other) ? &other
										   : NULL,
					 &sides[1]);
	for (uint32_t i = 0; i < second->nr_symbols; i++)
		if (exports_at(second, i, &export) && !exports_find(first, export.name, &other))
			compare_function(export.name, NULL, &export, &sides[0]);
}

static void print_heading(const char *what, const char *first, const char *second)
{
	printf("  %-28s %-*s %s\n", what, COLUMN, first, second);
}

static void print_headings(const struct side sides[2])
{
	char name[512];

	if (!sides[0].is_file) {
		print_heading("", "ours", "the kernel's");
		return;
	}
	/* Names of files can be long, and hold anything. */
	for (int i = 0; i < 2; i++)
		printf("  %s: %s\n", i ? "second" : "first",
		       escape_to(name, sizeof(name), sides[i].title));
	print_heading("", "first", "second");
}

static int open_side(struct side *side)
{
	const char *why = exports_open(&side->exports, side->image.bytes, side->image.size);

	side->machine = machine_of(&side->exports.elf);
	if (why)
		complain(side->title, "%s", why);
	return why ? -1 : 0;
}

static int read_side(struct side *side, const char *path)
{
	int err = image_read(path, &side->image);

	side->title = path;
	side->is_file = !err;
	if (err)
		complain(path, "%s", strerror(-err));
	return err;
}

static int diff(int argc, char **argv);

const struct command command_diff = {
	.name = "diff",
	.summary = "compare two images point by point, and say to whom it matters",
	.operands = "[FILE FILE]",
	.first = "FILE",
	.max = 2,
	.options = NULL,
	.failure = STATUS_USAGE,
	.about =
		"Shows two images beside each other, point by point: those in two FILEs,\n"
		"which may be for any machine, or the built-in one and the running kernel's.\n"
		"A line begins with = where the two agree, and with ~ where they differ; then\n"
		"the next one says which clients the difference matters to.\n",
	.ends = "  0    no difference, or none that matters to a client\n"
		"  1    one matters\n"
		"  2    wrong usage, an image that cannot be read, or this process has no vDSO "
		"of\n"
		"       the kernel\n",
	.run = diff,
};

static int diff(int argc, char **argv)
{
	struct side sides[2] = {
		{.title = "built-in image", .image = image_builtin()},
		{.title = "the kernel's vDSO"},
	};
	int status = STATUS_USAGE;

	if (argc == 1)
		return refuse(&command_diff, argv[0], "needs another FILE to compare it with");
	if (argc == 2 && (read_side(&sides[0], argv[0]) || read_side(&sides[1], argv[1])))
		goto out;
	if (argc == 0)
		sides[1].image.bytes = kernel_image(&sides[1].image.size);
	if (!sides[1].image.bytes || open_side(&sides[0]) || open_side(&sides[1]))
		goto out;
	print_headings(sides);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		compare(&points[i], sides);
	compare_rules(sides);
	compare_functions(sides);
	status = nr_matter ? STATUS_BROKEN : STATUS_OK;
out:
	for (int i = 0; i < 2; i++)
		if (sides[i].is_file)
			image_free(&sides[i].image);
	return status;
}
