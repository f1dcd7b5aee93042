/*
 * seqcount.h - one writer, many readers, no lock: the sequence counter.
 *
 * The writer must never wait for a reader (a reader may be stopped for a week)
 * and a reader must not write at all (its page is read-only). So the writer
 * numbers its work. An odd number means "I am writing", the next even number
 * "done". A reader notes the number, copies what it wants and looks again: same
 * even number, then the copy is of one piece; otherwise it throws it away.
 *
 *   writer                               reader
 *   seq = odd                            s = seq             A
 *   ---- release fence          1        ---- acquire load   (pairs with 2)
 *   data = ...                           copy = data
 *   seq = even, release store   2        ---- acquire fence  (pairs with 1)
 *                                        s == seq ?          B
 *
 * Pair 1: a reader that copied anything new must see "odd" or later at B.
 * Pair 2: a reader that saw "even" at A must see all the data before it.
 * Leave any of the four out and some machine will hand out a mix of two
 * updates; x86 would not, which is why it proves nothing there (its loads and
 * its stores stay in order, and only the compiler is held back by these lines).
 *
 * The counter is 32 bits on both sides. At two steps an update and 250 updates a
 * second it wraps in 99 days, which is harmless: readers compare for equality,
 * and a reader would have to sleep through exactly 2^32 steps to be fooled.
 */
#ifndef VDSO_SEQCOUNT_H
#define VDSO_SEQCOUNT_H

#include <vdso/datapage.h>
#include <vdso/once.h>

/*
 * Reader, A: the number before the copy. The caller must test for odd, since
 * only it knows whether to wait, to give up, or that it looks at a namespace.
 */
static inline __attribute__((always_inline)) u32 vdso_read_begin(const struct vdso_data *vd)
{
	VDSO_LOAD_HOOK(&vd->seq);
	return atomic_load_explicit(&vd->seq, memory_order_acquire); /* pairs with 2 */
}

/* Reader, B: true if the copy must be thrown away. */
static inline __attribute__((always_inline)) bool vdso_read_retry(const struct vdso_data *vd,
								  u32 start)
{
	atomic_thread_fence(memory_order_acquire); /* pairs with 1 */
	VDSO_LOAD_HOOK(&vd->seq);
	return atomic_load_explicit(&vd->seq, memory_order_relaxed) != start;
}

/*
 * Writer. There is exactly one, so a load and a store make the step: no locked
 * instruction is needed. (A watchdog may set bit 0 meanwhile, to abandon the page. It can
 * only make a number odd, and the end of a complete update overwrites that with an even
 * one.) Both bases step together, with a single fence.
 */
static inline void vdso_write_begin(struct vdso_data vd[CS_BASES])
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		u32 seq = atomic_load_explicit(&vd[cs].seq, memory_order_relaxed);

		/* |: a writer that died half-way left it odd, its heir repairs that. */
		atomic_store_explicit(&vd[cs].seq, (seq + 1) | 1, memory_order_relaxed);
	}
	atomic_thread_fence(memory_order_release); /* 1 */
}

static inline void vdso_write_end(struct vdso_data vd[CS_BASES])
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		u32 seq = atomic_load_explicit(&vd[cs].seq, memory_order_relaxed);

		atomic_store_explicit(&vd[cs].seq, seq + 1, memory_order_release); /* 2 */
	}
}

#endif
