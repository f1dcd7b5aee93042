/*
 * datapage.h - the data pages: what the timekeeper writes and the vDSO's functions read.
 *
 * The layout is that of Linux 5.6 to 6.14 (include/vdso/datapage.h there), with max_cycles
 * where 6.10 put it. 32-bit and 64-bit code reads the same data page at the same time: hence no
 * pointer, no long, and an assertion below for every offset.
 *
 * Where the data pages are, relative to the image (low addresses first):
 *
 *   image - 3 strides   the data page, or in a time namespace the page of offsets
 *   image - 2 strides   nothing,       or in a time namespace the data page
 *   image - 1 stride    the data page of the random number generator (rng.h)
 *   image               ELF header, tables, code
 */
#ifndef VDSO_DATAPAGE_H
#define VDSO_DATAPAGE_H

/* The linker scripts include these lines as well. */
#define VDSO_SMALLEST_PAGE 4096

/*
 * From one data page to the next: the size of the largest page that a kernel of this machine
 * can have. Each data page is mapped for itself, so it must begin where a page begins,
 * whichever size that kernel was built for; and the code has the distance compiled in. aarch64
 * has pages of 4, 16 and 64 KiB. A new port gets 64 KiB until somebody knows better.
 */
#if defined(__x86_64__) || defined(__i386__) || defined(__riscv)
#	define VDSO_STRIDE 4096
#else
#	define VDSO_STRIDE 65536
#endif

/* The data pages, counted from the lowest address. */
#define VDSO_TIME_PAGE     0 /* what the functions read first */
#define VDSO_TIMENS_PAGE   1 /* in a time namespace: the data page */
#define VDSO_RNG_PAGE      2 /* what getrandom() reads, in a namespace or not */
#define VDSO_NR_DATA_PAGES 3

#ifndef __ASSEMBLER__

#	include <stdatomic.h>
#	include <vdso/clocks.h>
#	include <vdso/rng.h>
#	include <vdso/types.h>

/*
 * A data page has two of the structures below, one for each base:
 *
 *   [CS_HRES_COARSE]  the clocks that the kernel disciplines: REALTIME, MONOTONIC, BOOTTIME,
 *                     TAI and the two coarse ones
 *   [CS_RAW]          MONOTONIC_RAW, with a multiplier of its own; and a second copy of the
 *                     coarse clocks (seqcount.h, "Two copies")
 */
#	define CS_HRES_COARSE 0
#	define CS_RAW         1
#	define CS_BASES       2

/*
 * Where the wall clocks, REALTIME and TAI, go at a rate of their own, there is a second pair
 * like this one, so many further on. Then the first has nothing of those clocks, and the second
 * nothing of the others.
 */
#	define CS_WALL 2

/*
 * A page of offsets has a third one: what to add to the kernel's own answers. It is less than
 * the others if the program is in a time namespace of the kernel's that the timekeeper is not
 * in.
 */
#	define CS_KERNEL 2

/* How to read the counter. Values as in Linux include/vdso/clocksource.h. */
enum vdso_clock_mode {
	VDSO_CLOCKMODE_NONE = 0,               /* no usable counter: make the system call */
	VDSO_CLOCKMODE_COUNTER = 1,            /* the machine's counter (x86: the TSC) */
	VDSO_CLOCKMODE_ABANDONED = 0x7ffffffe, /* ours: nobody maintains it; seq is odd */
	VDSO_CLOCKMODE_TIMENS = 0x7fffffff,    /* a page of offsets */
};

/*
 * A clock's value at cycle_last. nsec of a high resolution clock is shifted left by
 * vdso_data.shift, so that fractions of a nanosecond survive from update to update; nsec of a
 * coarse clock is plain nanoseconds.
 */
struct vdso_timestamp {
	u64 sec;
	u64 nsec;
};

/* What a time namespace adds to a clock. nsec is plain and below NSEC_PER_SEC. */
struct timens_offset {
	s64 sec;
	u64 nsec;
};

/* Empty: none of our machines has data of its own here. */
struct arch_vdso_data {
};

/**
 * struct vdso_data - one base of the data page
 * @seq:		sequence counter: odd while the writer is at work (seqcount.h)
 * @clock_mode:		enum vdso_clock_mode
 * @head:		both as one word, for writers, which change them together
 * @cycle_last:		the count for which the bases below are true
 * @max_cycles:		how far past @cycle_last the bases may be trusted; beyond it a reader
 *			makes the system call. The writer chooses it so that
 *			(delta * @mult + nsec) cannot overflow 64 bits, and not above half of
 *			@mask
 * @mask:		the bits that the counter has
 * @mult:		nanoseconds << @shift for one cycle
 * @wall:		in a page of offsets: how many bytes further on the bases of the wall
 *			clocks are, 0 or VDSO_WALL_DISTANCE
 * @shift:		see @mult
 * @basetime:		base of each clock at @cycle_last, by clock id. CS_RAW has
 *			MONOTONIC_RAW and, in [5] and [6], where the kernel's data page has
 *			zeros, the second copy of the coarse clocks. It is written after the
 *			first is finished, so that one of the two can always be read
 * @offset:		in a time namespace: what to add to each clock, by clock id
 * @tz_minuteswest:	minutes west of Greenwich, for gettimeofday()
 * @tz_dsttime:		type of daylight saving, for gettimeofday()
 * @hrtimer_res:	resolution of the fine clocks in ns, for clock_getres()
 * @__unused:		padding of the kernel's structure
 * @coarse_res:		our use of it: resolution of the coarse clocks in ns. The kernel
 *			compiles this in as NSEC_PER_SEC / HZ; we learn HZ only at run time
 * @arch_data:		architecture specific data
 *
 * Written by the timekeeper alone, except @head, which the watchdog also changes to abandon
 * the data page. Everything from @clock_mode to @basetime is read under @seq. The last four
 * change rarely, each is one word, and no reader needs two of them to agree: they are read
 * without @seq.
 *
 * The page of offsets of a time namespace has the same layout. Its @seq is always 1 and its
 * @clock_mode VDSO_CLOCKMODE_TIMENS, so a reader finds out on the branch for an update under
 * way, which costs nothing in a process outside a namespace. Then @offset and @wall are valid,
 * and the data page is the next one.
 */
struct vdso_data {
	union {
		struct {
			_Atomic(u32) seq;
			s32 clock_mode;
		};
		_Atomic(u64) head;
	};

	u64 cycle_last;
	u64 max_cycles;
	u64 mask;
	union {
		u32 mult;
		u32 wall;
	};
	u32 shift;

	union {
		struct vdso_timestamp basetime[VDSO_BASES];
		struct timens_offset offset[VDSO_BASES];
	};

	s32 tz_minuteswest;
	s32 tz_dsttime;
	u32 hrtimer_res;
	union {
		u32 __unused;
		u32 coarse_res;
	};

	struct arch_vdso_data arch_data;
};

#	define VDSO_WALL_DISTANCE (u32)(CS_WALL * sizeof(struct vdso_data))

/*
 * One data page, time or random numbers. The union gives it its size, which is the stride: only
 * the first VDSO_SMALLEST_PAGE bytes have something in them.
 */
union vdso_data_store {
	struct vdso_data data[CS_WALL + CS_BASES];
	struct vdso_data offsets[CS_KERNEL + 1];
	struct vdso_rng_data rng;
	unsigned char page[VDSO_STRIDE];
};

#	define VDSO_AT(field, at)                                        \
		_Static_assert(offsetof(struct vdso_data, field) == (at), \
			       "vdso_data." #field " moved: 32- and 64-bit readers share it")
VDSO_AT(seq, 0);
VDSO_AT(clock_mode, 4);
VDSO_AT(head, 0);
VDSO_AT(cycle_last, 8);
VDSO_AT(max_cycles, 16);
VDSO_AT(mask, 24);
VDSO_AT(mult, 32);
VDSO_AT(wall, 32);
VDSO_AT(shift, 36);
VDSO_AT(basetime, 40);
VDSO_AT(offset, 40);
VDSO_AT(tz_minuteswest, 232);
VDSO_AT(tz_dsttime, 236);
VDSO_AT(hrtimer_res, 240);
VDSO_AT(coarse_res, 244);
#	undef VDSO_AT
_Static_assert(sizeof(struct vdso_data) == 248, "the second base starts at 248");
_Static_assert(sizeof(_Atomic(u32)) == 4, "the sequence counter is one plain word");
_Static_assert(sizeof(struct vdso_data) * (CS_KERNEL + 1) <= VDSO_SMALLEST_PAGE, "one page");
_Static_assert(sizeof(struct vdso_data) * (CS_WALL + CS_BASES) <= VDSO_SMALLEST_PAGE, "too");
_Static_assert(sizeof(union vdso_data_store) == VDSO_STRIDE, "one stride, no more");

#endif /* __ASSEMBLER__ */
#endif
