/*
 * gettime.c - the clocks: counter and data page in, time out, no system call.
 *
 * The timekeeper publishes what each clock showed at some count of the counter. The functions
 * here read the counter and add the time since. The rules that shape this file:
 *
 *  - no state, hardly any stack, no calls outside: it runs on a goroutine's few hundred bytes
 *    of stack and inside signal handlers;
 *  - never hang: a reader that cannot get a consistent copy, because the writer was stopped
 *    or died halfway, gives up and makes the system call. A coarse clock has two copies, one
 *    of which is always consistent while the data page is maintained;
 *  - never trust an old base: past max_cycles the writer is late or gone, and the kernel
 *    knows better. A coarse clock reads no counter, so it goes by the mode, ABANDONED;
 *  - return what a system call returns, 0 or -errno. There is no errno here.
 */

/*
 * How a call proceeds:
 *
 *   __vdso_clock_gettime
 *     gettime                which group does the clock belong to?
 *       read_hres            base under the sequence counter, plus ...
 *         ns_at              ... what the counter has advanced since
 *       gettime_coarse       base under the sequence counter, nothing else
 *       gettime_timens       only where one of these failed, in a time namespace:
 *                            gettime again, with the data page after the offsets
 *       arch_syscall2        whatever the data page cannot answer
 *
 * What a port supplies in arch/<arch>/machine.h, and nothing else:
 *
 *   arch_counter()       the counter of VDSO_CLOCKMODE_COUNTER. It must not be read before
 *                        the loads that precede it in the source, nor after those that
 *                        follow it
 *   arch_relax()         one turn of a spin loop, 20 ns or more (see MAX_TRIES)
 *   arch_syscall2()      a system call with two arguments; -errno on failure
 *   arch_cpu_and_node()  see getcpu.c; with ARCH_CPU_MASK and ARCH_NODE_SHIFT
 *   ARCH_NR_*            the numbers of three system calls
 *   VDSO_PREFIX(), VDSO_WEAK_ALIASES   how the exported names are made
 *   VDSO_EXPORTS_TIME    1 where the kernel's vDSO also has time(), else 0
 *   VDSO_TIME32          1 where long, and so the time that the old functions return, has
 *                        32 bits and there is also a clock_gettime64; else 0
 */
#include "vdso.h" /* first: machine.h may define VDSO_LOAD_HOOK */
#include <vdso/cycles.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

/* Time as this file calculates with it and as all but the old 32-bit functions return it. */
struct vdso_timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

/* What programs pass to the old functions: the same as above on a 64-bit machine. */
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
 * How often a reader tries before it gives up. An update takes the writer some hundred
 * nanoseconds, so a handful of tries is enough, unless the writer lost its CPU halfway: then
 * no number is.
 */
#define MAX_TRIES 256

/*
 * How often a coarse reader tries. It needs more than one or two only while an abandoned data
 * page comes back, and then it waits, in turns of arch_relax(), for 40 ms: by then the watchdog
 * has noticed a writer that was stopped.
 */
#ifndef ARCH_COARSE_WAITS
#	define ARCH_COARSE_WAITS (1u << 21)
#endif

#define NOINLINE __attribute__((noinline))
#define COLD     __attribute__((noinline, cold)) /* small rather than fast */
#define INLINE   inline __attribute__((always_inline))

/*
 * In a time namespace the first page has the offsets; the data page is a stride further on. The
 * empty asm is for compilers that know how large vdso_data is, and would warn.
 */
static INLINE const struct vdso_data *data_after_offsets(const struct vdso_data *vd)
{
	__asm__("" : "+r"(vd));
	return (const struct vdso_data *)((const char *)vd + VDSO_STRIDE);
}

static INLINE bool is_namespace(const struct vdso_data *vd)
{
	return read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_TIMENS;
}

/*
 * An odd number usually means that an update is under way. A page of offsets and an abandoned
 * data page are odd, too, but nobody will make them even.
 */
static INLINE bool nothing_to_wait_for(const struct vdso_data *vd)
{
	return read_once_s32(&vd->clock_mode) >= VDSO_CLOCKMODE_ABANDONED;
}

/*
 * Brings ns below one second. A loop, since it runs at most twice; for a clock at a rate of
 * 1000, fifty times. The empty asm keeps the compiler from turning it into a division, which on
 * 32-bit machines is a call into a library that a vDSO does not have. It must stay outside the
 * retry loop: there ns may be a mix of two updates, and this loop could run for hours.
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

/*
 * What a fine clock shows when the counter is at now, in nanoseconds past the seconds of its
 * base. Returns false if the base is too old.
 */
static INLINE bool ns_at(const struct vdso_data *vd, u32 clock, u64 now, u64 *ns)
{
	/* course: begin 07-cycles */
	u64 last = read_once64(&vd->cycle_last);
	u64 max = read_once64(&vd->max_cycles);
	u64 delta = now - last, snsec;

	/*
	 * A delta up to max needs no mask, because max is below the mask. Every instruction
	 * between the counter and the answer adds to the cost of a call.
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
 * Returns false when the caller must find another way: a page of offsets instead of data, no
 * usable counter, a base that is too old, or a writer that never finished.
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
		/* Before the counter: an unusable one may not even be readable. */
		if (unlikely(read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE))
			return false;
		/* Between begin and retry: the count must belong to this base. */
		if (unlikely(!ns_at(vd, clock, arch_counter(), ns)))
			return false;
		*sec = read_once64(&vd->basetime[clock].sec);
		if (likely(!vdso_read_retry(vd, seq)))
			return true;
	}
	return false;
	/* course: end 06-seqlock */
}

/* A coarse clock from one of its copies, whose number was seq, an even one. */
static INLINE bool read_copy(const struct vdso_data *vd, u32 clock, u32 seq, u64 *sec, u64 *ns)
{
	*ns = read_once64(&vd->basetime[clock].nsec);
	*sec = read_once64(&vd->basetime[clock].sec);
	return likely(!vdso_read_retry(vd, seq));
}

/*
 * Which function was called? This decides which system call answers when the data page
 * cannot. A program that calls the old function may run in an equally old sandbox, which
 * kills it for a system call that the sandbox does not know (Linux c60a32ea4f45). Where there
 * is only one width, compilers drop the parameter.
 */
enum caller { CALLER_NEW, CALLER_OLD };

/* With vd the page after the offsets returns 1, not 0: they differ for the kernel's answers. */
static INLINE int ask_kernel(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
			     enum caller caller)
{
	int ret;
#if VDSO_TIME32
	struct vdso_old_timespec old;

	if (caller == CALLER_NEW) {
		ret = (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME64, clock, (long)ts);
	} else {
		ret = (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME, clock, (long)&old);
		if (ret == 0) {
			ts->tv_sec = old.tv_sec;
			ts->tv_nsec = old.tv_nsec;
		}
	}
#else
	(void)caller;
	ret = (int)arch_syscall2(ARCH_NR_CLOCK_GETTIME, clock, (long)ts);
#endif
	return ret ? ret : vd != vdso_data;
}

static int gettime_timens(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
			  enum caller caller);

/*
 * A coarse clock has two copies (seqcount.h). While the data page is maintained, one of them
 * is always consistent, so readers neither wait nor make a system call, whose answer would be
 * ahead of the data page. No answer is older than an earlier one:
 *
 *  - the first copy only grows;
 *  - the second copy is used while the first is odd; it then has what the first had last
 *    (pair 3). A number that changed during the copy does not guarantee that, so the reader
 *    starts again with the first copy;
 *  - on an abandoned data page both are odd. A writer that comes back changes the first
 *    number, then reads the clock. If the number is the same before and after a system call,
 *    the kernel's answer is older than what the writer will publish; otherwise the answer is
 *    dropped (pairs with 4, in timekeeper.c);
 *  - a writer that comes back makes the second copy odd before the first leaves the state of
 *    being abandoned. Until the first is even readers have no copy, and wait; if the writer
 *    loses its CPU meanwhile, until the watchdog abandons the data page again.
 *
 * One hole remains: writer and watchdog both lose their CPU for longer than a reader waits, the
 * writer between its last look at the counter and its last store, some nanoseconds later. That
 * reader gets the kernel's time, and the next one an older time. Only readers that write could
 * close the hole. Its other end: a reader counts its tries from its first wait on. If it has
 * spent them on one number, and loses its own CPU for just the moment in which the watchdog
 * sends it to the kernel, the next number gets the rest. (tests/model has both: hole,
 * hole-of-tries.)
 *
 * The system call asks for the fine clock: the kernel's coarse clock ticks at other moments
 * than ours and would sometimes be behind it.
 */
static INLINE int gettime_coarse(s32 clock, struct vdso_timespec *ts,
				 const struct vdso_data *vd, enum caller caller)
{
	s32 fine = clock - (VDSO_CLOCK_REALTIME_COARSE - VDSO_CLOCK_REALTIME);
	u64 sec, ns;

	for (u32 tries = ARCH_COARSE_WAITS; tries > 0; tries--) {
		const struct vdso_data *copy = vd;
		u32 first = vdso_read_begin(vd), seq = first;

		if (unlikely(seq & 1)) {
			if (nothing_to_wait_for(vd)) {
				int ret;

				if (is_namespace(vd))
					return gettime_timens(clock, ts, vd, caller);
				ret = ask_kernel(fine, ts, vd, caller);
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
	return ask_kernel(fine, ts, vd, caller);
}

static int gettime(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
		   enum caller caller);

/* course: begin 11-timens */
static INLINE bool is_coarse(s32 clock)
{
	return (u32)clock - VDSO_CLOCK_REALTIME_COARSE <=
	       VDSO_CLOCK_MONOTONIC_COARSE - VDSO_CLOCK_REALTIME_COARSE;
}

/*
 * Reads the next data page and adds the offset. The answer of a system call is shifted here,
 * too, by what the kernel's own time namespace, if the program is in one, has not shifted
 * already. A clock that no namespace shifts has the offset zero, so no list of exceptions is
 * needed. The wall clocks may have bases of their own; for ids that are not in the data page it
 * does not matter which.
 */
static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
				   const struct vdso_data *vd, enum caller caller)
{
	const struct vdso_data *data = data_after_offsets(vd);
	u64 sec, ns;
	u32 seq;

	if (VDSO_WALL >> (clock & 31) & 1)
		data = (const void *)((const char *)data + read_once32(&vd->wall));
	/* A coarse clock is cheap: the detour through gettime() would double its cost. */
	if (!is_coarse(clock) || (seq = vdso_read_begin(data)) & 1 ||
	    !read_copy(data, (u32)clock, seq, &sec, &ns)) {
		int ret = gettime(clock, ts, data, caller);

		if (ret < 0 || (u32)clock >= VDSO_BASES)
			return ret < 0 ? ret : 0;
		if (ret)
			vd += CS_KERNEL;
		sec = (u64)ts->tv_sec;
		ns = (u64)ts->tv_nsec;
	}
	sec += (u64)read_once_s64(&vd->offset[clock].sec);
	ns += read_once64(&vd->offset[clock].nsec);
	set_timespec(ts, sec, ns);
	return 0;
}

static NOINLINE int gettime(s32 clock, struct vdso_timespec *ts, const struct vdso_data *vd,
			    enum caller caller)
{
	/* Unsigned: the negative ids of dynamic clocks become large and fail here, too. */
	if (likely((u32)clock < VDSO_BASES)) {
		u32 bit = VDSO_BIT(clock);

		if (likely(bit & (VDSO_HRES | VDSO_RAW))) {
			/* One call for both bases: the choice is a conditional move. */
			const struct vdso_data *base = bit & VDSO_RAW ? &vd[CS_RAW] : vd;
			u64 sec = 0, ns = 0; /* no code; but some compilers want it */

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
	return ask_kernel(clock, ts, vd, caller);
}
/* course: end 11-timens */

#if VDSO_TIME32
/* course: begin 12-machines.both */
EXPORT(int, clock_gettime64, (s32 clock, struct vdso_timespec *ts))
{
	return gettime(clock, ts, vdso_data, CALLER_NEW);
}

/* Seconds that do not fit lose their upper half without an error, as in the system call. */
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
/* course: end 12-machines.both */
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

/*
 * tv is not NULL and the data page had no answer. Returns 1 with the time in ts, or what the
 * system call returned, which has filled in all there is.
 */
static COLD int gettimeofday_slow(struct vdso_timeval *tv, struct vdso_timezone *tz,
				  struct vdso_timespec *ts)
{
	const struct vdso_data *vd = vdso_data;
	int ret;

	if (!is_namespace(vd))
		return (int)arch_syscall2(ARCH_NR_GETTIMEOFDAY, (long)tv, (long)tz);
	ret = gettime_timens(VDSO_CLOCK_REALTIME, ts, vd, CALLER_OLD);
	return ret ? ret : 1;
}

EXPORT(int, gettimeofday, (struct vdso_timeval * tv, struct vdso_timezone *tz))
{
	const struct vdso_data *vd = vdso_data;

	if (likely(tv)) {
		struct vdso_timespec ts;
		u64 sec = 0, ns = 0;

		if (likely(read_hres(vd, VDSO_CLOCK_REALTIME, &sec, &ns))) {
			set_timespec(&ts, sec, ns);
		} else {
			int ret = gettimeofday_slow(tv, tz, &ts);

			if (ret <= 0)
				return ret;
		}
		set_timeval(tv, &ts);
	}
	if (unlikely(tz)) {
		if (is_namespace(vd))
			vd = data_after_offsets(vd);
		tz->tz_minuteswest = read_once_s32(&vd->tz_minuteswest);
		tz->tz_dsttime = read_once_s32(&vd->tz_dsttime);
	}
	return 0;
}

#if VDSO_EXPORTS_TIME
/* What time() cannot read in one piece is what REALTIME_COARSE shows. */
static COLD long time_slow(long *result)
{
	struct vdso_timespec ts;
	long ret = gettime(VDSO_CLOCK_REALTIME_COARSE, &ts, vdso_data, CALLER_OLD);

	if (ret == 0) {
		ret = (long)ts.tv_sec;
		if (result)
			*result = ret;
	}
	return ret;
}

EXPORT(long, time, (long *result))
{
	const struct vdso_data *vd = vdso_data;
	u32 seq = vdso_read_begin(vd);
	long now = read_once_long(&vd->basetime[VDSO_CLOCK_REALTIME].sec);

	/*
	 * The seconds of the last update. One word, and so never a mix of two; but while an
	 * update is under way it may be ahead of what REALTIME_COARSE shows, from its second
	 * copy.
	 */
	if (unlikely(seq & 1 || vdso_read_retry(vd, seq)))
		return time_slow(result);
	if (result)
		*result = now;
	return now;
}
#endif

EXPORT(int, clock_getres, (s32 clock, struct vdso_old_timespec *res))
{
	const struct vdso_data *vd = vdso_data;
	u32 bit = (u32)clock < VDSO_BASES ? VDSO_BIT(clock) : 0, ns;

	if (unlikely(is_namespace(vd)))
		vd = data_after_offsets(vd);
	if (likely(bit & (VDSO_HRES | VDSO_RAW)))
		ns = read_once32(&vd->hrtimer_res);
	else if (bit & VDSO_COARSE)
		ns = read_once32(&vd->coarse_res);
	else
		return (int)arch_syscall2(ARCH_NR_CLOCK_GETRES, clock, (long)res);
	if (likely(res)) {
		res->tv_sec = 0;
		res->tv_nsec = (long)ns;
	}
	return 0;
}
