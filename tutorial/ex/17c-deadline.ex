# A time that a program names becomes one of the kernel's, and that again the program's.
title: A deadline, and back
tier: deep
minutes: 15
file: loader/kernel/clock/clock_map.c
tests: clock/own-deadline
red: at double speed ten seconds are over after five
red: at a thousandth one second takes a thousand
red: ten thousand deadlines: nobody is woken before the clock shows it
red: ... and nobody a nanosecond later than that
red: a clock that stands still never gets there
red: ... and what it shows already is over
red: the other way, a time of the kernel's is what the clock shows then
hint:
	The line says what the clock shows at a time of the kernel's. Which time of the kernel's
	belongs to what it shows? And if no whole nanosecond does: the one before, or the one after?
hint:
	to_kernel(), in the same file, turns a stretch of the program's clock into one of the kernel's,
	and rounds down, also below zero. clock_map_wait(), below, rounds up. How does it do that?
	add() and subtract() know what is too large. And what shows a clock at a time of the kernel's?
hint:
	Reckon backwards: from the deadline to the anchor is a stretch of the program's; what it
	is of the kernel's, rounded down, is taken off the anchor, and so what comes out is rounded
	up. A clock that stands still has no such time: either it is shown already, or never, which
	is CLOCK_NEVER_NS and the distance to the anchor on top, so that the way back finds it there.
right: adds-one: forwards, and one more if there is a rest
	region:
		s64 clock_map_kernel(const struct clock_map *map, s64 shown_ns)
		{
			s64 ns = subtract(shown_ns, map->shown_ns), kernel;
	
			if (map->rate == 0)
				return ns > 0 ? add(CLOCK_NEVER_NS, ns) : 0;
			kernel = to_kernel(ns, map->rate);
			if (to_shown(kernel, map->rate) < ns)
				kernel = add(kernel, 1);
			return not_negative(add(map->kernel_ns, kernel));
		}
	
		@keep /^s64 clock_map_deadline/ .. /^}$/
mutant: early: what does not divide is rounded down
	says: nobody is woken before the clock shows it
	says: down is early
	s/return not_negative\(subtract\(map->kernel_ns, to_kernel\(until, map->rate\)\)\)/return not_negative(add(map->kernel_ns, to_kernel(subtract(0, until), map->rate)))/
mutant: other-way: the stretch is multiplied where it should be divided
	says: the kernel's clock is the slower one
	s/to_kernel\(until, map->rate\)/to_shown(until, map->rate)/
mutant: over-at-once: a clock that stands still ends every wait
	says: a clock that stands still never gets there
	s/subtract\(CLOCK_NEVER_NS, until\)/map->kernel_ns/
stub:
	/* TODO: right for a clock that is only shifted. And for one at another rate, or none? */
	s64 clock_map_kernel(const struct clock_map *map, s64 shown_ns)
	{
		return subtract(shown_ns, subtract(map->shown_ns, map->kernel_ns));
	}

	/* TODO: and back. A clock that stands still shows one time only. */
	s64 clock_map_deadline(const struct clock_map *map, s64 kernel_ns)
	{
		return add(kernel_ns, subtract(map->shown_ns, map->kernel_ns));
	}
