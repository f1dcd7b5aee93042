/*
 * files.c - see files.h.
 */
#include <string.h>
#include <sys/stat.h>
#include <vdso/once.h>

#include "kernel/ptrace/time/files.h"
#include "kernel/ptrace/traced.h"

/* Where the times are in struct stat of each form (the last is stat64), and in struct statx. */
#define TIMES_MAX 4
static const struct place {
	unsigned char at[TIMES_MAX], times;
	unsigned char size; /* of the seconds; the nanoseconds come next */
	unsigned char nsec; /* ... with this size */
} stat_of[] =
	{
		[FORM_64] = {{72, 88, 104}, 3, 8, 8},
		[FORM_32] = {{32, 40, 48}, 3, 4, 4},
		[FORM_32_TIME64] = {{64, 72, 80}, 3, 4, 4},
},
  statx_of = {{64, 80, 96, 112}, 4, 8, 4};

static s64 add(s64 a, s64 b)
{
	s64 sum;

	return __builtin_add_overflow(a, b, &sum) ? b < 0 ? INT64_MIN : INT64_MAX : sum;
}

s64 file_time_shown(const struct clock_map *map, s64 kernel_ns)
{
	if (map->rate == CLOCK_RATE_ONE || kernel_ns < map->kernel_ns)
		return add(kernel_ns, map->shown_ns - map->kernel_ns);
	return clock_map_shown(map, kernel_ns);
}

s64 file_time_kernel(const struct clock_map *map, s64 shown_ns)
{
	if (!map->rate || map->rate == CLOCK_RATE_ONE || shown_ns < map->shown_ns)
		return add(shown_ns, map->kernel_ns - map->shown_ns);
	return clock_map_kernel(map, shown_ns);
}

/* Both parts of a division towards minus infinity: nanoseconds are never negative. */
static void split(s64 ns, s64 part[2])
{
	part[0] = ns / (s64)NSEC_PER_SEC - (ns % (s64)NSEC_PER_SEC < 0);
	part[1] = ns - part[0] * (s64)NSEC_PER_SEC;
}

static s64 join(s64 seconds, s64 ns)
{
	s64 whole;

	return __builtin_mul_overflow(seconds, (s64)NSEC_PER_SEC, &whole)
		       ? seconds < 0 ? INT64_MIN : INT64_MAX
		       : add(whole, ns);
}

static void exchange(const struct time_stop *stop, uintptr_t at, const struct place *place)
{
	unsigned size = (unsigned)place->size + place->nsec;
	s64 part[2] = {0, 0};
	s32 half;

	if (traced_read(stop->pid, at, &part[0], place->size) ||
	    traced_read(stop->pid, at + place->size, &part[1], place->nsec))
		return;
	if (place->size == sizeof(half)) {
		memcpy(&half, &part[0], sizeof(half));
		part[0] = half;
	}
	split(file_time_shown(&stop->clocks.map[TIMENS_REALTIME], join(part[0], part[1])),
	      part);
	/* One after the other, without a gap: little-endian, as all our machines. */
	if (place->size == sizeof(half))
		memcpy((char *)part + sizeof(half), &part[1], sizeof(half));
	traced_write(stop->pid, at, part, size);
}

/* struct statx begins with which of its fields there are: not every file has a birth time. */
#define STATX_BTIME_BIT 0x800u
#define STATX_BTIME_AT  80

void files_exchange(const struct time_stop *stop)
{
	bool is_statx = stop->call->layout == LAYOUT_STATX;
	const struct place *place = is_statx ? &statx_of : &stat_of[stop->form];
	uintptr_t buffer = (uintptr_t)stop->arg[(int)stop->call->time];
	unsigned mask = 0;

	if (is_statx && traced_read(stop->pid, buffer, &mask, sizeof(mask)))
		return;
	for (unsigned i = 0; i < place->times; i++)
		if (!is_statx || place->at[i] != STATX_BTIME_AT || mask & STATX_BTIME_BIT)
			exchange(stop, buffer + place->at[i], place);
}

/* A pair of words; UTIME_NOW and UTIME_OMIT are no times. */
static bool convert(const struct clock_map *map, s64 word[2], s64 parts)
{
	s64 scale = (s64)NSEC_PER_SEC / parts;

	if (scale == 1 && (word[1] == UTIME_NOW || word[1] == UTIME_OMIT))
		return true;
	if (word[1] < 0 || word[1] >= parts)
		return false;
	split(file_time_kernel(map, join(word[0], word[1] * scale)), word);
	word[1] /= scale;
	return true;
}

bool files_convert(const struct time_stop *stop, struct time_words *words)
{
	const struct clock_map *map = &stop->clocks.map[TIMENS_REALTIME];
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time];

	*words = time_words_of(stop->call->layout, stop->form);
	if (time_words_read(words, stop->pid, at))
		return false;
	if (stop->call->layout == LAYOUT_UTIMBUF) {
		for (int i = 0; i < 2; i++) {
			s64 part[2] = {words->word[i], 0};

			convert(map, part, NSEC_PER_SEC);
			words->word[i] = part[0];
		}
		return true;
	}
	return convert(map, &words->word[0], words->parts) &&
	       convert(map, &words->word[2], words->parts);
}
