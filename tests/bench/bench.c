/*
 * bench.c - `make bench`: what the vDSO costs, and how well it keeps the time.
 *
 *	bench [--quick] [--no-counter] [--tail] [--csv FILE]
 *	bench [--quick] [--no-counter] --image FILE[,FILE]...
 *
 * Prints tables and writes latency.csv, beside the program or where --csv says, and tail.csv
 * beside that. With --tail there is only what the latter has. --quick is
 * for the test: every number, in a few seconds, less precise. --no-counter shows what a
 * machine without a usable counter would see. With --image it compares these images, ours or
 * kernels', and writes no file.
 *
 * Exit status: 0, 1 if something could not be measured or written, 2 for a wrong option.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "bench.h"

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int boot(const struct uvdso_options *options, struct uvdso **vdso, struct vdso_elf *elf)
{
	char why[256];
	int err;

	if (uvdso_boot(vdso, options, why, sizeof(why))) {
		fprintf(stderr, "bench: %s\n", why);
		return 1;
	}
	err = vdso_elf_open(elf, uvdso_ehdr(*vdso), 0);
	if (err) {
		fprintf(stderr, "bench: our vDSO: %s\n", vdso_elf_error(err));
		uvdso_shutdown(*vdso);
		*vdso = NULL;
		return 1;
	}
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench [--quick] [--no-counter] [--tail] [--csv FILE | "
			"--image FILE[,FILE]...]\n");
	return 2;
}

static int parse(struct bench *bench, int argc, char *argv[])
{
	static const struct option options[] = {
		{"quick", no_argument, NULL, 'q'},
		{"no-counter", no_argument, NULL, 'n'},
		{"csv", required_argument, NULL, 'c'},
		{"tail", no_argument, NULL, 't'},
		{"image", required_argument, NULL, 'i'},
		{"follow-inside", no_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'q':
			bench->quick = true;
			break;
		case 'n':
			bench->no_counter = true;
			break;
		case 't':
			bench->tail = true;
			break;
		case 'i':
			bench->images = optarg;
			break;
		case 'f':
			exit(follow_inside());
		case 'c':
			snprintf(bench->csv, sizeof(bench->csv), "%s", optarg);
			break;
		default:
			return usage();
		}
	}
	if (optind < argc) {
		fprintf(stderr, "bench: %s: no such argument\n", argv[optind]);
		return usage();
	}
	return 0;
}

/* Everything of ours lies in build/, wherever that is. */
static void find_dir(struct bench *bench)
{
	ssize_t length = readlink("/proc/self/exe", bench->dir, sizeof(bench->dir) - 1);

	bench->dir[length > 0 ? length : 0] = '\0';
	if (strrchr(bench->dir, '/'))
		*strrchr(bench->dir, '/') = '\0';
	if (!bench->csv[0])
		snprintf(bench->csv, sizeof(bench->csv), "%s/latency.csv", bench->dir);
}

static void choose_colours(struct bench *bench)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	bench->bold = bench->good = bench->bad = bench->off = "";
	if (!isatty(1) || (no_color && *no_color) || !term || !strcmp(term, "dumb"))
		return;
	bench->bold = "\033[1m";
	bench->good = "\033[32m";
	bench->bad = "\033[33m";
	bench->off = "\033[0m";
}

static int run_all(struct bench *bench)
{
	struct uvdso_options options = {.no_counter = bench->no_counter};

	if (boot(&options, &bench->plain, &bench->ours))
		return 1;
	/* Without a kernel's vDSO it stays empty, and every look-up in it finds nothing. */
	vdso_elf_open(&bench->kernel, (const void *)getauxval(AT_SYSINFO_EHDR), 0);
	machine_print(bench);
	if (bench->images)
		return images_bench(bench, bench->images);
	if (bench->tail)
		return tail_bench(bench);
	for (int clock = 0; clock < UVDSO_CLOCKS; clock++)
		options.offset[clock] = SHIFT_SECONDS;
	if (boot(&options, &bench->shifted, &bench->ours_shifted))
		return 1;
	return latency_bench(bench) || tail_bench(bench) || sandwich_bench(bench) ||
	       start_bench(bench) || follow_bench(bench);
}

int main(int argc, char *argv[])
{
	static struct bench bench;
	int status = parse(&bench, argc, argv);

	if (status)
		return status;
	find_dir(&bench);
	choose_colours(&bench);
	status = run_all(&bench);
	uvdso_shutdown(bench.shifted);
	uvdso_shutdown(bench.plain);
	if (status == 0 && !bench.images && !bench.tail)
		printf("\nThe first two tables are in %s.\n", bench.csv);
	if (fflush(stdout) || ferror(stdout)) {
		perror("bench: standard output: cannot write");
		return 1;
	}
	return status;
}
