/*
 * clocks.c - reads the time in every way that a C program has, or in the ways that its
 * arguments name, and prints one "name value" line each; before them its process id.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	clockid_t clock;
	int by_default;
} clocks[] = {
	{"realtime", CLOCK_REALTIME, 1},
	{"monotonic", CLOCK_MONOTONIC, 1},
	{"raw", CLOCK_MONOTONIC_RAW, 1},
	{"boottime", CLOCK_BOOTTIME, 1},
	{"tai", CLOCK_TAI, 1},
	{"realtime-coarse", CLOCK_REALTIME_COARSE, 1},
	{"monotonic-coarse", CLOCK_MONOTONIC_COARSE, 1},
	{"cputime", CLOCK_PROCESS_CPUTIME_ID, 0},
};

static int wanted(int argc, char **argv, const char *name, int by_default)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc == 1 && by_default;
}

int main(int argc, char **argv)
{
	printf("pid %d\n", (int)getpid());
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct timespec ts = {-1, 0};

		if (!wanted(argc, argv, clocks[i].name, clocks[i].by_default))
			continue;
		clock_gettime(clocks[i].clock, &ts);
		printf("%s %lld.%09ld\n", clocks[i].name, (long long)ts.tv_sec, ts.tv_nsec);
	}
	if (wanted(argc, argv, "gettimeofday", 1)) {
		struct timeval tv = {-1, 0};

		gettimeofday(&tv, NULL);
		printf("gettimeofday %lld.%06ld\n", (long long)tv.tv_sec, (long)tv.tv_usec);
	}
	if (wanted(argc, argv, "time", 1))
		printf("time %lld\n", (long long)time(NULL));
	if (wanted(argc, argv, "getres", 1)) {
		struct timespec ts = {-1, 0};

		clock_getres(CLOCK_MONOTONIC, &ts);
		printf("getres %lld.%09ld\n", (long long)ts.tv_sec, ts.tv_nsec);
	}
	if (wanted(argc, argv, "getcpu", 1))
		printf("getcpu %d\n", sched_getcpu());
	return 0;
}
