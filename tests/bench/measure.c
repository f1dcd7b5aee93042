/*
 * measure.c - how long one call takes, when it takes less than the clock can tell.
 *
 * A call of a vDSO takes some nanoseconds, and so does a look at the clock. So a batch of calls
 * is timed, long enough for the clock and short enough that mostly no interrupt comes in
 * between. In each round everybody makes one batch; every other round goes backwards, so that
 * nobody is always the one after the system calls.
 *
 * cost_of() makes two numbers of the batches. The distance between them tells how much there
 * was that disturbed.
 */
#include <math.h>
#include <stdlib.h>

#include "measure.h"

#define BATCH_NS 150e3

/* A slow machine does fewer rounds; so much time is given to all of them, except for these. */
#define ALL_NS 1e9
#define FEWEST 5

#define MOST_WAYS 8

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), ascending);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double batch(const struct way *way, long calls)
{
	uint64_t start = now_ns();

	way->make(way->whom, calls);
	return (double)(now_ns() - start);
}

/* How many calls make a batch. Warms caches and branches on the way. */
static long batch_size(const struct way *way)
{
	long calls = 1;
	double ns;

	while ((ns = batch(way, calls)) < BATCH_NS / 4 && calls < 1L << 30)
		calls *= 2;
	/* Once more: the first time may have been slow for another reason. */
	ns = fmin(ns, batch(way, calls));
	return (long)fmax(1, (double)calls * BATCH_NS / ns);
}

struct cost cost_of(struct batches *of, struct batches *empty)
{
	double calls = (double)of->calls, empties = (double)empty->calls;
	/* course: begin 01-system-call */
	/*
	 * What disturbs, an interrupt or another program, only ever adds. So of many batches
	 * the best one is the nearest to what the code costs; a mean would be moved by a single
	 * bad one. The two sets were disturbed independently, so best is subtracted from best
	 * and median from median, and not batch from batch.
	 */
	double middle = median(of->ns, of->nr) / calls;
	double nothing = median(empty->ns, empty->nr) / empties;
	/* They are sorted now: the best is the first. */
	double best = of->ns[0] / calls - empty->ns[0] / empties;

	/* A few instructions can be as fast as nothing at all, but not faster. */
	return (struct cost){.best = fmax(0, best), .median = fmax(0, middle - nothing)};
	/* course: end 01-system-call */
}

void measure(const struct way *ways, size_t nr, size_t rounds, struct cost *cost)
{
	static struct batches batches[MOST_WAYS];
	uint64_t begin;
	size_t done = 0;

	for (size_t way = 0; way < nr; way++)
		batches[way].calls = ways[way].make ? batch_size(&ways[way]) : 0;
	begin = now_ns();
	while (done < rounds && (done < FEWEST || (double)(now_ns() - begin) < ALL_NS)) {
		for (size_t i = 0; i < nr; i++) {
			size_t way = done % 2 ? nr - 1 - i : i;

			if (ways[way].make)
				batches[way].ns[done] = batch(&ways[way], batches[way].calls);
		}
		done++;
	}
	for (size_t way = 0; way < nr; way++) {
		batches[way].nr = done;
		cost[way] = (struct cost){NAN, NAN};
	}
	for (size_t way = 0; way < nr; way++)
		if (ways[way].make)
			cost[way] = cost_of(&batches[way], &batches[nr - 1]);
}
