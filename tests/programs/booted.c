/*
 * booted.c - a program with a vDSO of its own: uvdso_boot(), some calls, uvdso_shutdown().
 *
 * 42 if its clock was right and nothing is left, 43 if it was wrong, 44 if a descriptor is
 * open, 46 if there is a child, 47 if something is mapped; 125, with what was said on standard
 * error, if there was no vDSO.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libc/vdso_names.h"
#include "uvdso.h"

enum { DAYS = 1000 };

static int descriptors(void)
{
	int open = 0;

	for (int fd = 3; fd < 64; fd++)
		open += fcntl(fd, F_GETFD) >= 0;
	return open;
}

/* One of ours, or of anybody. What is looked at is asked for again: calls may fail here. */
static int left(void)
{
	char line[512];
	int mapped = 0;

	for (int turn = 0; turn < 2; turn++) {
		FILE *maps = fopen("/proc/self/maps", "re");

		mapped = 0;
		while (maps && fgets(line, sizeof(line), maps))
			mapped |= strstr(line, "/memfd:v") != NULL;
		if (maps)
			fclose(maps);
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 &&
	    waitpid(-1, NULL, WNOHANG | __WALL) >= 0)
		return 46;
	return mapped ? 47 : 0;
}

int main(void)
{
	/* Whatever the kernel keeps time with: what it denies is a system call. */
	struct uvdso_options options = {.offset = {[UVDSO_REALTIME] = DAYS * 86400},
					.counter = UVDSO_COUNTER_ALWAYS};
	int (*gettime)(clockid_t, struct timespec *);
	struct timespec ts = {0}, one = {0}, two = {0};
	time_t ours = time(NULL);
	int before = descriptors(), status = 42, err;
	struct uvdso *vdso;
	char why[256] = "";

	err = uvdso_boot(&vdso, &options, why, sizeof(why));
	if (err) {
		fprintf(stderr, "booted: %d: %s\n", err, why);
		return err >= 0 || !*why         ? 43
		       : descriptors() != before ? 44
		       : left()                  ? left()
						 : 125;
	}
	gettime = uvdso_symbol(vdso, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (gettime(CLOCK_REALTIME, &ts) || ts.tv_sec < ours + DAYS * 86400 - 60 ||
	    ts.tv_sec > ours + DAYS * 86400 + 60)
		status = 43;
	gettime(CLOCK_MONOTONIC, &one);
	for (int turn = 0; turn < 100000 && status == 42; turn++) {
		gettime(CLOCK_MONOTONIC, &two);
		if (two.tv_sec < one.tv_sec ||
		    (two.tv_sec == one.tv_sec && two.tv_nsec < one.tv_nsec))
			status = 43;
		one = two;
	}
	uvdso_shutdown(vdso);
	if (status == 42 && descriptors() != before)
		return 44;
	return status == 42 && left() ? left() : status;
}
