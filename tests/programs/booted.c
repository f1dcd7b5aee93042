/*
 * booted.c - a program with a vDSO of its own: uvdso_boot(), some calls, uvdso_shutdown().
 *
 * 42 if its clock was right and no descriptor is left, 43 and 44 if not; 125, with what was
 * said on standard error, if there was no vDSO.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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
		return err < 0 && *why && descriptors() == before ? 125 : 43;
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
	return status == 42 && descriptors() != before ? 44 : status;
}
