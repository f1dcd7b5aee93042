/*
 * 08-timekeeper.c - a clock that goes at double speed, kept by loader/kernel/time/timeline.c.
 *
 * A timeline follows whatever it is told that the kernel's clock shows. Here it is told that a
 * second has passed for each half of one. That its answers never go back must hold all the
 * same.
 */
#include <inttypes.h>
#include <machine.h>
#include <stdio.h>
#include <time.h>

#include "kernel/time/timeline.h"

#define SPEED   2
#define SECONDS 2
#define SHOWN   8

static u64 real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/* The best of some looks: counter, clock, counter. */
static struct timeline_sample look(u64 start)
{
	struct timeline_sample best = {0, 0, ~0ull};

	for (int i = 0; i < 5; i++) {
		u64 before = arch_counter(), real = real_ns(), width = arch_counter() - before;

		if (width < best.width)
			best = (struct timeline_sample){before + width / 2,
							(real - start) * SPEED, width};
	}
	return best;
}

static void pause_for(u64 ns)
{
	nanosleep(&(struct timespec){0, (long)ns}, NULL);
}

static void bar(const char *whose, u64 ns)
{
	printf("  %-5s %9.6f s ", whose, (double)ns / 1e9);
	for (u64 at = 0; at < ns; at += 100000000)
		putchar('=');
	putchar('\n');
}

int main(void)
{
	u64 start = real_ns(), seen = 0, back = 0, asked = 0;
	struct timeline line;
	int shown = 0, updates = 0;

	for (int tries = 0;; tries++) {
		struct timeline_sample first = look(start);

		pause_for(1000000);
		if (timeline_start(&line, ~0ull, first, look(start)))
			break;
		if (tries == 100) {
			fprintf(stderr,
				"08-timekeeper: this machine's counter does not count\n");
			return 1;
		}
	}
	while (shown <= SHOWN) {
		struct timeline_sample sample = look(start);
		u64 now, end, real;

		timeline_steer(&line, sample);
		now = arch_counter();
		if (!timeline_ready(&line, now))
			continue;
		timeline_advance(&line, now);
		updates++;
		/* A reader, until the next update. */
		for (end = real_ns() + line.period; real_ns() < end; asked++) {
			u64 says = timeline_at(&line, arch_counter());

			back += says < seen;
			seen = says;
		}
		real = real_ns() - start;
		if (real >= (u64)shown * SECONDS * 1000000000u / SHOWN) {
			bar("real", real);
			bar("yours", timeline_at(&line, arch_counter()));
			fflush(stdout);
			shown++;
		}
	}
	printf("%d updates, %" PRIu64 " looks at your clock, and it has gone back %" PRIu64
	       " times.\n",
	       updates, asked, back);
	return back != 0;
}
