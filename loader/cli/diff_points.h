/*
 * diff_points.h - what `uvdso diff` compares, apart from rules and functions.
 *
 * Each point says something of one image, in a few words; diff.c holds the words of two beside
 * each other, and says to whom a difference matters.
 */
#ifndef CLI_DIFF_POINTS_H
#define CLI_DIFF_POINTS_H

#include <stdbool.h>

#include "kernel/image/exports.h"
#include "kernel/image/image.h"
#include "kernel/image/machine.h"

#define DIFF_TEXT 96

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
	char shown[DIFF_TEXT];
	char for_clients[DIFF_TEXT];
};

struct point {
	const char *what;
	void (*tell)(const struct side *, struct answer *);
	const char *who;    /* ... it matters to, and how, if for_clients differs */
	const char *nobody; /* ... and why, if it does not */
};

extern const struct point diff_points[];
extern const unsigned diff_nr_points;

#endif
