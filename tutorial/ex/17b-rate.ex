# A clock gets another rate, and nobody sees it jump.
title: Another rate, without a jump
tier: deep
minutes: 10
file: tutorial/run/shown_line.c
tests: clock/other-rate
red: where the rate changes, the clock shows what it has shown
red: stopped, it stands where it was
red: ... and goes on from there
red: ten thousand changes: the clock never goes back
red: ... nor ahead by a nanosecond of the kernel's or more
hint:
	Through which point does the old line go, and which point must the new one have in common
	with it? Draw both.
hint:
	clock_map_from() makes a map of a point and a rate. The kernel's time at which the line
	begins is kernel->ns + ahead. What does the clock show there? The function above yours knows.
hint:
	The anchor becomes the beginning of the line: the kernel's time there, and the whole
	nanoseconds that the old map's shown_line() has there. The old anchor is not needed any more.
right: field-by-field: the map is changed in place
	region:
		struct clock_map new = *map;
	
		new.shown_ns = (s64)shown_line(kernel, ahead, map).ns;
		new.kernel_ns = ahead + (s64)kernel->ns;
		new.rate = rate;
		return new;
mutant: the-kernels: it begins anew, at the kernel's clock
	says: a new rate holds from now on
	region:
		s64 now = (s64)kernel->ns + ahead;
	
		(void)map;
		return clock_map_from(now, now, rate);
mutant: whole-nanoseconds: what it shows there is reckoned without the part of a nanosecond
	says: the clock never goes back
	says: shown_line() knows them
	region:
		s64 now = (s64)kernel->ns + ahead;
	
		return clock_map_from(now, clock_map_shown(map, now), rate);
stub:
		/* TODO: the same point and another slope. What becomes of the time that is past? */
		(void)kernel;
		(void)ahead;
		return clock_map_from(map->kernel_ns, map->shown_ns, rate);
