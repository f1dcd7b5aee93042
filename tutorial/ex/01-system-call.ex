# From the batches that were timed to what one call costs.
title: What a system call costs
tier: core
minutes: 30
file: tests/bench/measure.c
tests: self/measure
red: what a call of an empty function costs, in the same loop, is subtracted
red: the best comes from the best batches, and the median from those in the middle
red: one batch in which the machine was elsewhere moves nothing
red: nothing costs less than nothing
hint:
	Where is time spent in a batch that is not the call's? What of it is the same in every batch,
	and can be measured by itself? And what comes only now and then: can it ever make a batch shorter?
hint:
	Read the head of the file: which two batches are the ones to look at? median(), a few lines
	above, finds one of them. Read what it does to its array on the way: that finds you the other.
	empty->calls need not be of->calls.
hint:
	Four quotients: the middle batch of the calls, the middle one of the empty function, and of each
	the shortest; each divided by the calls of its own. Two differences: shortest less shortest,
	middle less middle. And neither of them is given back if it is below 0.
mutant: mean: a mean stands for the best batch
	s/double best = of->ns\[0\] \/ calls/double sum = 0;\n\tfor (size_t i = 0; i < of->nr; i++)\n\t\tsum += of->ns[i];\n\tdouble best = sum \/ (double)of->nr \/ calls/
mutant: same-calls: the empty batches are divided by the calls of the others
	s/empty->ns\[0\] \/ empties/empty->ns[0] \/ calls/
mutant: best-from-both: the best of the empty function is subtracted from the median, too
	s/double nothing = median\(empty->ns, empty->nr\) \/ empties/median(empty->ns, empty->nr);\n\tdouble nothing = empty->ns[0] \/ empties/
mutant: less-than-nothing: a call can cost less than 0
	s/fmax\(0, best\)/best/
stub:
		/*
		 * TODO: this is what everybody writes first: all the time, divided by all the calls. What
		 * is in it that is not the call? And which of the batches can be trusted?
		 */
		double sum = 0, mean;

		for (size_t i = 0; i < of->nr; i++)
			sum += of->ns[i];
		mean = sum / (double)of->nr / calls;
		(void)empties;
		return (struct cost){.best = mean, .median = mean};
