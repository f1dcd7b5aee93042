/*
 * gettime.c - the clocks: counter and data page in, time out, no system call.
 *
 * The way of one call:
 *
 *   __vdso_clock_gettime
 *     gettime                which group does the clock belong to?
 *       read_hres            base under the sequence counter, plus ...
 *         ns_at              ... what the counter has made since
 *       gettime_coarse       base under the sequence counter, nothing else
 *       gettime_timens       only behind "could not answer": this process is in
 *                            a time namespace; gettime again, on the page behind
 *       arch_syscall2        whatever the page cannot answer
 *
 * The rules that shape this file:
 *  - no state, no stack to speak of, no calls out: it runs on a goroutine's few
 *    hundred bytes of stack and inside signal handlers;
 *  - never hang: a reader that cannot get a copy of one piece (the writer was
 *    stopped in the middle, or died there) gives up and makes the system call.
 *    A coarse clock has two copies, one of which is whole while the page is kept;
 *  - never trust an old base: past max_cycles the writer is late or gone, and
 *    the system call knows better. A coarse clock cannot know that by itself;
 *    it goes by the mode, which is set to ABANDONED for it;
 *  - results as a system call has them: 0 or -errno, there is no errno here.
 *
 * What a port supplies in arch/<arch>/machine.h, and nothing else:
 *
 *   arch_counter()       the counter of VDSO_CLOCKMODE_COUNTER. May not be read
 *                        before the loads that precede it in the source are done
 *   arch_relax()         one turn of a spin loop, of some 20 ns or more (MAX_TRIES)
 *   arch_syscall2()      a system call of two arguments, -errno on failure
 *   arch_cpu_and_node()  see getcpu.c; with ARCH_CPU_MASK and ARCH_NODE_SHIFT
 *   ARCH_NR_*            the numbers of three system calls
 *   VDSO_PREFIX(), VDSO_WEAK_ALIASES   how the exported names are made
 *   VDSO_EXPORTS_TIME    1 where the kernel's own page has time(), too; else 0
 *   VDSO_TIME32          1 where long, and with it the times of the old functions, has 32
 *                        bits, and there is a clock_gettime64, too; else 0
 */
#include "vdso.h" /* first: it brings the machine, and with it VDSO_LOAD_HOOK, if any */
#include <vdso/cycles.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

/* Time as this file reckons with it, and as all but the old 32-bit functions return it. */
struct vdso_timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

/* What programs pass to the old functions. On a 64-bit machine it is the same as above. */
struct vdso_old_timespec {
	long tv_sec;
	long tv_nsec;
};

struct vdso_timeval {
	long tv_sec;
	long tv_usec;
};

struct vdso_timezone {
	s32 tz_minuteswest;
	s32 tz_dsttime;
};

/*
 * How often a reader tries before it gives up. An update takes the writer some
 * hundred nanoseconds, so that a handful of tries is always enough, unless the
 * writer lost its CPU in the middle: then no number of tries would be. (A coarse
 * clock needs its patience only while an abandoned page comes back.)
 */
#define MAX_TRIES 256

#define NOINLINE __attribute__((noinline))
#define INLINE   inline __attribute__((always_inline))

/* In a namespace the page that we see first is the offsets'; the data is behind it. */
static INLINE const struct vdso_data *data_behind(const struct vdso_data *vd)
{
	return (const struct vdso_data *)((const char *)vd + VDSO_PAGE_SIZE);
}

static INLINE bool is_namespace(const struct vdso_data *vd)
{
	return read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_TIMENS;
}

/*
 * An odd number usually means that the data is on its way. Not so on a page of offsets,
 * nor on one that has been abandoned: nobody will make these even.
 */
static INLINE bool nothing_to_wait_for(const struct vdso_data *vd)
{
	return read_once_s32(&vd->clock_mode) >= VDSO_CLOCKMODE_ABANDONED;
}

/*
 * Brings ns below one second. A loop, not a division: it runs at most twice, and
 * the empty asm keeps the compiler from turning it back into a division (which
 * on 32-bit machines is a call into a library that a page does not have). It
 * must stand outside the retry loop: there ns may be a mix of two updates, and
 * the loop could run for hours.
 */
static INLINE void set_timespec(struct vdso_timespec *ts, u64 sec, u64 ns)
{
	while (ns >= NSEC_PER_SEC) {
		ns -= NSEC_PER_SEC;
		sec++;
		__asm__("" : "+r"(ns));
	}
	ts->tv_sec = (s64)sec;
	ts->tv_nsec = (s64)ns;
}

static INLINE bool is_coarse(s32 clock)
{
	return (u32)clock - VDSO_CLOCK_REALTIME_COARSE <=
	       VDSO_CLOCK_MONOTONIC_COARSE - VDSO_CLOCK_REALTIME_COARSE;
}

/*
 * What a fine clock shows when the counter stands at now, in nanoseconds beyond the seconds of
 * its base. Returns false if the base is too old for that.
 */
static INLINE bool ns_at(const struct vdso_data *vd, u32 clock, u64 now, u64 *ns)
{
	/* course: begin 07-cycles */
	u64 last = read_once64(&vd->cycle_last);
	u64 max = read_once64(&vd->max_cycles);
	u64 delta = now - last, snsec;

	/*
	 * The mask can wait: it changes nothing in a delta that is not above max, which is less
	 * than the mask. What lies between the counter and the answer is what a call costs.
	 */
	if (unlikely(delta > max)) {
		u64 mask = read_once64(&vd->mask);

		delta = vdso_delta(now, last, mask);
		if (vdso_delta_negative(delta, mask))
			delta = 0;
		else if (delta > max)
			return false;
	}
	snsec = vdso_cycles_to_snsec(delta, read_once32(&vd->mult),
				     read_once64(&vd->basetime[clock].nsec));
	*ns = snsec >> read_once32(&vd->shift);
	return true;
	/* course: end 07-cycles */
}

/*
 * Returns false when the caller must find another way: a page of offsets instead
 * of data, no usable counter, a base that is too old, or a writer that never
 * finished.
 */
static INLINE bool read_hres(const struct vdso_data *vd, u32 clock, u64 *sec, u64 *ns)
{
	/* course: begin 06-seqlock */
	for (int tries = MAX_TRIES; tries > 0; tries--) {
		u32 seq = vdso_read_begin(vd);

		if (unlikely(seq & 1)) {
			if (nothing_to_wait_for(vd))
				return false;
			arch_relax();
			continue;
		}
		/* Before the counter: without a usable one it might not even be readable. */
		if (unlikely(read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE))
			return false;
		/* Between begin and retry: the counter belongs to this base and to no other. */
		if (unlikely(!ns_at(vd, clock, arch_counter(), ns)))
			return false;
		*sec = read_once64(&vd->basetime[clock].sec);
		if (likely(!vdso_read_retry(vd, seq)))
			return true;
	}
	return false;
	/* course: end 06-seqlock */
}

/* A coarse clock from one of its copies, which had the even number seq. */
static INLINE bool read_copy(const struct vdso_data *vd, u32 clock, u32 seq, u64 *sec, u64 *ns)
{
	*ns = read_once64(&vd->basetime[clock].nsec);
	*sec = read_once64(&vd->basetime[clock].sec);
	return likely(!vdso_read_retry(vd, seq));
}

/*
 * Who is asking? It decides one thing, which system call answers when the page cannot. A
 * program that calls the old function may live in a sandbox that is as old, and kills
 * whoever makes a system call that it has not heard of (Linux c60a32ea4f45). Where there
 * is only one width, compilers see it and leave the parameter out.
 */
enum caller { CALLER_NEW, CALLER_OLD };

static INLINE int ask_kernel(s32 clock, struct vdso_timespec *ts, enum caller caller)
{
#if VDSO_TIME32
	struct vdso_old_timespec old;
	int ret;

	if (caller == CALLER_NEW)
		return (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME64, clock, (long)ts);
	ret = (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME, clock, (long)&old);
	if (ret == 0) {
		ts->tv_sec = old.tv_sec;
		ts->tv_nsec = old.tv_nsec;
	}
	return ret;
#else
	(void)caller;
	return (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME, clock, (long)ts);
#endif
}

static int gettime(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
		   enum caller caller);

/*
 * The same question to the page behind, and the offset on top. A system call is
 * shifted here, too: the kernel does not know of our namespace. A clock that no
 * namespace shifts has the offset zero, so there is no list of exceptions.
 */
static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
				   const struct vdso_data *vd, enum caller caller)
{
	const struct vdso_data *behind = data_behind(vd);
	u64 sec, ns;
	u32 seq = vdso_read_begin(behind);

	/* A coarse clock costs next to nothing: the way through gettime() would double it. */
	if (!is_coarse(clock) || seq & 1 || !read_copy(behind, (u32)clock, seq, &sec, &ns)) {
		int ret = gettime(clock, ts, behind, caller);

		if (ret || (u32)clock >= VDSO_BASES)
			return ret;
		sec = (u64)ts->tv_sec;
		ns = (u64)ts->tv_nsec;
	}
	sec += (u64)read_once_s64(&vd->offset[clock].sec);
	ns += read_once64(&vd->offset[clock].nsec);
	set_timespec(ts, sec, ns);
	return 0;
}

/*
 * A coarse clock has two copies (seqcount.h). While the page is kept, one of them is whole at
 * any moment: there is no waiting, and no system call, which would be ahead of the page. No
 * answer is older than one before it:
 *
 *  - the first copy only grows;
 *  - the second is taken while the first is odd, and then has what the first had last (pair
 *    3). A number that changed under the reader does not promise that: so he looks at the
 *    first copy again;
 *  - on an abandoned page both are odd. When the writer comes back he changes the first
 *    number, and after that reads the clock. If it is the same before and after a system
 *    call, then what the kernel said is older than what the writer will say; if not, the
 *    answer is dropped. (Pairs with 4, in timekeeper.c);
 *  - the second copy is abandoned before the first, and stays odd until the first is back.
 *
 * A hole is left: the writer loses his CPU in the very update that brings an abandoned page
 * back, between his last look at the clock and his last store, for so long that a reader is
 * tired of waiting. That reader is told the kernel's time, and the next one is told an older
 * one. Only readers that write could close it.
 *
 * A system call is for the fine clock: the kernel's coarse clock ticks at other moments than
 * ours, and would at times go back behind it.
 */
static INLINE int gettime_coarse(s32 clock, struct vdso_timespec *ts,
				 const struct vdso_data *vd, enum caller caller)
{
	s32 fine = clock - (VDSO_CLOCK_REALTIME_COARSE - VDSO_CLOCK_REALTIME);
	u64 sec, ns;

	for (int tries = MAX_TRIES; tries > 0; tries--) {
		const struct vdso_data *copy = vd;
		u32 first = vdso_read_begin(vd), seq = first;

		if (unlikely(seq & 1)) {
			if (nothing_to_wait_for(vd)) {
				int ret;

				if (is_namespace(vd))
					return gettime_timens(clock, ts, vd, caller);
				ret = ask_kernel(fine, ts, caller);
				if (!vdso_read_retry(vd, first))
					return ret;
				continue;
			}
			copy = &vd[CS_RAW];
			seq = vdso_read_begin(copy);
			if (seq & 1) {
				arch_relax();
				continue;
			}
		}
		if (likely(read_copy(copy, (u32)clock, seq, &sec, &ns))) {
			ts->tv_sec = (s64)sec;
			ts->tv_nsec = (s64)ns;
			return 0;
		}
	}
	return ask_kernel(fine, ts, caller);
}

static NOINLINE int gettime(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
			    enum caller caller)
{
	/* Unsigned: the negative ids of dynamic clocks are large and fall out here, too. */
	if (likely((u32)clock < VDSO_BASES)) {
		u32 bit = VDSO_BIT(clock);

		if (likely(bit & (VDSO_HRES | VDSO_RAW))) {
			/* One copy serves both bases: picking one is a conditional move. */
			const struct vdso_data *base = bit & VDSO_RAW ? &vd[CS_RAW] : vd;
			u64 sec, ns;

			if (likely(read_hres(base, (u32)clock, &sec, &ns))) {
				set_timespec(ts, sec, ns);
				return 0;
			}
		} else if (likely(bit & VDSO_COARSE)) {
			return gettime_coarse(clock, ts, vd, caller);
		}
	}
	if (is_namespace(vd))
		return gettime_timens(clock, ts, vd, caller);
	return ask_kernel(clock, ts, caller);
}

#if VDSO_TIME32
EXPORT(int, clock_gettime64, (s32 clock, struct vdso_timespec *ts))
{
	return gettime(clock, ts, vdso_data, CALLER_NEW);
}

/* Seconds that do not fit lose their upper half, as the system call's do: there is no error. */
EXPORT(int, clock_gettime, (s32 clock, struct vdso_old_timespec *old))
{
	struct vdso_timespec ts;
	int ret = gettime(clock, &ts, vdso_data, CALLER_OLD);

	if (ret == 0) {
		old->tv_sec = (long)ts.tv_sec;
		old->tv_nsec = (long)ts.tv_nsec;
	}
	return ret;
}
#else
EXPORT(int, clock_gettime, (s32 clock, struct vdso_timespec *ts))
{
	return gettime(clock, ts, vdso_data, CALLER_NEW);
}
#endif

static INLINE void set_timeval(struct vdso_timeval *tv, const struct vdso_timespec *ts)
{
	tv->tv_sec = (long)ts->tv_sec;
	tv->tv_usec = (u32)ts->tv_nsec / NSEC_PER_USEC;
}

/* tv is not NULL and the data page had no answer. */
static NOINLINE int gettimeofday_slow(struct vdso_timeval *tv, struct vdso_timezone *tz)
{
	const struct vdso_data *vd = vdso_data;
	struct vdso_timespec ts;
	int ret;

	if (!is_namespace(vd))
		return (int)arch_syscall2(ARCH_NR_GETTIMEOFDAY, (long)tv, (long)tz);
	ret = gettime_timens(VDSO_CLOCK_REALTIME, &ts, vd, CALLER_OLD);
	if (ret == 0)
		set_timeval(tv, &ts);
	return ret;
}

EXPORT(int, gettimeofday, (struct vdso_timeval * tv, struct vdso_timezone *tz))
{
	const struct vdso_data *vd = vdso_data;

	if (likely(tv)) {
		struct vdso_timespec ts;
		u64 sec, ns;

		if (likely(read_hres(vd, VDSO_CLOCK_REALTIME, &sec, &ns))) {
			set_timespec(&ts, sec, ns);
			set_timeval(tv, &ts);
		} else {
			int ret = gettimeofday_slow(tv, tz);

			if (ret)
				return ret;
		}
	}
	if (unlikely(tz)) {
		if (is_namespace(vd))
			vd = data_behind(vd);
		tz->tz_minuteswest = read_once_s32(&vd->tz_minuteswest);
		tz->tz_dsttime = read_once_s32(&vd->tz_dsttime);
	}
	return 0;
}

#if VDSO_EXPORTS_TIME
EXPORT(long, time, (long *result))
{
	long now;

	/*
	 * Seconds of the last update: one word, no counter, and no sequence counter, which
	 * leaves no odd branch to hide the exceptions in. They are all in the mode. A word of
	 * 32 bits is the lower half: more of the seconds a long does not hold, and without the
	 * sequence counter the two halves could be of two updates.
	 */
	if (likely(read_once_s32(&vdso_data->clock_mode) == VDSO_CLOCKMODE_COUNTER)) {
		/* Pairs with the release of the mode: by then the seconds are fresh. */
		atomic_thread_fence(memory_order_acquire);
		now = read_once_long(&vdso_data->basetime[VDSO_CLOCK_REALTIME].sec);
	} else {
		struct vdso_timespec ts;
		int ret = gettime(VDSO_CLOCK_REALTIME_COARSE, &ts, vdso_data, CALLER_OLD);

		if (ret)
			return ret;
		now = (long)ts.tv_sec;
	}
	if (result)
		*result = now;
	return now;
}
#endif

EXPORT(int, clock_getres, (s32 clock, struct vdso_old_timespec *res))
{
	const struct vdso_data *vd = vdso_data;
	u32 bit = (u32)clock < VDSO_BASES ? VDSO_BIT(clock) : 0;

	if (is_namespace(vd))
		vd = data_behind(vd);
	if (unlikely(!(bit & (VDSO_HRES | VDSO_RAW | VDSO_COARSE))))
		return (int)arch_syscall2(ARCH_NR_CLOCK_GETRES, clock, (long)res);
	if (res) {
		res->tv_sec = 0;
		res->tv_nsec =
			read_once32(bit & VDSO_COARSE ? &vd->coarse_res : &vd->hrtimer_res);
	}
	return 0;
}
