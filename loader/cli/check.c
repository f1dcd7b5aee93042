/*
 * check.c - uvdso check: holds image files against every rule.
 *
 * What it finds is its result, and goes to standard output, nothing for a good image, as grep
 * does; what kept it from looking goes to standard error. The rules are in
 * loader/kernel/image/check/report.c, the forms of the output in check_formats.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cli.h"

static bool verbose, house, by_clients, rules, json, tap;
static const struct image_rule *explained;

static const char *set_rule(const char *text, void *to)
{
	for (unsigned i = 0; i < image_nr_rules; i++)
		if (!strcmp(text, image_rules[i].name)) {
			*(const struct image_rule **)to = &image_rules[i];
			return NULL;
		}
	return "no such rule; `uvdso check --rules` lists them";
}

static const struct option_row options[] = {
	{0, "house", NULL, set_flag, &house,
	 "the house rules, too: a breach hurts no client,\n"
	 "but our own image keeps them"},
	{0, "json", NULL, set_flag, &json,
	 "print a JSON object for each file, on one line;\n"
	 "with --clients one of the verdicts"},
	{0, "tap", NULL, set_flag, &tap, "print a TAP point for each file"},
	{0, "rules", NULL, set_flag, &rules, "list the rules and exit"},
	{0, "explain", "RULE", set_rule, &explained,
	 "say whom a rule is for, how to mend what breaks it\n"
	 "and where it is known from, and exit"},
	{0, "clients", NULL, set_flag, &by_clients,
	 "say what each client makes of an image instead:\n"
	 "C libraries, run time systems, unwinders, debuggers"},
	OPTION_VERBOSE(&verbose, "name good images, too, and say of each what it is"),
	{0},
};

static void list_rules(FILE *to)
{
	for (int hurting = 1; hurting >= 0; hurting--) {
		fputs(hurting ? "\nRules:\n" : "\nHouse rules (--house):\n", to);
		for (unsigned i = 0; i < image_nr_rules; i++)
			if ((image_rules[i].hurts != NULL) == hurting)
				fprintf(to, "  %-18s %s\n", image_rules[i].name,
					image_rules[i].what);
	}
	list_clients(to);
}

static int check(int argc, char **argv);

const struct command command_check = {
	.name = "check",
	.summary = "hold images against the rules that C libraries and debuggers rely on",
	.operands = "FILE...",
	.first = "FILE",
	.max = ANY_NUMBER,
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Holds the image in each FILE, for any machine, against every rule whose\n"
		 "breach hurts a client. Prints `FILE: rule: message` for each breach, and\n"
		 "below it where that is, who is hurt and how, and how to mend it.\n",
	.more = list_rules,
	.ends = "  0    all images are good\n"
		"  1    a rule is broken, or a client lacks something\n"
		"  2    wrong usage, or a file that cannot be read\n",
	.run = check,
};

static const struct check_format *format = &check_for_people;

static void hear(void *arg, const struct image_finding *finding)
{
	struct check_file *file = arg;

	if (!finding->rule->hurts && !file->house)
		return;
	file->broken++;
	format->finding(file, finding);
}

static enum status check_file(const char *path, unsigned number, bool *told)
{
	struct image image;
	struct check_file file = {
		.path = path,
		.image = &image,
		.house = house,
		.verbose = verbose,
		.number = number,
		.told = told,
	};
	int err = image_read(path, &image);

	memset(told, 0, image_nr_rules * sizeof(*told));
	format->begin(&file);
	if (err) {
		complain(path, "%s", strerror(-err));
		format->end(&file, strerror(-err));
		return STATUS_USAGE;
	}
	image_check(&image, hear, &file);
	format->end(&file, NULL);
	image_free(&image);
	return file.broken ? STATUS_BROKEN : STATUS_OK;
}

/* --clients has forms of its own: a line for each client, or an object for all. */
static enum status check_clients(const char *path)
{
	struct image image;
	int err = image_read(path, &image);
	bool all_good;

	if (err) {
		complain(path, "%s", strerror(-err));
		if (json)
			print_clients_json(path, NULL, strerror(-err));
		return STATUS_USAGE;
	}
	all_good = json ? print_clients_json(path, &image, NULL) : print_clients(path, &image);
	image_free(&image);
	return all_good ? STATUS_OK : STATUS_BROKEN;
}

static int check_files(int argc, char **argv)
{
	bool *told = calloc(image_nr_rules, sizeof(*told));
	enum status worst = STATUS_OK;

	if (!told) {
		complain("check", "%s", strerror(ENOMEM));
		return STATUS_USAGE;
	}
	for (int i = 0; i < argc; i++) {
		enum status status = by_clients ? check_clients(argv[i])
						: check_file(argv[i], (unsigned)i + 1, told);

		if (status > worst)
			worst = status;
	}
	if (!by_clients)
		format->finish((unsigned)argc);
	free(told);
	return worst;
}

static int check(int argc, char **argv)
{
	if (json && tap)
		return refuse(&command_check, "--json", "not together with --tap");
	if (by_clients && (tap || house || verbose))
		return refuse(&command_check, "--clients",
			      "not together with --tap, --house or -v");
	format = json ? &check_as_json : tap ? &check_as_tap : &check_for_people;
	if (!rules && !explained)
		return argc ? check_files(argc, argv)
			    : refuse(&command_check, NULL, "no FILE given");
	if (argc)
		return refuse(&command_check, argv[0], "not expected here");
	if (explained)
		format->explain(explained);
	for (unsigned i = 0; rules && i < image_nr_rules; i++)
		format->rule(&image_rules[i]);
	return STATUS_OK;
}
