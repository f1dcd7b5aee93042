/*
 * mirror.c - see mirror.h.
 */
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/foreign/mirror.h"

/* Fields of a structure, in bytes from its start. */
#define HEAD       0
#define CYCLE_LAST 8
#define MAX_CYCLES 16 /* if there is one; else what follows is eight bytes earlier */

/* An update takes far less than a microsecond. */
#define MAX_READS 100000

struct fields {
	u64 *cycle_last, *max_cycles, *mask;
	u32 *mult, *shift;
	struct vdso_timestamp *base;
};

static unsigned char *structure(const struct mirror *mirror, int cs)
{
	const struct foreign_layout *l = mirror->layout;

	return mirror->pages[MIRROR_TIME].page + l->data + (size_t)cs * l->size;
}

static _Atomic(u64) *head_of(const struct mirror *mirror, int cs)
{
	return (void *)(structure(mirror, cs) + HEAD);
}

static struct fields fields_of(const struct foreign_layout *layout, unsigned char *at)
{
	unsigned char *rest = at + MAX_CYCLES + (layout->max_cycles ? 8 : 0);

	return (struct fields){
		.cycle_last = (void *)(at + CYCLE_LAST),
		.max_cycles = layout->max_cycles ? (void *)(at + MAX_CYCLES) : NULL,
		.mask = (void *)rest,
		.mult = (void *)(rest + 8),
		.shift = (void *)(rest + 12),
		.base = (void *)(rest + 16),
	};
}

/*
 * nsec is in units of 2^-shift ns, and less than a second. It has to be: for a coarse clock the
 * image shows it as it is stored, and time() shows the seconds of REALTIME as they are stored.
 */
static void set_base(const struct mirror *mirror, int cs, int clock, u64 sec, u64 nsec,
		     u32 shift)
{
	struct fields f = fields_of(mirror->layout, structure(mirror, cs));
	const struct timens_offset *by = &mirror->shift[clock];
	u64 second = (u64)NSEC_PER_SEC << shift;

	sec += (u64)by->sec;
	nsec += by->nsec << shift;
	if (nsec >= second) {
		nsec -= second;
		sec++;
	}
	write_once64(&f.base[clock].sec, sec);
	write_once64(&f.base[clock].nsec, nsec);
}

/* A kernel shifts these by its namespaces; and those that are with them, in no other way. */
static bool is_kernels(int clock)
{
	return VDSO_BIT(clock) &
	       (VDSO_BIT(VDSO_CLOCK_MONOTONIC) | VDSO_BIT(VDSO_CLOCK_MONOTONIC_RAW) |
		VDSO_BIT(VDSO_CLOCK_MONOTONIC_COARSE) | VDSO_BIT(VDSO_CLOCK_BOOTTIME) |
		VDSO_BIT(VDSO_CLOCK_BOOTTIME_ALARM));
}

void mirror_shift(struct mirror *mirror, const struct timens_offset offset[VDSO_BASES],
		  bool no_namespace)
{
	static const struct timens_offset none;

	for (int clock = 0; clock < VDSO_BASES; clock++)
		mirror->shift[clock] =
			no_namespace || !is_kernels(clock) ? offset[clock] : none;
}

void mirror_fill_offsets(const struct foreign_layout *layout, union mirror_store *page,
			 const struct timens_offset offset[VDSO_BASES])
{
	struct mirror mirror = {.layout = layout, .pages = page - MIRROR_TIME};
	union vdso_head head = {.seq = 1, .clock_mode = VDSO_CLOCKMODE_TIMENS};

	for (int cs = 0; cs < CS_BASES; cs++) {
		for (int clock = 0; clock < VDSO_BASES; clock++)
			if (is_kernels(clock))
				set_base(&mirror, cs, clock, (u64)offset[clock].sec,
					 offset[clock].nsec, 0);
		/* Last, as in vvar_fill_offsets(). */
		atomic_store_explicit(head_of(&mirror, cs), head.word, memory_order_release);
	}
}

/* Returns the head that it has now: odd, and another one. */
static u64 send_away(const struct mirror *mirror, int cs, bool to_kernel)
{
	_Atomic(u64) *at = head_of(mirror, cs);
	union vdso_head was = {.word = atomic_load_explicit(at, memory_order_relaxed)}, now;

	do {
		now = was;
		now.seq = vdso_next_odd(was.seq);
		if (to_kernel)
			now.clock_mode = VDSO_CLOCKMODE_NONE;
		VDSO_STORE_HOOK(at);
		atomic_thread_fence(memory_order_release); /* for the reason in seqcount.h */
	} while (!atomic_compare_exchange_weak_explicit(
		at, &was.word, now.word, memory_order_acq_rel, memory_order_relaxed));
	return now.word;
}

static bool let_go_on(const struct mirror *mirror, int cs, u64 begun, s32 mode)
{
	_Atomic(u64) *at = head_of(mirror, cs);
	union vdso_head done = {.word = begun};

	done.seq++;
	done.clock_mode = mode;
	VDSO_STORE_HOOK(at);
	/* Pairs with the readers' first look at the number, and with their second one. */
	atomic_thread_fence(memory_order_release);
	return atomic_compare_exchange_strong_explicit(
		at, &begun, done.word, memory_order_acq_rel, memory_order_relaxed);
}

/* Is the head as we have left it? If not, readers may be there: nothing more is written. */
static bool is_ours(const struct mirror *mirror, int cs, u64 begun)
{
	return atomic_load_explicit(head_of(mirror, cs), memory_order_relaxed) == begun;
}

void mirror_begin(struct mirror *mirror)
{
	for (int cs = 0; cs < CS_BASES; cs++)
		mirror->head[cs] = send_away(mirror, cs, false);
	/* As in begin() of timekeeper.c: what is looked at next is looked at after that. */
	atomic_thread_fence(memory_order_seq_cst);
}

/*
 * How far a line may be followed until the product has more than 64 bits. There the image goes
 * a longer way, and makes no system call: for that our own readers have their max_cycles.
 */
static u64 until_overflow(const struct vdso_data *from)
{
	return from->mult ? (UINT64_MAX >> 1) / from->mult : 0;
}

static void write_line(const struct mirror *mirror, int cs, const struct vdso_data *from)
{
	struct fields f = fields_of(mirror->layout, structure(mirror, cs));

	write_once64(f.cycle_last, from->cycle_last);
	if (f.max_cycles)
		write_once64(f.max_cycles, until_overflow(from));
	write_once64(f.mask, from->mask);
	write_once32(f.mult, from->mult);
	write_once32(f.shift, from->shift);
	for (int clock = 0; clock < VDSO_BASES; clock++) {
		u32 wanted = cs == CS_RAW ? VDSO_RAW : VDSO_HRES | VDSO_COARSE;

		if (VDSO_BIT(clock) & wanted && is_ours(mirror, cs, mirror->head[cs]))
			set_base(mirror, cs, clock, from->basetime[clock].sec,
				 from->basetime[clock].nsec,
				 VDSO_BIT(clock) & VDSO_COARSE ? 0 : from->shift);
	}
}

/* Read without the number, there as here. */
static void write_slow_fields(const struct mirror *mirror, const struct vdso_data *from)
{
	const struct foreign_layout *l = mirror->layout;
	unsigned char *first = structure(mirror, CS_HRES_COARSE);

	write_once_s32((void *)(first + l->tz), from->tz_minuteswest);
	write_once_s32((void *)(first + l->tz + 4), from->tz_dsttime);
	write_once32((void *)(first + l->res), from->hrtimer_res);
}

bool mirror_end(struct mirror *mirror, const struct vdso_data from[CS_BASES],
		const s32 mode[CS_BASES])
{
	bool ended = true;

	write_slow_fields(mirror, from);
	for (int cs = 0; cs < CS_BASES; cs++)
		write_line(mirror, cs, &from[cs]);
	for (int cs = 0; cs < CS_BASES; cs++)
		if (!let_go_on(mirror, cs, mirror->head[cs], mode[cs]))
			ended = false;
	return ended;
}

void mirror_abandon(struct mirror *mirror, u64 head[CS_BASES])
{
	for (int cs = 0; cs < CS_BASES; cs++)
		head[cs] = send_away(mirror, cs, true);
	/* As in mirror_begin(): for the stores that follow, and for the look at the clocks. */
	atomic_thread_fence(memory_order_seq_cst);
}

void mirror_stand_in(struct mirror *mirror, const u64 head[CS_BASES], u64 real_ns, u64 mono_ns)
{
	const struct {
		int clock;
		u64 sec, nsec;
	} coarse[] = {
		/* Of REALTIME the seconds are read as they stand, in any mode (time()). */
		{VDSO_CLOCK_REALTIME, real_ns / NSEC_PER_SEC, real_ns % NSEC_PER_SEC},
		{VDSO_CLOCK_REALTIME_COARSE, real_ns / NSEC_PER_SEC, real_ns % NSEC_PER_SEC},
		{VDSO_CLOCK_MONOTONIC_COARSE, mono_ns / NSEC_PER_SEC, mono_ns % NSEC_PER_SEC},
	};

	for (size_t i = 0; i < sizeof(coarse) / sizeof(coarse[0]); i++)
		if (is_ours(mirror, CS_HRES_COARSE, head[CS_HRES_COARSE]))
			set_base(mirror, CS_HRES_COARSE, coarse[i].clock, coarse[i].sec,
				 coarse[i].nsec, 0);
	/* If another one has begun meanwhile, it ends it. */
	for (int cs = 0; cs < CS_BASES; cs++)
		let_go_on(mirror, cs, head[cs], VDSO_CLOCKMODE_NONE);
}

static void read_line(const struct mirror *mirror, int cs, struct vdso_data *to)
{
	struct fields f = fields_of(mirror->layout, structure(mirror, cs));

	to->cycle_last = read_once64(f.cycle_last);
	to->max_cycles = f.max_cycles ? read_once64(f.max_cycles) : 0;
	to->mask = read_once64(f.mask);
	to->mult = read_once32(f.mult);
	to->shift = read_once32(f.shift);
	for (int clock = 0; clock < VDSO_BASES; clock++) {
		to->basetime[clock].sec = read_once64(&f.base[clock].sec);
		to->basetime[clock].nsec = read_once64(&f.base[clock].nsec);
	}
}

/* One structure; false if it was written meanwhile. */
static bool read_structure(const struct mirror *mirror, int cs, struct vdso_data *to)
{
	_Atomic(u64) *at = head_of(mirror, cs);
	union vdso_head head = {.word = atomic_load_explicit(at, memory_order_acquire)}, after;

	read_line(mirror, cs, to);
	atomic_thread_fence(memory_order_acquire); /* as in vdso_read_retry() */
	after.word = atomic_load_explicit(at, memory_order_relaxed);
	atomic_init(&to->seq, head.seq);
	to->clock_mode = head.clock_mode;
	return after.word == head.word &&
	       (!(head.seq & 1) || head.clock_mode == VDSO_CLOCKMODE_TIMENS);
}

unsigned mirror_read(const struct foreign_layout *layout, const void *page,
		     struct vdso_data to[CS_BASES])
{
	/* Nothing is written there. */
	const struct mirror mirror = {.layout = layout, .pages = (void *)(uintptr_t)page};
	const unsigned char *first = structure(&mirror, CS_HRES_COARSE);
	unsigned again = 0;

	for (int cs = 0; cs < CS_BASES; cs++) {
		while (!read_structure(&mirror, cs, &to[cs]) && again < MAX_READS)
			again++;
		to[cs].tz_minuteswest = read_once_s32((const void *)(first + layout->tz));
		to[cs].tz_dsttime = read_once_s32((const void *)(first + layout->tz + 4));
		to[cs].hrtimer_res = read_once32((const void *)(first + layout->res));
	}
	return again;
}

static struct vdso_rng_data *rng_of(const struct mirror *mirror)
{
	const struct foreign_layout *l = mirror->layout;

	if (l->rng < 0)
		return NULL;
	return (void *)(mirror->pages[l->rng == l->time ? MIRROR_TIME : MIRROR_RNG].page +
			l->rng_data);
}

void mirror_rng(struct mirror *mirror, const struct vdso_rng_data *from)
{
	struct vdso_rng_data *rng = rng_of(mirror);
	u64 generation = atomic_load_explicit(&from->generation, memory_order_relaxed);

	if (!rng)
		return;
	if (atomic_load_explicit(&rng->generation, memory_order_relaxed) != generation)
		atomic_store_explicit(&rng->generation, generation, memory_order_release);
	/* Last, as in rng.c. */
	__atomic_store_n(&rng->is_ready, from->is_ready, __ATOMIC_RELEASE);
}

void mirror_abandon_rng(struct mirror *mirror)
{
	struct vdso_rng_data *rng = rng_of(mirror);

	if (rng)
		__atomic_store_n(&rng->is_ready, false, __ATOMIC_RELAXED);
}
