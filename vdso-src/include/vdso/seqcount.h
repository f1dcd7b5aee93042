/*
 * seqcount.h - one writer, many readers, no lock: the sequence counter.
 *
 * The writer must never wait for a reader, which may be stopped for a week, and a reader cannot
 * write at all, since the data page is read-only for it. So the writer numbers its updates: an
 * odd number means "being written", the next even number "done". A reader notes the number,
 * copies what it wants and looks again. The same even number means that the copy is consistent;
 * otherwise the reader discards it.
 *
 * The number has 32 bits on both sides. At two steps an update and 250 updates a second it
 * wraps in 99 days. Readers compare for equality, so that is harmless: a reader would have to
 * sleep through exactly 2^32 steps to be fooled.
 */

/*
 * The barriers:
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
 * Without any one of the four, some machine hands out a mix of two updates. x86 does not (it
 * keeps loads in order, and stores, so these lines only hold the compiler back): a run on x86
 * proves nothing.
 *
 * Two copies. If the writer loses its CPU between its two steps, readers wait in vain. For a
 * fine clock the system call is a good answer, for a coarse clock it is not: the kernel says
 * T1, then the writer continues and publishes an earlier T0, and the next reader goes back.
 * So the data page has the coarse clocks twice, each copy with a number of its own, and the
 * writer finishes one copy before it begins the other (like the kernel's seqcount_latch, made
 * for clocks in NMIs):
 *
 *   CS_HRES_COARSE   even k-1 | odd  | even k             | odd  | even k+1
 *   CS_RAW           even k-1               | odd  | even k             | odd  | even k+1
 *
 * A reader takes the first copy, and while that is odd the second. The numbers change by a
 * read-modify-write that is acquire and release, so:
 * Pair 3: a reader that sees the first number odd for update k+1 (at A) sees the second copy
 * finished with update k, which is not older than anything that the first copy gave out.
 * A number that turns out odd or changed only at B says nothing, because B does not acquire.
 * Such a reader starts again with the first copy.
 *
 * Two sizes. The writer changes number and mode as one word of 64 bits (head), and readers load
 * the number alone, as 32 bits of it. C11 knows no such thing: to it these are two objects. So
 * this relies on what the machines promise, and on compilers that make one instruction of each
 * access (tests/vdso/accesses.t):
 *
 *  - x86-64, i386: an aligned access of up to 64 bits is done at once (Intel SDM 3A, 9.1.1
 *    "Guaranteed Atomic Operations"), and a LOCKed one is in order with all others;
 *  - aarch64: an aligned access of a general register, or of an exclusive pair, is single-copy
 *    atomic, and so is each part of it that another one overlaps with (Arm ARM, B2.2.1); the
 *    order of B2.3 is one of bytes, not of variables. Flur et al., "Mixed-size concurrency",
 *    POPL 2017, have it as a model, and tried it;
 *  - riscv64: an aligned access of up to XLEN bits is one memory operation (unprivileged ISA,
 *    RVWMO, "Memory Model Primitives"), and its order is, again, one of the bytes that
 *    operations have in common ("Overlapping-Address Orderings"). An LR/SC pair is of one
 *    size.
 *
 * A model tries all orders of these steps, as far as a small number of calls, updates and ticks
 * leads (tests/model, which says what is left out): none breaks a rule. Its guards say what
 * breaks without each barrier and check.
 */
#ifndef VDSO_SEQCOUNT_H
#define VDSO_SEQCOUNT_H

#include <vdso/datapage.h>
#include <vdso/once.h>

/*
 * Reader, A: the number before the copy. The caller must test whether it is odd, since only the
 * caller knows whether to wait, to give up or to expect a time namespace.
 */
static inline __attribute__((always_inline)) u32 vdso_read_begin(const struct vdso_data *vd)
{
	VDSO_LOAD_HOOK(&vd->seq);
	return atomic_load_explicit(&vd->seq, memory_order_acquire); /* pairs with 2 */
}

/* Reader, B: true if the copy must be discarded. */
static inline __attribute__((always_inline)) bool vdso_read_retry(const struct vdso_data *vd,
								  u32 start)
{
	atomic_thread_fence(memory_order_acquire); /* pairs with 1 */
	VDSO_LOAD_HOOK(&vd->seq);
	return atomic_load_explicit(&vd->seq, memory_order_relaxed) != start;
}

/*
 * The number and the mode next to it change together, as one word. Otherwise a reader could see
 * the number of one state with the mode of another and draw the wrong conclusion.
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

/*
 * Changes the head. Returns false, and the current head in *from, if it is not *from any more.
 * The fence is the release half of acq_rel once more: gcc 12.2 (Debian 12) leaves that out on
 * riscv64, where the exchange is "lr.d; sc.d.aq". (tests/vdso/accesses.t reads the code.)
 */
static inline bool vdso_change_head(struct vdso_data *vd, union vdso_head *from,
				    union vdso_head to)
{
	VDSO_STORE_HOOK(&vd->head);
	atomic_thread_fence(memory_order_release);
	return atomic_compare_exchange_strong_explicit(
		&vd->head, &from->word, to.word, memory_order_acq_rel, memory_order_relaxed);
}

/* An odd number other than seq, which is odd if a writer died halfway. */
static inline u32 vdso_next_odd(u32 seq)
{
	return (seq + 1) | 1;
}

/*
 * Sends the readers of this base to the kernel, because nobody maintains it. For the watchdog,
 * at any time, and for the writer. A writer in the middle of an update finds its number
 * changed.
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
 * The one writer begins an update of a base with the head *head, which becomes the new head,
 * for vdso_write_end(). False if it has another by now, which is in *head. The mode of an
 * abandoned base becomes NONE, so that readers wait for it again.
 */
static inline bool vdso_try_begin(struct vdso_data *vd, union vdso_head *head)
{
	union vdso_head now = *head;

	now.seq = vdso_next_odd(now.seq);
	if (now.clock_mode == VDSO_CLOCKMODE_ABANDONED)
		now.clock_mode = VDSO_CLOCKMODE_NONE;
	if (!vdso_change_head(vd, head, now))
		return false;
	atomic_thread_fence(memory_order_release); /* 1 */
	*head = now;
	return true;
}

/* The same whatever its head is. */
static inline union vdso_head vdso_write_begin(struct vdso_data *vd)
{
	union vdso_head head = vdso_read_head(vd);

	while (!vdso_try_begin(vd, &head))
		;
	return head;
}

/*
 * Ends the update with an even number and the mode of the data. Returns false and changes
 * nothing if the base was abandoned meanwhile: readers have asked the kernel and got a newer
 * time than was written. It must be written again.
 */
static inline bool vdso_write_end(struct vdso_data *vd, union vdso_head begun, s32 mode)
{
	union vdso_head done = {.seq = begun.seq + 1, .clock_mode = mode};

	return vdso_change_head(vd, &begun, done); /* 2 */
}

#endif
