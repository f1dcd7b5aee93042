/*
 * identity.h - which data pages an image reads: one number for their layout.
 *
 * Nothing in an image says where it expects the fields of the data pages: it was compiled
 * with a datapage.h, as the loader was. One that was compiled with another, such as a
 * kernel's, may read its mult where our timekeeper writes the shift: then the time is wrong,
 * and there is no error. So our image has a note of what it was compiled with, and the loader
 * compares.
 *
 *	owner "uvdso", type VDSO_NOTE_LAYOUT: the layout, and the number of data pages
 */
#ifndef VDSO_IDENTITY_H
#define VDSO_IDENTITY_H

#include <vdso/datapage.h>

#define VDSO_NOTE_OWNER  "uvdso"
#define VDSO_NOTE_LAYOUT 16

/* Raise it when a field keeps its place and comes to mean something else. */
#define VDSO_MEANING 1

/*
 * The layout is a hash, as FNV-1 makes one, of where each field is and how long, and last of
 * the stride. It is the same for 32 and 64 bits, as the layout is, and differs between machines
 * only by the stride. 31 bits, because an enumerator is an int.
 */
#define VDSO_HASH(before, number) \
	(int)((((uint32_t)(before)*16777619u) ^ (uint32_t)(number)) & 0x7fffffff)
#define VDSO_HASH_FIELD(before, type, field) \
	VDSO_HASH(before, offsetof(type, field) << 16 | sizeof(((type *)0)->field))

enum vdso_layout {
	VDSO_L_MEANING = VDSO_HASH(2166136261u, VDSO_MEANING),
	VDSO_L_TIME_PAGE = VDSO_HASH(VDSO_L_MEANING, VDSO_TIME_PAGE),
	VDSO_L_TIMENS_PAGE = VDSO_HASH(VDSO_L_TIME_PAGE, VDSO_TIMENS_PAGE),
	VDSO_L_RNG_PAGE = VDSO_HASH(VDSO_L_TIMENS_PAGE, VDSO_RNG_PAGE),
	VDSO_L_NR_PAGES = VDSO_HASH(VDSO_L_RNG_PAGE, VDSO_NR_DATA_PAGES),
	VDSO_L_NONE = VDSO_HASH(VDSO_L_NR_PAGES, VDSO_CLOCKMODE_NONE),
	VDSO_L_COUNTER = VDSO_HASH(VDSO_L_NONE, VDSO_CLOCKMODE_COUNTER),
	VDSO_L_TIMENS = VDSO_HASH(VDSO_L_COUNTER, VDSO_CLOCKMODE_TIMENS),
	VDSO_L_HRES_COARSE = VDSO_HASH(VDSO_L_TIMENS, CS_HRES_COARSE),
	VDSO_L_RAW = VDSO_HASH(VDSO_L_HRES_COARSE, CS_RAW),
	VDSO_L_KERNEL = VDSO_HASH(VDSO_L_RAW, CS_KERNEL),
	VDSO_L_WALL = VDSO_HASH(VDSO_L_KERNEL, CS_WALL),
	VDSO_L_BASE = VDSO_HASH(VDSO_L_WALL, sizeof(struct vdso_data)),
	VDSO_L_SEQ = VDSO_HASH_FIELD(VDSO_L_BASE, struct vdso_data, seq),
	VDSO_L_CLOCK_MODE = VDSO_HASH_FIELD(VDSO_L_SEQ, struct vdso_data, clock_mode),
	VDSO_L_CYCLE_LAST = VDSO_HASH_FIELD(VDSO_L_CLOCK_MODE, struct vdso_data, cycle_last),
	VDSO_L_MAX_CYCLES = VDSO_HASH_FIELD(VDSO_L_CYCLE_LAST, struct vdso_data, max_cycles),
	VDSO_L_MASK = VDSO_HASH_FIELD(VDSO_L_MAX_CYCLES, struct vdso_data, mask),
	VDSO_L_MULT = VDSO_HASH_FIELD(VDSO_L_MASK, struct vdso_data, mult),
	VDSO_L_WALL_AT = VDSO_HASH_FIELD(VDSO_L_MULT, struct vdso_data, wall),
	VDSO_L_SHIFT = VDSO_HASH_FIELD(VDSO_L_WALL_AT, struct vdso_data, shift),
	VDSO_L_BASETIME = VDSO_HASH_FIELD(VDSO_L_SHIFT, struct vdso_data, basetime),
	VDSO_L_SEC = VDSO_HASH_FIELD(VDSO_L_BASETIME, struct vdso_timestamp, sec),
	VDSO_L_NSEC = VDSO_HASH_FIELD(VDSO_L_SEC, struct vdso_timestamp, nsec),
	VDSO_L_OFFSET = VDSO_HASH_FIELD(VDSO_L_NSEC, struct vdso_data, offset),
	VDSO_L_OFFSET_SEC = VDSO_HASH_FIELD(VDSO_L_OFFSET, struct timens_offset, sec),
	VDSO_L_OFFSET_NSEC = VDSO_HASH_FIELD(VDSO_L_OFFSET_SEC, struct timens_offset, nsec),
	VDSO_L_MINUTESWEST =
		VDSO_HASH_FIELD(VDSO_L_OFFSET_NSEC, struct vdso_data, tz_minuteswest),
	VDSO_L_DSTTIME = VDSO_HASH_FIELD(VDSO_L_MINUTESWEST, struct vdso_data, tz_dsttime),
	VDSO_L_HRTIMER_RES = VDSO_HASH_FIELD(VDSO_L_DSTTIME, struct vdso_data, hrtimer_res),
	VDSO_L_COARSE_RES = VDSO_HASH_FIELD(VDSO_L_HRTIMER_RES, struct vdso_data, coarse_res),
	VDSO_L_GENERATION =
		VDSO_HASH_FIELD(VDSO_L_COARSE_RES, struct vdso_rng_data, generation),
	VDSO_L_IS_READY = VDSO_HASH_FIELD(VDSO_L_GENERATION, struct vdso_rng_data, is_ready),
	VDSO_L_MMAP_FLAGS =
		VDSO_HASH_FIELD(VDSO_L_IS_READY, struct vdso_rng_data, state_mmap_flags),
	VDSO_L_FIELDS = VDSO_HASH_FIELD(VDSO_L_MMAP_FLAGS, struct vdso_rng_data, page_size),
	VDSO_LAYOUT = VDSO_HASH(VDSO_L_FIELDS, VDSO_STRIDE),
};

#endif
