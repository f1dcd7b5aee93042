# From the counter to nanoseconds. Base, seconds and the sequence counter are around it.
title: Cycles to nanoseconds
tier: core
minutes: 35
file: vdso-src/gettime.c
tests: vdso/cycles
red: so many cycles later, the answer is so many nanoseconds later
red: two fractions of a nanosecond add up to a whole one
red: nanoseconds beyond a second become seconds, one or two
red: a counter that is a little behind gives the base itself
red: a counter that has wrapped at its width goes on
red: up to max_cycles the vDSO answers, and nothing overflows
red: ten thousand bases drawn at random are as 128 bits have it
red: every number of the data page is loaded by read_once64() or read_once32()
hint:
	On paper, with units: what has a cycle too many, what has a nanosecond, and what is a
	nanosecond << shift? Which of them may be added to which? And what does the difference of two
	unsigned numbers look like if the second is the larger one?
hint:
	The head of vdso-src/include/vdso/cycles.h has the formula, and the three things that go wrong.
	Below it stands a function for the difference, one for its sign, and one for the sum. The other
	numbers are fields of vd: vdso-src/include/vdso/datapage.h tells what each means.
	read_once64() and read_once32() load one.
hint:
	Take the difference and mask it. In the upper half of the mask: the counter is behind, so there
	were no cycles at all. Above max_cycles: false. Else multiply, add the nanoseconds of the base as
	they are, shift all of it down, and it is the answer. (The finished file asks whether the
	difference is above max_cycles before it loads the mask. Why may it?)
right: mask-first: the mask is always applied, and then there are three cases
	region:
		u64 mask = read_once64(&vd->mask);
		u64 delta = vdso_delta(now, read_once64(&vd->cycle_last), mask);
		u32 shift = read_once32(&vd->shift);
		u64 sum = read_once64(&vd->basetime[clock].nsec);
	
		if (!vdso_delta_negative(delta, mask)) {
			if (delta > read_once64(&vd->max_cycles))
				return false;
			sum += delta * read_once32(&vd->mult);
		}
		*ns = sum >> shift;
		return true;
right: by-its-sign: the upper half is known by a bit, and the product is written out
	region:
		const u64 max = read_once64(&vd->max_cycles), mask = read_once64(&vd->mask);
		u64 cycles = (now - read_once64(&vd->cycle_last)) & mask, base;
	
		if (cycles & (mask ^ mask >> 1))
			cycles = 0;
		if (cycles > max)
			return false;
		base = read_once64(&vd->basetime[clock].nsec);
		*ns = (cycles * (u64)read_once32(&vd->mult) + base) >> read_once32(&vd->shift);
		return true;
mutant: shift-first: both are shifted down before they are added
	says: cut off one by one they are lost
	s/\*ns = snsec >> (.*);/*ns = ((snsec - vd->basetime[clock].nsec) >> $1) + (vd->basetime[clock].nsec >> $1);/
mutant: no-clamp: a counter that is behind is taken for one that is far ahead
	says: Without a sign, -40 is a number of centuries
	s/if \(vdso_delta_negative\(delta, mask\)\)\n\s*delta = 0;\n\s*else if/if/
mutant: small-product: the product has 32 bits
	says: one factor must have 64
	s/vdso_cycles_to_snsec\(delta, (read_once32\(&vd->mult\)),\s*(read_once64\([^;]*\))\);/$2 + (u32)delta * $1;/
mutant: believes-all: an old base is good for ever
	says: the writer is late or gone
	s/\t+else if \(delta > max\)\n\s*return false;\n//
mutant: plain-loads: the fields are read as any variables
	says: A plain load may be made twice
	s/read_once(?:64|32)\(&(vd->[^()]*)\)/$1/g
mutant: nanoseconds-unshifted: the base is added to what was shifted down already
	says: stored shifted
	s/snsec = vdso_cycles_to_snsec\(delta, (read_once32\(&vd->mult\)),\s*(read_once64\([^;]*\))\);\s*\*ns = snsec >> ([^;]*);/snsec = delta * $1 >> $3;\n\t*ns = snsec + $2;/
mutant: masks-the-counter: counter and base are masked, and their difference is not
	says: has not gone back by that
	s/delta = vdso_delta\(now, last, mask\);/delta = (now & mask) - (last & mask);/
stub:
		/*
		 * TODO: what does the clock show when the counter stands at now? It is only known for one
		 * moment: where it stands at cycle_last. For all others the kernel is asked, which is
		 * right, but slow. false means that there is no answer here.
		 */
		@keep /u64 last = /

		*ns = read_once64(&vd->basetime[clock].nsec) >> read_once32(&vd->shift);
		return now == last;
