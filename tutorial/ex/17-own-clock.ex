# From the line of the kernel's clock to that of a clock at another rate.
title: A clock of your own
tier: deep
minutes: 30
file: tutorial/run/shown_line.c
tests: clock/shown-line
red: at double speed a second after the anchor is two
red: three quarters of a nanosecond become one and a half
red: a slope that takes more than 32 bits gets a smaller shift
red: ten thousand lines at four rates: none ends ahead of the next
hint:
	What is a clock at the moment of the anchor, and what has passed since then, by the kernel's
	clock? Of which two numbers is the rate a factor? Which part of what has passed is not in ns?
hint:
	loader/kernel/clock/clock_map.h has the line that the clock is, loader/kernel/time/timeline.h
	the one that you are given. Reckon in parts of a nanosecond, ns << shift | frac, and in u128:
	then nothing is lost, and nothing overflows. What does a division of whole numbers do with
	the rest?
hint:
	Since the anchor so many parts have passed: that, times rate, divided by CLOCK_RATE_ONE. The
	same with mult. As long as mult has more than 32 bits: half of it, half of what is shown,
	and a shift that is one less. Then the whole nanoseconds go on top of shown_ns, and the
	rest becomes frac. Round nothing up.
right: shift-first: the shift is found before anything is multiplied
	region:
		u128 one = (u128)CLOCK_RATE_ONE, rate = map->rate, since, shown;
		u32 less = 0;
	
		while (kernel->mult * rate / one >> less >> 32)
			less++;
		since = (((u128)kernel->ns - (u128)map->kernel_ns + (u128)ahead) << kernel->shift) + kernel->frac;
		shown = (since * rate / one >> less) + ((u128)map->shown_ns << (kernel->shift - less));
		return (struct shown_line){
			.ns = (u64)(shown >> (kernel->shift - less)),
			.frac = (u64)(shown - (shown >> (kernel->shift - less) << (kernel->shift - less))),
			.mult = (u32)(kernel->mult * rate / one >> less),
			.shift = kernel->shift - less,
		};
mutant: to-nearest: mult is rounded to the nearest, as in any other calculation
	says: ten thousand lines
	says: a mult that is rounded up gains
	s/(u128 mult = )\(u128\)kernel->mult \* map->rate( \/ CLOCK_RATE_ONE)/$1((u128)kernel->mult * map->rate + CLOCK_RATE_ONE \/ 2)$2/
mutant: whole-nanoseconds: the part of a nanosecond is not multiplied
	says: three quarters of a nanosecond
	says: a reader sees the clock go back
	s/ \| kernel->frac//
mutant: shift-stays: a mult that is too long is cut off
	says: mult has 32 bits on the data page
	s/\tfor \(; mult.*?\n\t\}\n//s
stub:
		/*
		 * TODO: twice as steep, as it should be. But where does it begin? And the rest: what is
		 * below a nanosecond, and a mult that has no room.
		 */
		return (struct shown_line){
			.ns = kernel->ns + (u64)(ahead + map->shown_ns - map->kernel_ns),
			.frac = kernel->frac,
			.mult = (u32)((u128)kernel->mult * map->rate / CLOCK_RATE_ONE),
			.shift = kernel->shift,
		};
