/*
 * diff.c - uvdso diff: two images beside each other, point by point, and to whom it matters.
 *
 * They may be any two, also of different machines; without files they are ours and the running
 * kernel's, which is read where it is mapped. What is compared is what clients look at. Most
 * differences matter to nobody: linkers differ, and so do versions of the kernel. So each that
 * is found is followed by who it matters to, and what happens to them:
 *
 *	= same       what     first      second
 *	~ different  what     first      second
 *	                      matters to nobody: why
 *
 * The rules behind it are those of `uvdso check`, which says what is wrong with one image; here
 * two that are both right are held against each other, and one that is wrong against one that
 * is right. See loader/kernel/image/check/report.c for where they are from.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "diff_points.h"
#include "kernel/image/check/check.h"
#include "kernel/image/clients/clients.h"
#include "kernel/image/exports.h"
#include "kernel/image/image.h"
#include "kernel/image/machine.h"

#define COLUMN 24
/* There are some forty. */
#define IMAGE_RULES_MAX 128

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
	char texts[2][DIFF_TEXT];

	for (int i = 0; i < 2; i++) {
		unsigned broken;

		breaches.side = (unsigned char)(1 << i);
		broken = image_check(&sides[i].image, hear, &breaches);
		snprintf(texts[i], DIFF_TEXT, broken ? "%u broken" : "all %u kept",
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

static bool takes_all(const struct client_verdict *v)
{
	return v->outcome == CLIENT_ABSENT || (v->outcome == CLIENT_OURS && !v->rule);
}

/* The same question, asked of each client (uvdso check --clients). */
static void compare_clients(const struct side sides[2])
{
	struct client_verdict v[2];
	char texts[2][DIFF_TEXT];
	unsigned content[2] = {0, 0};

	for (unsigned i = 0; i < nr_clients; i++)
		for (int side = 0; side < 2; side++) {
			client_judge(i, &sides[side].image, &v[side]);
			content[side] += takes_all(&v[side]);
		}
	for (int side = 0; side < 2; side++)
		snprintf(texts[side], DIFF_TEXT, "%u of %u content", content[side], nr_clients);
	row("clients", texts[0], texts[1]);
	for (unsigned i = 0; i < nr_clients; i++) {
		const struct client_verdict *worse;

		client_judge(i, &sides[0].image, &v[0]);
		client_judge(i, &sides[1].image, &v[1]);
		if (v[0].outcome == v[1].outcome && !v[0].rule == !v[1].rule)
			continue;
		if (v[0].outcome == CLIENT_ABSENT || v[1].outcome == CLIENT_ABSENT)
			continue; /* another machine, which is said above */
		worse = takes_all(&v[0]) ? &v[1] : &v[0];
		printf("      matters to %s: %s with the first, %s with the second: %s\n",
		       clients[i].name, client_outcomes[v[0].outcome],
		       client_outcomes[v[1].outcome], worse->why);
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
	char text[2 * DIFF_TEXT];

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
	char texts[2][DIFF_TEXT] = {"-", "-"};

	if (a)
		snprintf(texts[0], DIFF_TEXT, "%s%s", version(a), same_kind ? "" : kind(a));
	if (b)
		snprintf(texts[1], DIFF_TEXT, "%s%s", version(b), same_kind ? "" : kind(b));
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
	for (unsigned i = 0; i < diff_nr_points; i++)
		compare(&diff_points[i], sides);
	compare_rules(sides);
	compare_clients(sides);
	compare_functions(sides);
	status = nr_matter ? STATUS_BROKEN : STATUS_OK;
out:
	for (int i = 0; i < 2; i++)
		if (sides[i].is_file)
			image_free(&sides[i].image);
	return status;
}
