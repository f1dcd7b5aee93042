/*
 * first.c - the clocks are right from the first call on.
 *
 * When a vDSO is booted the rate of the counter is known from a tenth of a millisecond, and a
 * line is followed no further than that is good for. So the first milliseconds are no worse
 * than all others: each answer is between two of the kernel's, and no clock goes back when a
 * reader is sent to the kernel and comes back. Many boots, since each has only one beginning.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libc/vdso_names.h"
#include "tap.h"
#include "uvdso.h"

#define BOOTS    rounds(60)
#define FIRST_NS 5000000

static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
				   CLOCK_MONOTONIC_RAW};
#define CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static int (*gettime)(clockid_t, struct timespec *);

static struct {
	long reads, outside, backwards;
	int64_t worst;
	double *off; /* from the middle between the kernel's two */
	size_t kept, room;
} tally;

static int64_t ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t kernel(clockid_t id)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, id, &ts);
	return ns(ts);
}

static void read_clock(clockid_t id, int64_t *last)
{
	int64_t before = kernel(id), here, after, off;
	struct timespec ts;

	gettime(id, &ts);
	here = ns(ts);
	after = kernel(id);
	off = here < before ? before - here : here > after ? here - after : 0;
	tally.reads++;
	tally.outside += off > 0;
	tally.worst = off > tally.worst ? off : tally.worst;
	tally.backwards += here < *last;
	*last = here;
	if (tally.kept < tally.room)
		tally.off[tally.kept++] =
			(double)llabs(2 * here - before - after) / (double)(after - before);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	tally.room = 1000000;
	tally.off = calloc(tally.room, sizeof(*tally.off));
	if (!tally.off)
		bail_out("no memory");
	for (int i = 0; i < BOOTS; i++) {
		int64_t last[CLOCKS] = {0}, end;
		struct uvdso *vdso;
		char why[256];

		if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
			bail_out("%s", why);
		gettime = uvdso_symbol(vdso, VDSO_NAME("clock_gettime"), VDSO_VERSION);
		end = kernel(CLOCK_MONOTONIC) + FIRST_NS;
		do
			for (size_t c = 0; c < CLOCKS; c++)
				read_clock(clocks[c], &last[c]);
		while (kernel(CLOCK_MONOTONIC) < end);
		uvdso_shutdown(vdso);
	}
	if (!is(tally.outside, 0,
		"in the first 5 ms every answer is between two of the kernel's"))
		diag("of %ld reads, by %lld ns at worst", tally.reads, (long long)tally.worst);
	is(tally.backwards, 0, "no clock goes back");
	qsort(tally.off, tally.kept, sizeof(*tally.off), by_size);
	if (tally.kept < 500)
		skip(1, "too few reads to say where half of them are");
	else
		cmp_ok(tally.off[tally.kept / 2], <, 0.25,
		       "half of them are no further from the middle than an eighth of the "
		       "distance");
	printf("# %ld reads in %d boots\n", tally.reads, (int)BOOTS);
	free(tally.off);
	return done_testing();
}
