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
#include <string.h>

#include "cli.h"
#include "kernel/image/check/check.h"

static void usage(FILE *to)
{
	fputs("usage: uvdso check [-v] [--] FILE...\n\n"
	      "Holds each image against every rule: `FILE: rule: message` for each breach.\n"
	      "  -v  say so of good images, too\n\n"
	      "Exit status: 0 all good, 1 a rule is broken, 2 wrong usage or an unreadable "
	      "file.\n\n"
	      "Rules:\n",
	      to);
	for (unsigned i = 0; i < image_nr_rules; i++)
		fprintf(to, "  %-18s %s\n", image_rules[i].name, image_rules[i].what);
}

static void print_breach(void *path, const char *rule, const char *message)
{
	printf("%s: %s: %s\n", (const char *)path, rule, message);
}

static enum status check_file(char *path, bool verbose)
{
	struct image image;
	unsigned nr_broken;
	int err = image_read(path, &image);

	if (err) {
		complain(path, "%s", strerror(-err));
		return STATUS_USAGE;
	}
	nr_broken = image_check(&image, print_breach, path);
	image_free(&image);
	if (nr_broken)
		return STATUS_BROKEN;
	if (verbose)
		printf("%s: ok (%u rules)\n", path, image_nr_rules);
	return STATUS_OK;
}

int cmd_check(int argc, char **argv)
{
	enum status worst = STATUS_OK;
	bool verbose = false;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			usage(stdout);
			return STATUS_OK;
		}
		if (strcmp(argv[i], "-v")) {
			complain(argv[i],
				 "check has no such option; `uvdso check --help` lists them");
			return STATUS_USAGE;
		}
		verbose = true;
	}
	if (i == argc) {
		complain("check", "no FILE given; `uvdso check --help` says more");
		return STATUS_USAGE;
	}
	for (; i < argc; i++) {
		enum status status = check_file(argv[i], verbose);

		if (status > worst)
			worst = status;
	}
	/* A breach that nobody got to read must not pass for none. */
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output", "%s", strerror(errno));
		return STATUS_USAGE;
	}
	return worst;
}
