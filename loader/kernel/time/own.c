/*
 * own.c - see own.h.
 */
#include "kernel/time/own.h"

static bool is_wall(int of)
{
	return of == TIMENS_REALTIME || of == TIMENS_TAI;
}

void own_start(struct own *own, enum own_pair pair, const struct own_clocks *clocks)
{
	*own = (struct own){.pair = pair, .clocks = *clocks};
}

void own_change(struct own *own, const struct own_clocks *clocks)
{
	if (own_clocks_agree(clocks, &own->clocks))
		return;
	own->before = own->clocks;
	own->clocks = *clocks;
	for (int id = 0; id < VDSO_BASES; id++)
		own->changed[id] = true;
}

u64 own_rate(const struct own *own)
{
	return own->clocks.map[own->pair == OWN_WALL ? TIMENS_REALTIME : TIMENS_MONOTONIC].rate;
}

struct own_line own_line(const struct own *own, const struct timeline *line)
{
	u64 rate = own_rate(own), whole = rate / CLOCK_RATE_ONE, part = rate % CLOCK_RATE_ONE;
	u64 mult = line->mult * whole + line->mult * part / CLOCK_RATE_ONE;
	u32 shift = line->shift;

	for (; mult > UINT32_MAX; mult >>= 1)
		shift--;
	return (struct own_line){
		.mult = (u32)mult,
		.shift = shift,
		.from_shift = line->shift,
		.reach = (line->max_cycles * mult >> shift) + 1,
	};
}

/* How far readers may have come on a clock that changes where the kernel's shows ns and frac.
 */
static void set_floor(struct own *own, int id, s64 ns, u64 frac, u32 shift)
{
	s64 seen = clock_map_shown_parts(own_clocks_map(&own->before, id), ns, &frac, shift);

	own->changed[id] = false;
	if (own->pair == OWN_WALL && !own->clocks.hold)
		own->floor[id] = 0;
	else if (own->floor[id] < seen)
		own->floor[id] = seen;
}

bool own_point(struct own *own, struct own_line *line, int id, u64 ns, u64 frac,
	       struct own_point *at)
{
	int of = timens_clock_of(id);
	s64 shown;

	if (of < 0 || is_wall(of) != (own->pair == OWN_WALL))
		return false;
	if (own->changed[id])
		set_floor(own, id, (s64)ns, frac, line->from_shift);
	shown = clock_map_shown_parts(own_clocks_map(&own->clocks, id), (s64)ns, &frac,
				      line->from_shift);
	/* At an end of time, too: there the next line would begin behind the end of this. */
	if (shown <= 0 || shown > CLOCK_LATEST_NS - (s64)line->reach || shown < own->floor[id])
		line->stands = true;
	*at = (struct own_point){
		.ns = (u64)shown,
		.frac = frac >> (line->from_shift - line->shift),
		.shift = line->shift,
	};
	if (shown < own->floor[id])
		*at = (struct own_point){.ns = (u64)own->floor[id], .shift = line->shift};
	if (VDSO_BIT(id) & VDSO_COARSE)
		at->frac = at->shift = 0;
	return true;
}
