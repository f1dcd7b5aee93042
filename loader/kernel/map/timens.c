/*
 * timens.c - see timens.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "kernel/base/maps.h"
#include "kernel/image/image.h"
#include "kernel/map/timens.h"
#include "kernel/time/sampler.h"

/* KTIME_MAX in seconds. */
#define LATEST (INT64_MAX / 1000000000)

const char *const timens_clock_name[TIMENS_CLOCKS] = {"realtime", "monotonic", "boottime",
						      "tai"};

static const clockid_t clock_id[TIMENS_CLOCKS] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
						  CLOCK_BOOTTIME, CLOCK_TAI};

/* Which of the four a clock id is shifted with; -1 for those that no namespace shifts. */
static const int belongs_to[VDSO_BASES] = {
	[VDSO_CLOCK_REALTIME] = TIMENS_REALTIME,
	[VDSO_CLOCK_MONOTONIC] = TIMENS_MONOTONIC,
	[2] = -1, /* CPU time of the process */
	[3] = -1, /* CPU time of the thread */
	[VDSO_CLOCK_MONOTONIC_RAW] = TIMENS_MONOTONIC,
	[VDSO_CLOCK_REALTIME_COARSE] = TIMENS_REALTIME,
	[VDSO_CLOCK_MONOTONIC_COARSE] = TIMENS_MONOTONIC,
	[VDSO_CLOCK_BOOTTIME] = TIMENS_BOOTTIME,
	[VDSO_CLOCK_REALTIME_ALARM] = TIMENS_REALTIME,
	[VDSO_CLOCK_BOOTTIME_ALARM] = TIMENS_BOOTTIME,
	[10] = -1, /* was a clock once */
	[VDSO_CLOCK_TAI] = TIMENS_TAI,
};

const char *timens_parse(const char *text, struct timens *timens)
{
	static const struct {
		char suffix;
		s64 seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t length = strcspn(text, "=");
	int clock = 0;
	s64 unit = 1, seconds;
	char *end;

	while (clock < TIMENS_CLOCKS && (strncmp(text, timens_clock_name[clock], length) ||
					 timens_clock_name[clock][length]))
		clock++;
	if (clock == TIMENS_CLOCKS || !text[length])
		return "an offset is CLOCK=+N or CLOCK=-N, with realtime, monotonic, boottime "
		       "or tai for CLOCK";
	text += length + 1;
	/* The sign is required: without one it would look like a time to be set. */
	if ((*text != '+' && *text != '-') || text[1] < '0' || text[1] > '9')
		return "an offset needs a sign and a whole number, like +3600 or -2d";
	errno = 0;
	seconds = strtoll(text, &end, 10);
	if (*end == '.' || *end == ',')
		return "an offset needs a sign and a whole number, like +3600 or -2d";
	if (*end) {
		size_t i = 0;

		while (i < 4 && units[i].suffix != *end)
			i++;
		if (i == 4 || end[1])
			return "the unit of an offset is s, m, h or d";
		unit = units[i].seconds;
	}
	if (errno || __builtin_mul_overflow(seconds, unit, &seconds) || seconds > LATEST ||
	    seconds < -LATEST)
		return "the offset is too large for any clock";
	timens->seconds[clock] = seconds;
	return NULL;
}

bool timens_is_empty(const struct timens *timens)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (timens->seconds[i])
			return false;
	return true;
}

const char *timens_check(const struct timens *timens)
{
	static char why[160];

	for (int i = 0; i < TIMENS_CLOCKS; i++) {
		struct timespec now;
		s64 then;

		if (clock_gettime(clock_id[i], &now))
			continue;
		if (__builtin_add_overflow((s64)now.tv_sec, timens->seconds[i], &then))
			then = timens->seconds[i] > 0 ? INT64_MAX : INT64_MIN;
		if (then < 0 || then >= LATEST) {
			snprintf(why, sizeof(why),
				 "%s is %lld s now and would become %lld s; a clock is between "
				 "0 "
				 "and %lld s",
				 timens_clock_name[i], (long long)now.tv_sec, (long long)then,
				 (long long)LATEST);
			return why;
		}
	}
	return NULL;
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

void timens_inherit(struct timens *timens)
{
	sampler_is_nested(!on_kernel_vdso());
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		timens->seconds[i] += sampler_ahead(clock_id[i]);
}

void timens_offsets(const struct timens *timens,
		    const struct timens_offset ahead[TIMENS_CLOCKS],
		    struct timens_offset offset[VDSO_BASES])
{
	for (int i = 0; i < VDSO_BASES; i++) {
		int with = belongs_to[i];

		offset[i].sec = with < 0 ? 0 : timens->seconds[with];
		offset[i].nsec = 0;
		if (with >= 0 && ahead) {
			offset[i].sec += ahead[with].sec;
			offset[i].nsec = ahead[with].nsec;
		}
	}
}
