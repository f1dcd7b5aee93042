/*
 * images.c - `make bench IMAGE=a.so,b.so`: what a call of each image costs, in one run.
 *
 * Ours or kernels', each is booted with data pages of its own. Beside them are our built-in
 * image, the vDSO that the kernel has mapped, with the kernel's own data, and the system call.
 * A row is measured in rounds, in which everybody takes a turn: measure.c.
 *
 * And as each tells the time: how many of its answers lie outside of two system calls.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "calls.h"

/* With those below no more than measure() takes turns of. */
#define MOST_IMAGES 4

enum { OURS, KERNEL, SYSTEM_CALL, EMPTY, OTHERS };

#define ROUNDS       MOST_ROUNDS
#define QUICK_ROUNDS 10
#define SANDWICHES   100000
#define QUICK_ASKED  1000
#define COLUMN       14

struct images {
	size_t nr;
	char *path[MOST_IMAGES];
	struct uvdso *vdso[MOST_IMAGES];
	struct vdso_elf elf[MOST_IMAGES];
};

static void print_ns(double ns)
{
	if (isnan(ns))
		printf(" %*s", COLUMN, "-");
	else
		printf(" %*.1f", COLUMN, ns);
}

/* The order of the columns. */
static void print_row(const char *title, const struct images *images, const struct cost *cost)
{
	printf("  %-20s", title);
	for (size_t i = 0; i < images->nr; i++)
		print_ns(cost[i].median);
	for (int who = OURS; who < EMPTY; who++)
		print_ns(cost[images->nr + (size_t)who].median);
	putchar('\n');
	fflush(stdout);
}

static void measure_call(const struct bench *bench, const struct images *images,
			 const struct call *call)
{
	struct target target[MOST_IMAGES + OTHERS];
	struct asked asked[MOST_IMAGES + OTHERS];
	struct way ways[MOST_IMAGES + OTHERS];
	struct cost cost[MOST_IMAGES + OTHERS];
	size_t nr = images->nr + OTHERS;

	for (size_t i = 0; i < images->nr; i++)
		target[i] = target_in(&images->elf[i], call);
	target[images->nr + OURS] = target_in(&bench->ours, call);
	target[images->nr + KERNEL] = target_in(&bench->kernel, call);
	target[images->nr + SYSTEM_CALL] = target_system_call(call);
	target[images->nr + EMPTY] = target_empty();
	for (size_t i = 0; i < nr; i++) {
		asked[i] = (struct asked){call, &target[i]};
		ways[i] = (struct way){target[i].fn ? make_calls : NULL, &asked[i]};
	}
	measure(ways, nr, bench->quick ? QUICK_ROUNDS : ROUNDS, cost);
	print_row(call->title, images, cost);
}

static long outside(const struct vdso_elf *elf, clockid_t clock, long asked)
{
	gettime_fn *gettime =
		(gettime_fn *)vdso_elf_symbol(elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	long wrong = 0;

	while (gettime && asked-- > 0) {
		int64_t before = kernel_ns(clock);
		struct timespec ts = {0, 0};

		gettime(clock, &ts);
		wrong += in_ns(ts) < before || in_ns(ts) > kernel_ns(clock);
	}
	return wrong;
}

static void print_outside(const struct bench *bench, const struct images *images)
{
	static const struct {
		clockid_t id;
		const char *name;
	} clocks[] = {
		{CLOCK_REALTIME, "REALTIME"},
		{CLOCK_MONOTONIC, "MONOTONIC"},
		{CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW"},
		{CLOCK_BOOTTIME, "BOOTTIME"},
		{CLOCK_TAI, "TAI"},
	};
	long asked = bench->quick ? QUICK_ASKED : SANDWICHES;

	printf("\n%sOutside of two system calls, of %ld answers%s\n", bench->bold, asked,
	       bench->off);
	for (size_t c = 0; c < ARRAY_SIZE(clocks); c++) {
		printf("  %-20s", clocks[c].name);
		for (size_t i = 0; i < images->nr; i++)
			printf(" %*ld", COLUMN, outside(&images->elf[i], clocks[c].id, asked));
		printf(" %*ld", COLUMN, outside(&bench->ours, clocks[c].id, asked));
		printf(" %*ld\n", COLUMN, outside(&bench->kernel, clocks[c].id, asked));
		fflush(stdout);
	}
}

static int boot_images(const struct bench *bench, char *names, struct images *images)
{
	for (char *rest = names, *name; (name = strsep(&rest, ","));) {
		struct uvdso_options options = {.image = name, .no_counter = bench->no_counter};

		if (!*name)
			continue;
		if (images->nr == MOST_IMAGES) {
			fprintf(stderr, "bench: %s: at most %d images\n", name, MOST_IMAGES);
			return 1;
		}
		if (boot(&options, &images->vdso[images->nr], &images->elf[images->nr]))
			return 1;
		images->path[images->nr++] = name;
	}
	if (!images->nr)
		fprintf(stderr, "bench: --image: no image is named\n");
	return !images->nr;
}

static void measure_all(const struct bench *bench, const struct images *images)
{
	static const char *const others[] = {"our vDSO", "kernel's vDSO", "system call"};

	printf("\n%sWhat a call costs%s\n", bench->bold, bench->off);
	for (size_t i = 0; i < images->nr; i++)
		printf("  image %zu  %s\n", i + 1, images->path[i]);
	printf("  %-20s", "ns a call, median");
	for (size_t i = 0; i < images->nr; i++)
		printf(" %*s%zu", COLUMN - 1, "image ", i + 1);
	for (int who = OURS; who < EMPTY; who++)
		printf(" %*s", COLUMN, others[who]);
	putchar('\n');
	for (size_t i = 0; i < nr_plain_calls; i++)
		measure_call(bench, images, &plain_calls[i]);
	for (size_t i = 0; i < nr_random_calls; i++)
		measure_call(bench, images, &random_calls[i]);
	print_outside(bench, images);
}

int images_bench(const struct bench *bench, const char *list)
{
	static struct images images;
	char *names = strdup(list);
	int status = names ? boot_images(bench, names, &images) : 1;

	if (!status)
		measure_all(bench, &images);
	for (size_t i = 0; i < images.nr; i++)
		uvdso_shutdown(images.vdso[i]);
	free(names);
	return status;
}
