/*
 * check_formats.c - see check.h. The forms are described in uvdso(1), and are stable: names of
 * rules and members stay, new ones may come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cli.h"
#include "kernel/image/identity.h"
#include "kernel/image/where.h"

#define WHERE_MAX 512

/* ---- for people ------------------------------------------------------------------------ */

static void print_path(const char *path)
{
	char *name = escape(path);

	fputs(name ? name : "?", stdout);
	free(name);
}

static void print_hurts(const struct image_rule *rule, const char *indent)
{
	printf("%shurts: %s\n", indent,
	       rule->hurts ? rule->hurts : "no known client; this is a house rule");
}

/* Where it is; and once a file, what the rule is for. */
static void print_details(struct check_file *file, const struct image_finding *finding,
			  const char *indent)
{
	const struct image_rule *rule = finding->rule;
	char where[WHERE_MAX];

	if (finding->offset != IMAGE_NOWHERE)
		printf("%sat 0x%llx: %s\n", indent, (unsigned long long)finding->offset,
		       image_where(file->image, finding->offset, where, sizeof(where)));
	if (file->told[rule - image_rules])
		return;
	file->told[rule - image_rules] = true;
	print_hurts(rule, indent);
	printf("%smend: %s\n", indent, rule->mend);
}

static void people_begin(struct check_file *file)
{
	(void)file;
}

static void people_finding(struct check_file *file, const struct image_finding *finding)
{
	print_path(file->path);
	printf(": %s: %s\n", finding->rule->name, finding->message);
	print_details(file, finding, "  ");
}

static void people_end(struct check_file *file, const char *error)
{
	struct image_identity identity;
	char words[128];

	if (error || !file->verbose)
		return;
	if (!file->broken) {
		print_path(file->path);
		printf(": ok (%u rules)\n", file->house ? image_nr_rules : image_nr_hurting());
	}
	identity = image_identity(file->image);
	print_path(file->path);
	printf(": %s\n", image_identity_words(&identity, words, sizeof(words)));
}

static void people_finish(unsigned nr_files)
{
	(void)nr_files;
}

static void people_rule(const struct image_rule *rule)
{
	printf("%-18s %-6s %s\n", rule->name, rule->hurts ? "error" : "house", rule->what);
}

static void people_explain(const struct image_rule *rule)
{
	printf("%s: %s\n", rule->name, rule->what);
	print_hurts(rule, "  ");
	printf("  mend: %s\n  source: %s\n", rule->mend, rule->source);
}

const struct check_format check_for_people = {
	people_begin, people_finding, people_end, people_finish, people_rule, people_explain,
};

/* ---- JSON: a line for each file ---------------------------------------------------------- */

/*
 * A byte that is not UTF-8 becomes U+FFFD: JSON has no way to say it. Files come in the order
 * of the command line, so none is taken for another.
 */
static void json_string(const char *text)
{
	putchar('"');
	while (*text) {
		size_t length = utf8_length(text);
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < ' ' || byte == 0x7f)
			printf("\\u%04x", byte);
		else if (length)
			fwrite(text, 1, length, stdout);
		else
			fputs("\\ufffd", stdout);
		text += length ? length : 1;
	}
	putchar('"');
}

void json_member(const char *name, const char *text)
{
	printf("\"%s\":", name);
	if (text)
		json_string(text);
	else
		fputs("null", stdout);
}

static void json_rule_members(const struct image_rule *rule)
{
	json_member("rule", rule->name);
	printf(",\"kind\":\"%s\",", rule->hurts ? "error" : "house");
	json_member("what", rule->what);
	putchar(',');
	json_member("hurts", rule->hurts);
	putchar(',');
	json_member("mend", rule->mend);
	putchar(',');
	json_member("source", rule->source);
}

static void json_begin(struct check_file *file)
{
	putchar('{');
	json_member("file", file->path);
	fputs(",\"findings\":[", stdout);
}

static void json_finding(struct check_file *file, const struct image_finding *finding)
{
	char where[WHERE_MAX];

	fputs(file->broken > 1 ? ",{" : "{", stdout);
	json_member("message", finding->message);
	if (finding->offset == IMAGE_NOWHERE) {
		fputs(",\"offset\":null,\"where\":null,", stdout);
	} else {
		printf(",\"offset\":%llu,", (unsigned long long)finding->offset);
		json_member("where",
			    image_where(file->image, finding->offset, where, sizeof(where)));
		putchar(',');
	}
	json_rule_members(finding->rule);
	putchar('}');
}

static void json_end(struct check_file *file, const char *error)
{
	struct image_identity identity;
	char words[128];

	printf("],\"status\":\"%s\",", error ? "unreadable" : file->broken ? "broken" : "good");
	json_member("error", error);
	fputs(",\"image\":", stdout);
	if (error) {
		fputs("null", stdout);
	} else {
		identity = image_identity(file->image);
		json_string(image_identity_words(&identity, words, sizeof(words)));
	}
	puts("}");
}

static void json_rule(const struct image_rule *rule)
{
	putchar('{');
	json_rule_members(rule);
	puts("}");
}

const struct check_format check_as_json = {
	json_begin, json_finding, json_end, people_finish, json_rule, json_rule,
};

/* ---- TAP: a point for each file ---------------------------------------------------------- */

/* A description ends at a #, which begins a directive, unless a backslash is before it. */
static void tap_point(const struct check_file *file, bool good)
{
	char *name = escape(file->path);

	printf("%sok %u - ", good ? "" : "not ", file->number);
	for (const char *p = name ? name : "?"; *p; p++)
		printf("%s%c", *p == '#' || *p == '\\' ? "\\" : "", *p);
	putchar('\n');
	free(name);
}

static void tap_finding(struct check_file *file, const struct image_finding *finding)
{
	if (file->broken == 1)
		tap_point(file, false);
	printf("# %s: %s\n", finding->rule->name, finding->message);
	print_details(file, finding, "#   ");
}

static void tap_end(struct check_file *file, const char *error)
{
	if (error || !file->broken)
		tap_point(file, !error);
	if (error)
		printf("# %s\n", error);
}

static void tap_finish(unsigned nr_files)
{
	printf("1..%u\n", nr_files);
}

const struct check_format check_as_tap = {
	people_begin, tap_finding, tap_end, tap_finish, people_rule, people_explain,
};
