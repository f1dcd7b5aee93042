/*
 * start.c - what it costs to start a program on the vDSO.
 *
 * The smallest program that there is, with `uvdso run` and without, in turns: the difference
 * is what calibrating, placing and loading take. And the same without a program:
 * uvdso_boot(), which puts a vDSO into this process.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS       100
#define QUICK_ROUNDS 5

extern char **environ;

static const char *smallest_program(void)
{
	return access("/bin/true", X_OK) == 0 ? "/bin/true" : "/usr/bin/true";
}

/* Milliseconds from the start of a program to its end, or -1 after a message. */
static double run(char *const argv[])
{
	uint64_t begin = now_ns();
	int status = 0;
	pid_t pid;
	int err = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (err) {
		fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(err));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status) {
		fprintf(stderr, "bench: %s: failed, with wait status %#x\n", argv[0], status);
		return -1;
	}
	return (double)(now_ns() - begin) / 1e6;
}

static int bench_run(const struct bench *bench, size_t rounds)
{
	const char *program = smallest_program();
	double plain[ROUNDS], ours[ROUNDS];
	char uvdso[sizeof(bench->dir) + 16];
	char *plain_argv[] = {(char *)program, NULL};
	char *ours_argv[] = {uvdso, "run", (char *)program, NULL};
	double plain_ms, ours_ms;

	snprintf(uvdso, sizeof(uvdso), "%s/../uvdso", bench->dir);
	for (size_t i = 0; i < rounds; i++) {
		plain[i] = run(plain_argv);
		ours[i] = run(ours_argv);
		if (plain[i] < 0 || ours[i] < 0)
			return 1;
	}
	plain_ms = median(plain, rounds);
	ours_ms = median(ours, rounds);
	printf("  %-20s %7.2f %7.2f\n", program, plain[0], plain_ms);
	printf("  uvdso run %-10s %7.2f %7.2f    %.2f ms more\n", program, ours[0], ours_ms,
	       ours_ms - plain_ms);
	return 0;
}

static int bench_boot(const struct bench *bench, size_t rounds)
{
	const struct uvdso_options options = {.no_counter = bench->no_counter};
	double ms[ROUNDS], middle;

	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin = now_ns();
		struct uvdso *vdso;
		struct vdso_elf elf;

		if (boot(&options, &vdso, &elf))
			return 1;
		ms[i] = (double)(now_ns() - begin) / 1e6;
		uvdso_shutdown(vdso);
	}
	middle = median(ms, rounds);
	printf("  %-20s %7.2f %7.2f\n", "uvdso_boot()", ms[0], middle);
	return 0;
}

int start_bench(const struct bench *bench)
{
	size_t rounds = bench->quick ? QUICK_ROUNDS : ROUNDS;

	printf("\n%sWhat a start costs%s, %zu times each\n", bench->bold, bench->off, rounds);
	printf("  %-20s %7s %7s\n", "ms", "best", "median");
	fflush(stdout);
	return bench_run(bench, rounds) || bench_boot(bench, rounds);
}
