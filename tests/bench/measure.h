/*
 * measure.h - how long one call of something takes, when it takes less than the clock can tell.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* More than these are not made of anything. */
#define MOST_ROUNDS 400

/* One of those who take turns. */
struct way {
	void (*make)(const void *whom, long calls); /* NULL: there is nobody */
	const void *whom;
};

/* Batches of one way: each of so many calls, and the nanoseconds that each took. */
struct batches {
	long calls;
	size_t nr; /* at least 1 */
	double ns[MOST_ROUNDS];
};

/* In nanoseconds a call; NAN where there was nobody to ask. */
struct cost {
	double best, median;
};

/*
 * Measures all ways in turns, and subtracts what the last one costs, which does nothing: that
 * is the loop, and the call. At most so many rounds, and fewer on a slow machine. cost has an
 * element a way; that of the last is 0.
 */
void measure(const struct way *ways, size_t nr, size_t rounds, struct cost *cost);

/* What a call costs that was made in these batches, beside those of an empty function. Sorts
 * both. */
struct cost cost_of(struct batches *of, struct batches *empty);

double median(double *values, size_t count); /* sorts them */

/* The clock, in nanoseconds from anywhere. Whoever links this file brings it: a test has its
 * own. */
uint64_t now_ns(void);

#endif
