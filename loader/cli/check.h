/*
 * check.h - the three ways in which `uvdso check` prints: for people, as JSON, as TAP.
 *
 * Each prints files one by one: begin(), finding() for each breach, end(). Names of files and
 * what is written in an image may hold anything; no form lets them break out of their line.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdbool.h>

#include "kernel/image/check/check.h"

struct check_file {
	const char *path;
	const struct image *image;
	bool house, verbose; /* as the options say */
	unsigned number;     /* of this file, from 1 */
	unsigned broken;     /* findings so far */
	bool *told;          /* for each rule: was it explained for this file? */
};

struct check_format {
	void (*begin)(struct check_file *file);
	void (*finding)(struct check_file *file, const struct image_finding *finding);
	/* error: why it cannot be read, or NULL. */
	void (*end)(struct check_file *file, const char *error);
	void (*finish)(unsigned nr_files);
	void (*rule)(const struct image_rule *rule);    /* one line of --rules */
	void (*explain)(const struct image_rule *rule); /* all that is known of it */
};
/* A string, or null, as a member of a JSON object. */
void json_member(const char *name, const char *text);

extern const struct check_format check_for_people, check_as_json, check_as_tap;

#endif
