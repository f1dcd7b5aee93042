# The step from one line to the next. What the next slope is has been decided before.
title: The timekeeper
tier: core
minutes: 45
file: loader/kernel/time/timeline.c
tests: time/advance
red: the new line begins where the old one ends
red: a line in a hundred thousand pieces ends where it does in one
red: the new line has the new slope, from its beginning on
red: the error that the sample found is the one that the new line begins with
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
right: two-ways: a restart forward, one that waits, and no restart, each by itself
	region:
		@keep /u64 since = / .. /u64 delta = /
		u64 rest = line->frac;
	
		line->cycle_last = now & line->mask;
		line->ns += vdso_cycles_to_ns_exact(delta, line->mult, line->shift, &rest);
		line->frac = rest;
		line->mult = line->next_mult;
		if (!line->restart) {
			line->error_at_start = line->error;
		} else if (kernel > line->ns) {
			line->ns = kernel;
			line->frac = 0;
			line->error_at_start = 0;
		} else {
			line->error_at_start = -(double)(line->ns - kernel);
		}
		line->restart = false;
right: whole-numbers: the rest is carried in 128 bits
	region:
		@keep /u64 since = / .. /u64 delta = /
		unsigned __int128 end = (unsigned __int128)delta * line->mult + line->frac;
	
		line->ns += (u64)(end >> line->shift);
		line->frac = (u64)end & ((1ull << line->shift) - 1);
		line->mult = line->next_mult;
		line->cycle_last = now & line->mask;
		line->error_at_start = line->error;
		if (line->restart) {
			if (line->ns < kernel) {
				line->ns = kernel;
				line->frac = 0;
			}
			line->error_at_start = (double)(s64)(kernel - line->ns);
			line->restart = false;
		}
mutant: slope-first: the new slope is put in before the old line is brought to its end
	says: on the old line, and is on the new one now
	s/(\tline->ns \+= [^\n]*\n)(.*?)(\tline->mult = line->next_mult;\n)/$3$1$2/s
mutant: rest-dropped: what is below a nanosecond is thrown away
	says: What is below one goes into frac
	s/(\tline->cycle_last = )/\tline->frac = 0;\n$1/
mutant: goes-back: a restart goes to the kernel's clock, wherever that is
	says: It may be made slower, not earlier
	s/if \(kernel > line->ns\)/if (kernel != line->ns)/
mutant: begins-early: the new line begins where the sample was taken
	says: if higher, it has jumped
	s/now & line->mask/line->last.cycles/
mutant: no-error: the error at the new beginning stays what it was
	says: how far the kernel's clock was ahead of the line where it began
	s/\tline->error_at_start = line->error;\n//
mutant: wrong-side: a restart gives the error the wrong sign
	says: the place is right, and error_at_start is not
	s/\(double\)\(s64\)\(kernel - line->ns\)/(double)(s64)(line->ns - kernel)/
mutant: for-ever: the restart is not done with
	says: restart is still set
	s/\t\tline->restart = false;\n//
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
