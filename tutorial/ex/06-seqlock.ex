# The reader of the fine clocks without its sequence counter. The arithmetic stays: it is chapter 07.
title: The seqlock
tier: core
minutes: 40
file: vdso-src/gettime.c
tests: vdso/reader
red: counter and data are read between two looks at the number
red: an update between any two loads is noticed, and the copy thrown away
red: while the number is odd the reader waits for the writer
red: a page of offsets is odd for ever: the reader does not wait, but leaves
red: nobody keeps the data page any more: the reader asks the kernel at once
red: a writer that never pauses: the reader gives up, too
red: a writer that never ends: the reader gives up, and asks the kernel
hint:
	A reader has two questions to the number, one before it copies and one after.
	What does it mean if the first answer is odd? What, if the second differs from the first?
	And which of the two can you only ask if you have kept something?
hint:
	vdso-src/include/vdso/seqcount.h has both questions as functions; its head has the drawing.
	For "odd" there are two cases: somebody is at work, or nobody ever will be. A function
	a few lines above the stub tells them apart. arch_relax() is one turn of waiting.
hint:
	A loop of at most MAX_TRIES turns. In each: take the number. If it is odd, leave with false where
	there is nothing to wait for, else wait a turn and try again. If it is even, copy and calculate
	as it stands there. Then ask whether the copy must be thrown away: if not, that is the answer.
	After the last turn there is none: false.
right: do-while: a do ... while, with a loop of its own for the odd numbers
	region:
		int tries = MAX_TRIES;
		u32 seq;
	
		do {
			while ((seq = vdso_read_begin(vd)) & 1) {
				if (nothing_to_wait_for(vd) || --tries <= 0)
					return false;
				arch_relax();
			}
			if (read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE)
				return false;
			if (!ns_at(vd, clock, arch_counter(), ns))
				return false;
			*sec = read_once64(&vd->basetime[clock].sec);
		} while (vdso_read_retry(vd, seq) && --tries > 0);
		return tries > 0;
right: mode-first: the mode is asked for before the number
	region:
		u64 now, seconds;
		int left;
		u32 seq;
	
		for (left = 0; left < MAX_TRIES; left++) {
			if (nothing_to_wait_for(vd))
				return false;
			seq = vdso_read_begin(vd);
			if (seq % 2 == 1) {
				arch_relax();
			} else {
				if (read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE)
					return false;
				seconds = read_once64(&vd->basetime[clock].sec);
				now = arch_counter();
				if (!ns_at(vd, clock, now, ns))
					return false;
				if (vdso_read_retry(vd, seq))
					continue;
				*sec = seconds;
				return true;
			}
		}
		return false;
right: found-at-the-end: a flag, and one way out
	region:
		bool found = false, gone = false;
	
		for (unsigned turn = MAX_TRIES; turn-- && !found && !gone;) {
			u32 seq = vdso_read_begin(vd);
	
			if (seq & 1) {
				gone = nothing_to_wait_for(vd);
				if (!gone)
					arch_relax();
				continue;
			}
			gone = read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE ||
			       !ns_at(vd, clock, arch_counter(), ns);
			*sec = read_once64(&vd->basetime[clock].sec);
			found = !gone && !vdso_read_retry(vd, seq);
		}
		return found;
mutant: no-second-look: the number is not looked at again after the copy
	says: the number was looked at once
	s/if \(likely\(!vdso_read_retry\(vd, seq\)\)\)\n\t/if (seq + 1)\n\t/
mutant: odd-is-fine: an odd number is taken for an even one
	says: an odd number says that the data is half old and half new
	s/unlikely\(seq & 1\)/seq == 1 && nothing_to_wait_for(vd)/
mutant: hands-out-the-last: the last copy is handed out although it is torn
	says: what the last of them has copied is not an answer
	s/!vdso_read_retry\(vd, seq\)/!vdso_read_retry(vd, seq) || tries == 1/
mutant: waits-for-ever: there is no end to the tries
	says: A loop that has no end of its own
	s/tries > 0; tries--/tries > 0;/
mutant: plain-looks: the number is read as any variable
	says: A plain load of vd->seq does not count
	s/vdso_read_begin\(vd\)/vd->seq/; s/!vdso_read_retry\(vd, seq\)/vd->seq == seq/
mutant: continue-in-do-while: continue in a do ... while leads to its condition, with an odd number
	says: an odd number says
	s/for \(int tries = MAX_TRIES; tries > 0; tries--\) \{\n\t\tu32 seq = /int tries = MAX_TRIES;\n\tu32 seq;\n\n\tdo {\n\t\tseq = /;
	s/\t\tif \(likely\(!vdso_read_retry.*?\treturn false;\n(?=\t\/|\z)/\t} while (vdso_read_retry(vd, seq) && --tries);\n\treturn tries > 0;\n/s
mutant: counter-first: the counter is read before the number
	says: may be older than the number
	s/\A/\n\tu64 now = arch_counter();\n/; s/clock, arch_counter\(\)/clock, now/
mutant: no-pause: it tries again at once, and has tried too often before the writer is done
	says: arch_relax() is a turn of waiting
	s/\t\t\tarch_relax\(\);\n//
mutant: asks-at-once: for an odd number it leaves, whoever made it odd
	says: worth a few turns of waiting
	s/\t\t\tif \(nothing_to_wait_for\(vd\)\)\n\t\t\t\treturn false;\n\t\t\tarch_relax\(\);\n\t\t\tcontinue;/\t\t\tif (nothing_to_wait_for(vd) || seq)\n\t\t\t\treturn false;\n\t\t\tcontinue;/
mutant: plain-copy: the seconds are read as any variable
	says: read_once64() loads once, and here
	s/read_once64\(&vd->basetime\[clock\]\.sec\)/vd->basetime[clock].sec/
stub:
		/*
		 * TODO: what is copied here may be half of one update and half of the next. Make the
		 * copy one of one piece, and never wait for ever: false means that there is no answer.
		 * At most MAX_TRIES tries.
		 */
		@keep /Before the counter/ .. /\*sec = /
		return true;
