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

bool timekeeping_start(struct timekeeping *tk, u64 mask, const struct clocks_look *first,
		       const struct clocks_look *second)
{
	if (!timeline_start(&tk->mono, mask, first->mono, second->mono) ||
	    !timeline_start(&tk->raw, mask, first->raw, second->raw))
		return false;
	tk->real = middle(second->real);
	tk->boot = middle(second->boot);
	tk->tai = tai_distance(second->tai, tk->real);
	return true;
}

void timekeeping_look(struct timekeeping *tk, const struct clocks_look *look)
{
	s64 boot;

	timeline_steer(&tk->mono, look->mono);
	timeline_steer(&tk->raw, look->raw);
	tk->real = timeline_offset(tk->real, look->real.low, look->real.high);
	boot = timeline_offset(tk->boot, look->boot.low, look->boot.high);
	/* It only ever grows, by the time that the machine is suspended. A retouch downwards
	 * would be a step backwards. */
	if (boot > tk->boot)
		tk->boot = boot;
	tk->tai = tai_distance(look->tai, tk->real);
}

void timekeeping_restart(struct timekeeping *tk)
{
	tk->mono.restart = tk->raw.restart = true;
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

void timekeeping_write_coarse(struct vdso_data *vd, u64 real_ns, u64 mono_ns)
{
	set_base(&vd->basetime[VDSO_CLOCK_REALTIME], real_ns, 0, 0);
	set_base(&vd->basetime[VDSO_CLOCK_REALTIME_COARSE], real_ns, 0, 0);
	set_base(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE], mono_ns, 0, 0);
}

static void copy_base(struct vdso_data data[CS_BASES], int clock)
{
	const struct vdso_timestamp *from = &data[CS_HRES_COARSE].basetime[clock];

	write_once64(&data[CS_RAW].basetime[clock].sec, from->sec);
	write_once64(&data[CS_RAW].basetime[clock].nsec, from->nsec);
}

void timekeeping_copy_coarse(struct vdso_data data[CS_BASES])
{
	copy_base(data, VDSO_CLOCK_REALTIME_COARSE);
	copy_base(data, VDSO_CLOCK_MONOTONIC_COARSE);
}

void timekeeping_write(struct timekeeping *tk, struct vdso_data *vd, u64 now)
{
	struct vdso_timestamp *base = vd->basetime;
	const struct timeline *mono = &tk->mono;
	u64 real;

	timeline_advance(&tk->mono, now);
	set_line(vd, mono);
	real = mono->ns + (u64)tk->real;
	timekeeping_write_coarse(vd, real, mono->ns);
	set_base(&base[VDSO_CLOCK_REALTIME], real, mono->frac, mono->shift);
	set_base(&base[VDSO_CLOCK_MONOTONIC], mono->ns, mono->frac, mono->shift);
	set_base(&base[VDSO_CLOCK_BOOTTIME], mono->ns + (u64)tk->boot, mono->frac, mono->shift);
	set_base(&base[VDSO_CLOCK_TAI], mono->ns + (u64)tk->tai, mono->frac, mono->shift);
}

void timekeeping_write_raw(struct timekeeping *tk, struct vdso_data *vd, u64 now)
{
	const struct timeline *raw = &tk->raw;

	timeline_advance(&tk->raw, now);
	set_line(vd, raw);
	set_base(&vd->basetime[VDSO_CLOCK_MONOTONIC_RAW], raw->ns, raw->frac, raw->shift);
}
