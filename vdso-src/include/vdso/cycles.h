/*
 * cycles.h - from counter cycles to nanoseconds.
 *
 * A division would be too slow, so a frequency is kept as a fraction:
 *
 *   ns = (base + (cycles - cycle_last) * mult) >> shift
 *
 * base is already shifted and is added before the shift. So fractions of a nanosecond carry
 * over, and a clock does not lose 1 ns at each update (Linux 3d88d56c5873).
 *
 * Three things can go wrong with the subtraction, and each was a bug once:
 *  - the counter wraps at its own width: subtract first, mask afterwards;
 *  - another CPU's counter is slightly behind cycle_last: the difference is huge, and time
 *    would jump by centuries (Linux d8bb6f4c1670). "Huge" is the upper half of the mask, and
 *    such a reader gets the base itself;
 *  - the base is old and the product overflows 64 bits (Linux fcf190c36914): hence max_cycles.
 * One unsigned comparison with max_cycles catches the last two.
 */
#ifndef VDSO_CYCLES_H
#define VDSO_CYCLES_H

#include <vdso/types.h>

/* Cycles from last to now, for a counter that has the bits in mask. */
static inline __attribute__((always_inline)) u64 vdso_delta(u64 now, u64 last, u64 mask)
{
	return (now - last) & mask;
}

/* True if a delta means that the counter is behind cycle_last. */
static inline __attribute__((always_inline)) bool vdso_delta_negative(u64 delta, u64 mask)
{
	return delta > mask >> 1;
}

/* Adds delta cycles to a shifted base; still shifted. Exact while delta <= max_cycles. */
static inline __attribute__((always_inline)) u64 vdso_cycles_to_snsec(u64 delta, u32 mult,
								      u64 base)
{
	return base + delta * mult;
}

/*
 * The same for any delta, exact in 96 bits: splits delta * mult + frac, where frac is below
 * 1 << shift, into whole nanoseconds and the rest, still shifted. Two products of 32 x 32
 * bits, so that 32-bit machines need no 128-bit type. For the writer, which may find a base
 * that is minutes old. shift is at most 32.
 */
static inline u64 vdso_cycles_to_ns_exact(u64 delta, u32 mult, u32 shift, u64 *frac)
{
	u64 below = *frac & ((1ull << shift) - 1);
	u64 low = (delta & 0xffffffff) * mult;
	u64 high = (delta >> 32) * mult + (low >> 32);
	u64 sum = (low & 0xffffffff) + below; /* both below 2^32: no overflow */

	high += sum >> 32;
	sum &= 0xffffffff;
	*frac = sum & ((1ull << shift) - 1);
	return (high << (32 - shift)) + (sum >> shift);
}

#endif
