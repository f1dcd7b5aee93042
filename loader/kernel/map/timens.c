/*
 * timens.c - see timens.h.
 */
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/base/maps.h"
#include "kernel/image/image.h"
#include "kernel/map/timens.h"
#include "kernel/time/sampler.h"

/* Two lines of the same rate differ by less: both are slewed (TIMELINE_MAX_SLEW). */
#define SLEWED 1e-3

#define SLOPE_TRIES 1000

static const clockid_t clock_id[TIMENS_CLOCKS] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
						  CLOCK_BOOTTIME, CLOCK_TAI};

bool timens_is_empty(const struct timens *timens)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (timens->ns[i])
			return false;
	return !timens->own;
}

/*
 * TAI is REALTIME plus whole seconds. The two are read one after the other, and are to keep
 * this distance all the same.
 */
static s64 tai_beside(s64 real, s64 tai)
{
	s64 between = tai - real, second = NSEC_PER_SEC;

	return real + (between + (between < 0 ? -second : second) / 2) / second * second;
}

void timens_now(struct clock_now *now)
{
	*now = (struct clock_now){.raw = (s64)sampler_clock(CLOCK_MONOTONIC_RAW)};
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		now->ns[i] = (s64)sampler_clock(clock_id[i]);
	if (now->ns[TIMENS_TAI])
		now->ns[TIMENS_TAI] = tai_beside(now->ns[TIMENS_REALTIME], now->ns[TIMENS_TAI]);
}

/* The built-in image, by its header, which no patch changes; tells without system calls. */
static bool is_builtin(const void *ehdr)
{
	struct image image = image_builtin();

	return !memcmp(ehdr, image.bytes, sizeof(ElfW(Ehdr)));
}

/* ns a cycle of one base; 0 if it does not go by a counter, or stands still. */
static double slope(const struct vdso_data *vd)
{
	for (int tries = 0; tries < SLOPE_TRIES; tries++) {
		u32 seq = vdso_read_begin(vd), mult = read_once32(&vd->mult),
		    shift = read_once32(&vd->shift);

		if (!(seq & 1) && !vdso_read_retry(vd, seq))
			return (double)mult / (double)(1ull << (shift & 63));
	}
	return 0;
}

bool timens_is_rated(void)
{
	const char *ehdr = (const char *)getauxval(AT_SYSINFO_EHDR);
	const struct vdso_data *first, *data;
	double steady, wall;

	if (!ehdr || !is_builtin(ehdr))
		return false;
	first = (const void *)(ehdr - (VDSO_NR_DATA_PAGES - VDSO_TIME_PAGE) * VDSO_STRIDE);
	data = (const void *)((const char *)first + VDSO_STRIDE);
	if (read_once_s32(&first->clock_mode) != VDSO_CLOCKMODE_TIMENS ||
	    !read_once32(&first->wall))
		return false;
	steady = slope(data);
	wall = slope(&data[CS_WALL]);
	return wall < steady * (1 - SLEWED) || wall > steady * (1 + SLEWED);
}

/* Of the mapping that begins at arg->start the rest. */
static bool is_not_it(void *arg, const struct map_range *range)
{
	struct map_range *wanted = arg;

	if (range->start != wanted->start)
		return true;
	*wanted = *range;
	return false;
}

/*
 * Does the kernel's own vDSO tell us the time? Any other may shift it, whatever image it is:
 * that of another build, or one that `run --image` was given. Only the kernel names its mapping
 * so.
 */
static bool on_kernel_vdso(void)
{
	struct map_range vdso = {.start = getauxval(AT_SYSINFO_EHDR)};

	if (!vdso.start)
		return true; /* system calls do */
	if (is_builtin((const void *)vdso.start))
		return false;
	return !maps_walk(0, is_not_it, &vdso) && maps_is_kernel_vdso(&vdso);
}

void timens_kernel_now(struct clock_now *now)
{
	sampler_is_nested(!on_kernel_vdso());
	timens_now(now);
	for (int i = 0; i < TIMENS_CLOCKS; i++) {
		now->ahead[i] = sampler_ahead(clock_id[i]);
		now->ns[i] -= now->ahead[i];
	}
	now->raw -= now->ahead[TIMENS_MONOTONIC];
}

void timens_set(struct timens *timens, const struct own_clocks *clocks)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		timens->ns[i] = clocks->map[i].shown_ns - clocks->map[i].kernel_ns;
}

void timens_offsets(const struct timens *timens,
		    const struct timens_offset ahead[TIMENS_CLOCKS],
		    struct timens_offset offset[VDSO_BASES])
{
	for (int i = 0; i < VDSO_BASES; i++) {
		int with = timens_clock_of(i);
		s64 ns = with < 0 ? 0 : timens->ns[with], second = NSEC_PER_SEC;
		s64 rest = (ns % second + second) % second;

		offset[i].sec = (ns - rest) / second;
		offset[i].nsec = (u64)rest;
		if (with < 0 || !ahead)
			continue;
		rest += (s64)ahead[with].nsec;
		offset[i].sec += ahead[with].sec + rest / second;
		offset[i].nsec = (u64)(rest % second);
	}
}

void timens_kernels(const struct timens *timens, struct timens_offset offset[VDSO_BASES])
{
	static const struct timens none;

	timens_offsets(timens->answered ? &none : timens, NULL, offset);
}
