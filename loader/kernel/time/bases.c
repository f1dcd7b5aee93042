/*
 * bases.c - see bases.h.
 */
#include <vdso/once.h>

#include "kernel/time/bases.h"

static s64 middle(struct interval i)
{
	return i.low + (i.high - i.low) / 2;
}

/*
 * TAI is REALTIME plus whole seconds, so that the distance of REALTIME, which we know
 * well, gives that of TAI to the nanosecond. Its own measurement is from MONOTONIC, too: a
 * leap second between the two, which moves REALTIME and not TAI, changes the number of
 * seconds and nothing else.
 */
static s64 tai_distance(struct interval tai, s64 real)
{
	s64 between = middle(tai) - real, second = NSEC_PER_SEC;

	return real + (between + (between < 0 ? -second : second) / 2) / second * second;
}

bool bases_start(struct bases *bases, u64 mask, const struct clocks_look *first,
		 const struct clocks_look *second)
{
	if (!timeline_start(&bases->mono, mask, first->mono, second->mono) ||
	    !timeline_start(&bases->raw, mask, first->raw, second->raw))
		return false;
	bases->real = middle(second->real);
	bases->boot = middle(second->boot);
	bases->tai = tai_distance(second->tai, bases->real);
	return true;
}

void bases_steer(struct bases *bases, const struct clocks_look *look)
{
	s64 boot;

	timeline_steer(&bases->mono, look->mono);
	timeline_steer(&bases->raw, look->raw);
	bases->real = timeline_offset(bases->real, look->real.low, look->real.high);
	boot = timeline_offset(bases->boot, look->boot.low, look->boot.high);
	/* It only ever grows, by the time that the machine is suspended. A correction
	 * downwards would be a step backwards. */
	if (boot > bases->boot)
		bases->boot = boot;
	bases->tai = tai_distance(look->tai, bases->real);
}

void bases_restart(struct bases *bases)
{
	timeline_restart(&bases->mono);
	timeline_restart(&bases->raw);
}

bool bases_lost(const struct bases *bases)
{
	return bases->mono.lost || bases->raw.lost;
}

bool bases_ahead(const struct bases *bases)
{
	return bases->mono.error < -TIMELINE_STEP_NS || bases->raw.error < -TIMELINE_STEP_NS;
}

u64 bases_period(const struct bases *bases)
{
	u64 mono = bases->mono.period, raw = bases->raw.period;

	return mono < raw ? mono : raw;
}

static void set_base(struct vdso_timestamp *base, u64 ns, u64 frac, u32 shift)
{
	write_once64(&base->sec, ns / NSEC_PER_SEC);
	write_once64(&base->nsec, ns % NSEC_PER_SEC << shift | frac);
}

static void set_line(struct vdso_data *vd, const struct timeline *line)
{
	write_once64(&vd->cycle_last, line->cycle_last);
	write_once64(&vd->max_cycles, line->max_cycles);
	write_once64(&vd->mask, line->mask);
	write_once32(&vd->mult, line->mult);
	write_once32(&vd->shift, line->shift);
}

static void write_coarse(struct vdso_data *vd, u64 real_ns, u64 mono_ns)
{
	set_base(&vd->basetime[VDSO_CLOCK_REALTIME], real_ns, 0, 0);
	set_base(&vd->basetime[VDSO_CLOCK_REALTIME_COARSE], real_ns, 0, 0);
	set_base(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE], mono_ns, 0, 0);
}

/* A clock of one's own, where the kernel's has come to ns and frac; if it is one of this pair.
 */
static void set_own(struct bases *bases, struct vdso_data *vd, struct own_line *line, int id,
		    u64 ns, u64 frac)
{
	struct own_point at;

	if (own_point(&bases->own, line, id, ns, frac, &at))
		set_base(&vd->basetime[id], at.ns, at.frac, at.shift);
}

static void set_own_line(struct vdso_data *vd, const struct own_line *line)
{
	write_once32(&vd->mult, line->stands ? 0 : line->mult);
	write_once32(&vd->shift, line->shift);
}

void bases_write_coarse(struct bases *bases, struct vdso_data *vd, u64 real_ns, u64 mono_ns)
{
	struct own_line none = {.stands = true};

	if (!bases->own.pair) {
		write_coarse(vd, real_ns, mono_ns);
		return;
	}
	set_own(bases, vd, &none, VDSO_CLOCK_REALTIME, real_ns, 0);
	set_own(bases, vd, &none, VDSO_CLOCK_REALTIME_COARSE, real_ns, 0);
	set_own(bases, vd, &none, VDSO_CLOCK_MONOTONIC_COARSE, mono_ns, 0);
}

static void write_own(struct bases *bases, struct vdso_data *vd)
{
	const s64 distance[TIMENS_CLOCKS] = {
		[TIMENS_REALTIME] = bases->real,
		[TIMENS_BOOTTIME] = bases->boot,
		[TIMENS_TAI] = bases->tai,
	};
	const struct timeline *mono = &bases->mono;
	struct own_line line = own_line(&bases->own, mono);

	for (int id = 0; id < VDSO_BASES; id++) {
		int of = timens_clock_of(id);

		if (of >= 0 && !(VDSO_BIT(id) & VDSO_RAW))
			set_own(bases, vd, &line, id, mono->ns + (u64)distance[of], mono->frac);
	}
	set_own_line(vd, &line);
}

static void write_own_raw(struct bases *bases, struct vdso_data *vd)
{
	const struct timeline *raw = &bases->raw;
	struct own_line line = own_line(&bases->own, raw);

	set_own(bases, vd, &line, VDSO_CLOCK_MONOTONIC_RAW, raw->ns, raw->frac);
	set_own_line(vd, &line);
}

static void copy_base(struct vdso_data data[CS_BASES], int clock)
{
	const struct vdso_timestamp *from = &data[CS_HRES_COARSE].basetime[clock];

	write_once64(&data[CS_RAW].basetime[clock].sec, from->sec);
	write_once64(&data[CS_RAW].basetime[clock].nsec, from->nsec);
}

void bases_copy_coarse(struct vdso_data data[CS_BASES])
{
	copy_base(data, VDSO_CLOCK_REALTIME_COARSE);
	copy_base(data, VDSO_CLOCK_MONOTONIC_COARSE);
}

void bases_write(struct bases *bases, struct vdso_data *vd, u64 now)
{
	struct vdso_timestamp *base = vd->basetime;
	const struct timeline *mono = &bases->mono;
	u64 real;

	timeline_advance(&bases->mono, now);
	set_line(vd, mono);
	if (bases->own.pair) {
		write_own(bases, vd);
		return;
	}
	real = mono->ns + (u64)bases->real;
	write_coarse(vd, real, mono->ns);
	set_base(&base[VDSO_CLOCK_REALTIME], real, mono->frac, mono->shift);
	set_base(&base[VDSO_CLOCK_MONOTONIC], mono->ns, mono->frac, mono->shift);
	set_base(&base[VDSO_CLOCK_BOOTTIME], mono->ns + (u64)bases->boot, mono->frac,
		 mono->shift);
	set_base(&base[VDSO_CLOCK_TAI], mono->ns + (u64)bases->tai, mono->frac, mono->shift);
}

void bases_write_raw(struct bases *bases, struct vdso_data *vd, u64 now)
{
	const struct timeline *raw = &bases->raw;

	timeline_advance(&bases->raw, now);
	set_line(vd, raw);
	if (bases->own.pair) {
		write_own_raw(bases, vd);
		return;
	}
	set_base(&vd->basetime[VDSO_CLOCK_MONOTONIC_RAW], raw->ns, raw->frac, raw->shift);
}

void bases_close_raw(struct bases *bases, struct vdso_data *vd)
{
	bases->raw.max_cycles = 0;
	write_once64(&vd->max_cycles, 0);
}
