/*
 * questions.h - calls the functions of an image, to find out which data pages it reads
 * (probe.h). It runs in a process of its own, because the image may crash it.
 */
#ifndef KERNEL_FOREIGN_QUESTIONS_H
#define KERNEL_FOREIGN_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/attendant.h"
#include "kernel/foreign/layout.h"

/* The functions that are asked; their names without the prefix of the machine. */
enum question { GETTIME, GETTIME64, GETTIMEOFDAY, TIME, GETRES, GETRANDOM, QUESTIONS };

extern const char *const question_names[QUESTIONS];

struct questions {
	const struct foreign_layout *layout;
	uint32_t function[QUESTIONS]; /* in the image; 0: it has none */
	size_t image_length;
	int image, data; /* memfds: the image, and room for MIRROR_PAGES */
};

struct answers {
	bool fits, no_namespace;
	bool elsewhere; /* it looked where the layout has nothing */
	int err;        /* it could not be asked: -errno of this call, a literal */
	const char *call;
	char words[240];
};

/* An attendant's work: arg is struct questions *, and it tells one struct answers. */
attendant_work questions_ask;

#endif
