/*
 * load.h - what the writer of load.c publishes, how a reader checks it, and what the two share.
 *
 * Every part of an update follows from its number k, of 31 bits: the upper half of the seconds
 * is k, the lower half is made of k, and the nanoseconds of the lower half. No two halves that
 * belong to different updates fit together. The lower half can be turned back into k, for a
 * reader that sees only that. The numbers go round; a reader that sleeps through half a round,
 * a minute and more of updates, could not tell forward from back.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Fine bases are shifted by this. */
#define LOAD_SHIFT 8

/* So many reads are taken at a time; numbers of batches fit into 32 bits. */
#define LOAD_BATCH 10000

#define LOAD_FACTOR  2654435761u
#define LOAD_INVERSE 244002641u /* LOAD_FACTOR * LOAD_INVERSE is 1, modulo 2^32 */

/* Shared by all; words of 32 bits, which any machine changes in one step. */
struct load_control {
	uint32_t ready;   /* threads that have come to the start */
	uint32_t go;      /* they may begin */
	uint32_t batches; /* that nobody has taken yet */
	uint32_t enough;  /* updates that each thread is to see, even if it takes more reads */
	uint32_t stop;    /* the time is over, or all is known */
};

static inline uint64_t seconds_of(uint32_t k)
{
	return (uint64_t)k << 32 | k * LOAD_FACTOR;
}

static inline uint64_t nanoseconds_of(uint32_t low)
{
	return low % 999999937u;
}

static inline uint32_t update_of(uint32_t low)
{
	return low * LOAD_INVERSE;
}

/* Whether seconds and nanoseconds are of one update; for who sees only half of the seconds. */
__attribute__((unused)) static inline bool is_whole_low(uint32_t low, uint64_t nsec)
{
	return nsec == nanoseconds_of(low);
}

__attribute__((unused)) static inline bool is_whole(uint64_t sec, uint64_t nsec)
{
	return sec == seconds_of((uint32_t)(sec >> 32)) && is_whole_low((uint32_t)sec, nsec);
}

/* Is update k before that one? Of 31 bits, so that the seconds never become negative. */
__attribute__((unused)) static inline bool is_before(uint32_t k, uint32_t other)
{
	return (int32_t)((k - other) << 1) < 0;
}

#endif
