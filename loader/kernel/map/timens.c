/*
 * timens.c - see timens.h.
 */
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "kernel/base/maps.h"
#include "kernel/image/image.h"
#include "kernel/map/timens.h"
#include "kernel/time/sampler.h"

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
	*now = (struct clock_now){{0}, {0}};
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
		now->ahead[i] = sampler_ahead(clock_id[i]) * NSEC_PER_SEC;
		now->ns[i] -= now->ahead[i];
	}
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
