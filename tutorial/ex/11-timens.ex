# The detour of a time namespace: where it begins, and what is added at its end.
title: Time namespaces
tier: deep
minutes: 30
file: vdso-src/gettime.c
tests: vdso/offsets
red: a fine clock is what the data page behind says, and its offset
red: each clock has an offset of its own, and that of REALTIME is zero
red: nanoseconds that come to a second are carried
red: the data page behind has a writer, too, and is read under its number
red: a coarse clock is shifted, too, and does not wait for a writer
red: an answer of the kernel is shifted by what the kernel has not added
red: a namespace is found by its odd number, and nobody else pays for the question
hint:
	Who is told that the first page holds offsets, and by what? Of all readers of a data page, which
	ones have time to ask? And which page knows the time in a namespace?
hint:
	read_hres() and gettime_coarse() see the odd number. Each leaves by a way of its own, and that of
	read_hres() ends in gettime(), below yours. is_namespace() asks, data_after_offsets() is the
	next page, and gettime() can read any data page, this one too. set_timespec() carries.
	What a page of offsets has is in vdso-src/include/vdso/datapage.h.
hint:
	In gettime(): where nothing is left but the system call, ask whether this is a namespace, and if it
	is let your function answer. There: call gettime() for the page behind. Below zero is an error, hand
	it on. A clock id beyond the page has no offset: 0. If the answer is 1, the kernel has given
	it, and the offsets are those of the third structure on the page. Add seconds and nanoseconds
	of this clock to what is in ts, and carry.
mutant: everybody-asks: every call asks for a namespace first
	s/(\t\/\* Unsigned: the negative)/\tif (is_namespace(vd))\n\t\treturn gettime_timens(clock, ts, vd, caller);\n$1/
mutant: nothing-carried: a second's worth of nanoseconds is left in the nanoseconds
	s/set_timespec\(ts, sec, ns\);\n\treturn 0;\n\}/ts->tv_sec = (s64)sec;\n\tts->tv_nsec = (s64)ns;\n\treturn 0;\n}/
mutant: one-for-all: every clock is shifted as MONOTONIC is
	s/offset\[clock\]/offset[VDSO_CLOCK_MONOTONIC]/g
mutant: shifted-twice: what the kernel has added already is added again
	s/\t\tif \(ret\)\n\t\t\tvd \+= CS_KERNEL;\n//
stub:
	/*
	 * TODO: vd is a page of offsets, and the data page is the next one. Here the kernel is
	 * asked instead, and it knows nothing of these offsets. Returns 0, or an error below 0.
	 */
	static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
					   const struct vdso_data *vd, enum caller caller)
	{
		return ask_kernel(clock, ts, vd, caller);
	}

	@keep /^static NOINLINE int gettime\(/ .. /^\t\}$/
		/* TODO: is this a time namespace? Why not ask further up? */
		return ask_kernel(clock, ts, vd, caller);
	}
