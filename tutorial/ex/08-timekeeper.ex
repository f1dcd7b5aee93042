# The step from one line to the next. What the next slope is has been decided before.
title: The timekeeper
tier: core
minutes: 45
file: loader/kernel/time/timeline.c
tests: time/advance
red: the new line begins where the old one ends
red: a line in a hundred thousand pieces ends where it does in one
red: the new line has the new slope, from its beginning on
red: ten thousand updates, early and late: the clock never goes back
red: for a kernel's clock that is behind it waits, and does not go back
hint:
	What does a reader see just before the update, and what just after it? What must be equal then?
	And with which slope were the cycles shown that are past by now?
hint:
	The function above yours says how many cycles readers can have followed the old line.
	vdso_cycles_to_ns_exact() in vdso-src/include/vdso/cycles.h makes nanoseconds of them and keeps
	the rest in frac. The fields are explained in loader/kernel/time/timeline.h.
	For the last two points: what may somebody have seen?
hint:
	First bring ns and frac to where the old line has led, with the old mult; then cycle_last, then
	the new mult. Then the error at the new beginning: what timeline_steer() found. If there is
	a restart, it is the distance to the kernel's clock instead; and if that one is ahead, ns becomes
	it, with no rest and no error. If it is behind, ns stays. In both cases the restart is done.
mutant: slope-first: the new slope is put in before the old line is brought to its end
	s/(\tline->ns \+= [^\n]*\n)(.*?)(\tline->mult = line->next_mult;\n)/$3$1$2/s
mutant: rest-dropped: what is below a nanosecond is thrown away
	s/(\tline->cycle_last = )/\tline->frac = 0;\n$1/
mutant: goes-back: a restart goes to the kernel's clock, wherever that is
	s/if \(kernel > line->ns\)/if (kernel != line->ns)/
mutant: begins-early: the new line begins where the sample was taken
	s/now & line->mask/line->last.cycles/
stub:
		/*
		 * TODO: the naive writer. It writes down what the kernel's clock shows, and the page
		 * is right with every update; but a reader who was on the old line a moment ago sees
		 * the clock jump, and sometimes back. Let the new line begin where the old one ends.
		 */
		@keep /u64 since = / .. /u64 delta = /

		(void)delta;
		line->ns = kernel;
		line->frac = 0;
		line->cycle_last = now & line->mask;
		line->mult = line->next_mult;
		line->error_at_start = 0;
		line->restart = false;
