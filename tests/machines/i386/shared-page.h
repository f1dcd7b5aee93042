/*
 * shared-page.h - what the writer of shared-page.c publishes, and how a reader checks it.
 *
 * Every part of an update follows from its number k: the upper half of the seconds is k, the
 * lower half is made of k, and the nanoseconds of the lower half. No two halves that belong
 * to different updates fit together.
 */
#ifndef SHARED_PAGE_H
#define SHARED_PAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Fine bases are shifted by this. */
#define SHARED_SHIFT 8

static inline uint64_t seconds_of(uint32_t k)
{
	return (uint64_t)k << 32 | k * 2654435761u;
}

static inline uint64_t nanoseconds_of(uint32_t low)
{
	return low % 999999937u;
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

#endif
