/*
 * check.c - uvdso check: holds image files against every rule.
 *
 * What it finds is its result, and goes to standard output, one breach a line and
 * nothing for a good image, as grep does; what kept it from looking goes to
 * standard error. The rules are in loader/kernel/image/check/report.c.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "kernel/image/check/check.h"

static bool verbose, by_clients;

static const struct option_row options[] = {
	{0, "clients", NULL, set_flag, &by_clients,
	 "say what each client makes of an image instead:\n"
	 "C libraries, run time systems, unwinders, debuggers"},
	OPTION_VERBOSE(&verbose, "name good images, too"),
	{0},
};

static void list_rules(FILE *to)
{
	fputs("\nRules:\n", to);
	for (unsigned i = 0; i < image_nr_rules; i++)
		fprintf(to, "  %-18s %s\n", image_rules[i].name, image_rules[i].what);
	list_clients(to);
}

static int check(int argc, char **argv);

const struct command command_check = {
	.name = "check",
	.summary = "hold images against the rules that C libraries and debuggers rely on",
	.operands = "FILE...",
	.first = "FILE",
	.min = 1,
	.max = ANY_NUMBER,
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Holds the image in each FILE, for any machine, against every rule, and\n"
		 "prints `FILE: rule: message` for each breach.\n",
	.more = list_rules,
	.ends = "  0    all images are good\n"
		"  1    a rule is broken, or a client lacks something\n"
		"  2    wrong usage, or a file that cannot be read\n",
	.run = check,
};

/* The name is escaped, so that a breach is one line whatever the file is called. */
static void print_line(const char *path, const char *rule, const char *message)
{
	char *name = escape(path);

	printf("%s: %s%s%s\n", name ? name : "?", rule, *rule ? ": " : "", message);
	free(name);
}

static void print_breach(void *path, const struct image_finding *finding)
{
	print_line(path, finding->rule->name, finding->message);
}

static enum status check_file(char *path)
{
	struct image image;
	unsigned nr_broken;
	char rules[32];
	int err = image_read(path, &image);

	if (err) {
		complain(path, "%s", strerror(-err));
		return STATUS_USAGE;
	}
	if (by_clients) {
		bool all_good = print_clients(path, &image);

		image_free(&image);
		return all_good ? STATUS_OK : STATUS_BROKEN;
	}
	nr_broken = image_check(&image, print_breach, path);
	image_free(&image);
	if (nr_broken)
		return STATUS_BROKEN;
	snprintf(rules, sizeof(rules), "ok (%u rules)", image_nr_rules);
	if (verbose)
		print_line(path, "", rules);
	return STATUS_OK;
}

static int check(int argc, char **argv)
{
	enum status worst = STATUS_OK;

	for (int i = 0; i < argc; i++) {
		enum status status = check_file(argv[i]);

		if (status > worst)
			worst = status;
	}
	return worst;
}
