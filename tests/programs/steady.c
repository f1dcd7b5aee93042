/*
 * steady.c - MONOTONIC and MONOTONIC_RAW by the vDSO and by the system call, in turn, until
 * there is a file of that name: how often each has gone back, and how far.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One that nobody ends, ends. */
#define LOOKS_MAX 20000000

static struct {
	clockid_t id;
	const char *name;
	int64_t last, worst;
	unsigned back;
} clocks[] = {{CLOCK_MONOTONIC, "MONOTONIC", 0, 0, 0},
	      {CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW", 0, 0, 0}};

static void look(int i, bool by_call)
{
	struct timespec ts = {0, 0};
	int64_t ns;

	if (by_call)
		syscall(SYS_clock_gettime, clocks[i].id, &ts);
	else
		clock_gettime(clocks[i].id, &ts);
	ns = ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
	if (ns < clocks[i].last) {
		clocks[i].back++;
		if (clocks[i].last - ns > clocks[i].worst)
			clocks[i].worst = clocks[i].last - ns;
	}
	clocks[i].last = ns;
}

int main(int argc, char **argv)
{
	unsigned looks = 0;

	(void)argc;
	puts("ready");
	fflush(stdout);
	while (looks < LOOKS_MAX && access(argv[1], F_OK)) {
		for (int turn = 0; turn < 100; turn++, looks++)
			for (int i = 0; i < 2; i++)
				look(i, turn % 10 == 9);
	}
	for (int i = 0; i < 2; i++) {
		printf("%s %u back %u looks\n", clocks[i].name, clocks[i].back, looks);
		if (clocks[i].back)
			fprintf(stderr, "%s: by %" PRId64 " ns\n", clocks[i].name,
				clocks[i].worst);
	}
	return 0;
}
