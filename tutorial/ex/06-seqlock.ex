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
red: nobody keeps the page any more: the reader asks the kernel at once
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
mutant: no-second-look: the number is not looked at again after the copy
	s/if \(likely\(!vdso_read_retry\(vd, seq\)\)\)\n\t/if (seq + 1)\n\t/
mutant: odd-is-fine: an odd number is taken for an even one
	s/unlikely\(seq & 1\)/seq == 1 && nothing_to_wait_for(vd)/
mutant: hands-out-the-last: the last copy is handed out although it is torn
	s/!vdso_read_retry\(vd, seq\)/!vdso_read_retry(vd, seq) || tries == 1/
mutant: waits-for-ever: there is no end to the tries
	s/tries > 0; tries--/tries > 0;/
stub:
		/*
		 * TODO: what is copied here may be half of one update and half of the next. Make the
		 * copy one of one piece, and never wait for ever: false means that there is no answer.
		 * At most MAX_TRIES tries.
		 */
		@keep /Before the counter/ .. /\*sec = /
		return true;
