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
	Of the batches of each set, two are the ones to look at. median(), a few lines above, finds one
	of them. Read what it does to its array on the way: that finds you the other.
	empty->calls need not be of->calls.
hint:
	Four quotients: the middle batch of the calls, the middle one of the empty function, and of each
	the shortest; each divided by the calls of its own. Two differences: shortest less shortest,
	middle less middle. And neither of them is given back if it is below 0.
right: looks-for-it: the shortest is looked for, and the differences are made of whole batches
	region:
		double shortest = of->ns[0], quickest = empty->ns[0];
	
		for (size_t i = 0; i < of->nr; i++)
			shortest = fmin(shortest, of->ns[i]);
		for (size_t i = 0; i < empty->nr; i++)
			quickest = fmin(quickest, empty->ns[i]);
		shortest = shortest / calls - quickest / empties;
		calls = median(of->ns, of->nr) / calls - median(empty->ns, empty->nr) / empties;
		if (shortest < 0)
			shortest = 0;
		return (struct cost){shortest, calls > 0 ? calls : 0};
right: sorts-first: both are put in order, and then read
	region:
		struct cost cost;
	
		qsort(of->ns, of->nr, sizeof(double), ascending);
		qsort(empty->ns, empty->nr, sizeof(double), ascending);
		cost.best = of->ns[0] / calls - empty->ns[0] / empties;
		cost.median = median(of->ns, of->nr) / calls - median(empty->ns, empty->nr) / empties;
		cost.best = fmax(cost.best, 0);
		cost.median = fmax(cost.median, 0);
		return cost;
mutant: mean: a mean stands for the best batch
	says: one slow batch moves a mean
	s/double best = of->ns\[0\] \/ calls/double sum = 0;\n\tfor (size_t i = 0; i < of->nr; i++)\n\t\tsum += of->ns[i];\n\tdouble best = sum \/ (double)of->nr \/ calls/
mutant: same-calls: the empty batches are divided by the calls of the others
	says: divided by the calls of its own
	s/empty->ns\[0\] \/ empties/empty->ns[0] \/ calls/
mutant: best-from-both: the best of the empty function is subtracted from the median, too
	says: the middle is subtracted from the middle
	s/double nothing = median\(empty->ns, empty->nr\) \/ empties/median(empty->ns, empty->nr);\n\tdouble nothing = empty->ns[0] \/ empties/
mutant: less-than-nothing: a call can cost less than 0
	says: differ by noise
	s/fmax\(0, best\)/best/
mutant: by-rounds: each batch is compared with the empty one of its round
	says: that is what comes of subtracting round by round
	region:
		double each[sizeof(of->ns) / sizeof(of->ns[0])], middle;
	
		for (size_t i = 0; i < of->nr; i++)
			each[i] = of->ns[i] / calls - empty->ns[i] / empties;
		middle = median(each, of->nr);
		return (struct cost){fmax(0, each[0]), fmax(0, middle)};
mutant: not-in-order: the first batch is taken before they are put in order
	says: median() puts them so
	s/\A(.*?)(\tdouble middle[^\n]*\n\tdouble nothing[^\n]*\n)(.*?\tdouble best[^\n]*\n)/$1$3$2/s
mutant: best-alone: from the median nothing is subtracted
	says: nothing was subtracted
	s/middle - nothing/middle + 0 * nothing/
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
