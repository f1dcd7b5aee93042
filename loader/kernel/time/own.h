/*
 * own.h - bases of a clock of one's own: the lines that readers have, by way of clock_map.h.
 *
 * The timeline knows the kernel's clocks and nothing else. What is written to the data page of
 * a tree with clocks of its own is the same line seen through the map of each clock: another
 * beginning, and the slope times the rate. Both are rounded down, and so a line never ends
 * ahead of where the next one begins. What the kernel's clocks do not do, go back, the others
 * do not do either; and a reader that falls back to a system call gets a later time still,
 * through the same map (ptrace/time/answers.h).
 *
 * All clocks of one pair of bases share a line. So REALTIME and TAI, which can have a rate
 * while MONOTONIC has not, have a pair of their own (vdso/datapage.h, CS_WALL), which a
 * timekeeper of its own keeps.
 *
 * Pure, as bases.h is.
 */
#ifndef KERNEL_TIME_OWN_H
#define KERNEL_TIME_OWN_H

#include <stdbool.h>
#include <vdso/datapage.h>

#include "kernel/clock/control.h"
#include "kernel/time/timeline.h"

enum own_pair {
	OWN_NONE,   /* the kernel's clocks, all of them */
	OWN_STEADY, /* MONOTONIC, MONOTONIC_RAW and BOOTTIME, and what goes with them */
	OWN_WALL,   /* REALTIME and TAI */
};

/* Zeroed: the kernel's clocks. By clock id where readers have a base of each. */
struct own {
	enum own_pair pair;
	struct own_clocks clocks; /* what readers are shown, from the next write on */
	struct own_clocks before; /* what they are shown up to then; */
	bool changed[VDSO_BASES]; /* the clocks for which the two differ */
	s64 floor[VDSO_BASES];    /* no reader may be shown less any more */
};

/* The line that is published. */
struct own_line {
	u32 mult, shift;
	bool stands;    /* a clock of it does, and so do all */
	u32 from_shift; /* that of the timeline */
	u64 reach;      /* how far readers may follow it, in ns */
};

/* What a clock shows there: frac is << shift. */
struct own_point {
	u64 ns, frac;
	u32 shift;
};

/* From now on. */
void own_start(struct own *own, enum own_pair pair, const struct own_clocks *clocks);

/*
 * From the next write on. A clock of the first pair does not go back: where the new time is
 * before one that readers have seen, it stands still until the two agree. So do all clocks if
 * clocks->hold says so.
 */
void own_change(struct own *own, const struct own_clocks *clocks);

/* The rate of the pair's clocks. */
u64 own_rate(const struct own *own);

/* The line at that rate, where readers are to follow line. */
struct own_line own_line(const struct own *own, const struct timeline *line);

/*
 * What a clock shows where the kernel's has come to ns and frac. Returns false if it is none of
 * this pair. To be called for each clock that is written; then line->stands is known.
 */
bool own_point(struct own *own, struct own_line *line, int id, u64 ns, u64 frac,
	       struct own_point *at);

#endif
