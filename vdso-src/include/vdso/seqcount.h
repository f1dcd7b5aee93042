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
 * Two copies. The writer may lose its CPU between its two steps, and then a reader waits in
 * vain. A fine clock makes the system call, and all is well. A coarse clock does not get away
 * with that: the kernel says T1, the writer goes on and publishes T0, which it had read
 * before, and the next reader is back behind T1. So the coarse clocks stand on the page
 * twice, each copy with a number of its own, and one is finished before the other is begun
 * (the kernel's seqcount_latch, made for its clocks in NMIs):
 *
 *   CS_HRES_COARSE   even k-1 | odd  | even k             | odd  | even k+1
 *   CS_RAW           even k-1               | odd  | even k             | odd  | even k+1
 *
 * A reader takes the first copy, and the second while the first is odd. The numbers step by
 * a read-modify-write that is acquire and release, so:
 * Pair 3: who sees the first number odd for update k+1 (A) sees the second copy finished
 * with update k. It is not older than anything that the first has ever given out.
 * What has become odd or changed only at B is not seen so: B acquires nothing. Such a reader
 * starts again with the first copy.
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
 * The number and its neighbour, the mode, change together, as one word. Otherwise there
 * would be a moment with the mode of one state and the number of another, and in that
 * moment whatever one concludes from the two is wrong.
 */
union vdso_head {
	struct {
		u32 seq;
		s32 clock_mode;
	};
	u64 word;
};

static inline union vdso_head vdso_read_head(struct vdso_data *vd)
{
	return (union vdso_head){.word = atomic_load_explicit(&vd->head, memory_order_relaxed)};
}

/* From one head to another. False, and *from is up to date, if somebody was faster. */
static inline bool vdso_change_head(struct vdso_data *vd, union vdso_head *from,
				    union vdso_head to)
{
	return atomic_compare_exchange_strong_explicit(
		&vd->head, &from->word, to.word, memory_order_acq_rel, memory_order_relaxed);
}

/* Odd, and another number than before: a writer that died half-way left it odd. */
static inline u32 vdso_next_odd(u32 seq)
{
	return (seq + 1) | 1;
}

/*
 * Nobody keeps this base: its readers are to ask the kernel. For the watchdog, at any
 * time, and for the writer. The writer that is at work meanwhile finds its number changed.
 */
static inline void vdso_abandon(struct vdso_data *vd)
{
	union vdso_head was = vdso_read_head(vd),
			now = {.clock_mode = VDSO_CLOCKMODE_ABANDONED};

	do
		now.seq = vdso_next_odd(was.seq);
	while (!vdso_change_head(vd, &was, now));
}

/*
 * Writer. There is exactly one. Returns the head that stands there now, for the end. What
 * was abandoned is of mode NONE from here on: it comes back, and is waited for.
 */
static inline union vdso_head vdso_write_begin(struct vdso_data *vd)
{
	union vdso_head was = vdso_read_head(vd), now;

	do {
		now = was;
		now.seq = vdso_next_odd(was.seq);
		if (was.clock_mode == VDSO_CLOCKMODE_ABANDONED)
			now.clock_mode = VDSO_CLOCKMODE_NONE;
	} while (!vdso_change_head(vd, &was, now));
	atomic_thread_fence(memory_order_release); /* 1 */
	return now;
}

/*
 * The even number, and the mode that goes with the data. Returns false, and has changed
 * nothing, if the base was abandoned since begin: then readers have asked the kernel, and
 * what was written is older than what they were told. It must be written anew.
 */
static inline bool vdso_write_end(struct vdso_data *vd, union vdso_head begun, s32 mode)
{
	union vdso_head done = {.seq = begun.seq + 1, .clock_mode = mode};

	return vdso_change_head(vd, &begun, done); /* 2 */
}

#endif
