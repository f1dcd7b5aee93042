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
right: no-shortcut: coarse clocks go through gettime(), as all others
	region:
	static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
					   const struct vdso_data *vd, enum caller caller)
	{
		int ret = gettime(clock, ts, data_after_offsets(vd), caller);
	
		if (ret < 0)
			return ret;
		if ((u32)clock < VDSO_BASES) {
			const struct timens_offset *offset =
				&vd[ret ? CS_KERNEL : CS_HRES_COARSE].offset[clock];
	
			set_timespec(ts, (u64)ts->tv_sec + (u64)read_once_s64(&offset->sec),
				     (u64)ts->tv_nsec + read_once64(&offset->nsec));
		}
		return 0;
	}
	
	@keep /^static NOINLINE int gettime\(/ .. /^\t\}$/
		return is_namespace(vd) ? gettime_timens(clock, ts, vd, caller)
					: ask_kernel(clock, ts, vd, caller);
	}
right: carries-itself: plain loads of what never changes, and a carry by hand
	region:
	static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
					   const struct vdso_data *vd, enum caller caller)
	{
		int error = gettime(clock, ts, data_after_offsets(vd), caller), which;
	
		switch (error) {
		case 0:
			which = CS_HRES_COARSE;
			break;
		case 1:
			which = CS_KERNEL;
			break;
		default:
			return error;
		}
		if (clock < 0 || clock >= VDSO_BASES)
			return 0;
		ts->tv_sec += vd[which].offset[clock].sec;
		ts->tv_nsec += (s64)vd[which].offset[clock].nsec;
		if (ts->tv_nsec > 999999999) {
			ts->tv_nsec -= 1000000000;
			ts->tv_sec++;
		}
		return 0;
	}
	
	@keep /^static NOINLINE int gettime\(/ .. /^\t\}$/
		if (!is_namespace(vd))
			return ask_kernel(clock, ts, vd, caller);
		return gettime_timens(clock, ts, vd, caller);
	}
right: known-ids-alone: a clock that is not on the page is not asked for in a namespace
	region:
	static NOINLINE int gettime_timens(s32 clock, struct vdso_timespec *ts,
					   const struct vdso_data *vd, enum caller caller)
	{
		const struct vdso_data *times = data_after_offsets(vd);
		int asked = gettime(clock, ts, times, caller);
		u64 sec, ns;
	
		if (asked < 0)
			return asked;
		if (asked > 0)
			vd = &vd[CS_KERNEL];
		ns = (u64)ts->tv_nsec + vd->offset[clock].nsec;
		sec = (u64)ts->tv_sec + (u64)vd->offset[clock].sec;
		set_timespec(ts, sec, ns);
		return 0;
	}
	
	@keep /^static NOINLINE int gettime\(/ .. /^\t\}$/
		if ((u32)clock < VDSO_BASES && is_namespace(vd))
			return gettime_timens(clock, ts, vd, caller);
		return ask_kernel(clock, ts, vd, caller);
	}
mutant: everybody-asks: every call asks for a namespace first
	says: no look at the mode unless the number is odd
	says: nearly all programs are in no namespace
	s/(\t\/\* Unsigned: the negative)/\tif (is_namespace(vd))\n\t\treturn gettime_timens(clock, ts, vd, caller);\n$1/
mutant: number-asked-first: every call asks whether the number is 1 first
	says: as every reader takes it
	says: nearly all programs are in no namespace
	s/(\t\/\* Unsigned: the negative)/\tif (vd->seq == 1 && is_namespace(vd))\n\t\treturn gettime_timens(clock, ts, vd, caller);\n$1/
mutant: nothing-carried: a second's worth of nanoseconds is left in the nanoseconds
	says: both summands have up to 999999999 ns
	s/set_timespec\(ts, sec, ns\);\n\treturn 0;\n\}/ts->tv_sec = (s64)sec;\n\tts->tv_nsec = (s64)ns;\n\treturn 0;\n}/
mutant: one-for-all: every clock is shifted as MONOTONIC is
	says: Which clock is shifted by what
	says: clock 0, whose offset is 0 s
	s/offset\[clock\]/offset[VDSO_CLOCK_MONOTONIC]/g
mutant: shifted-twice: what the kernel has added already is added again
	says: [CS_KERNEL] has
	says: Its system calls are shifted by that one already
	s/\t\tif \(ret\)\n\t\t\tvd \+= CS_KERNEL;\n//
mutant: nothing-added: the answer of the page behind is handed on as it is
	says: these are the times, and no offset added
	s/\tsec \+= \(u64\)read_once_s64[^\n]*\n\tns \+= read_once64[^\n]*\n//
mutant: offsets-behind: the offset is looked for on the page of the times
	says: both pages look alike
	s/&vd->offset\[clock\]/&data->offset[clock]/g; s/\t\tif \(ret\)\n\t\t\tvd \+= CS_KERNEL;\n//
mutant: always-the-kernels: the offset is that of the kernel's answers
	says: this one came without a system call
	s/\t\tif \(ret\)\n\t\t\tvd \+= CS_KERNEL;\n/\t\tvd += CS_KERNEL;\n/
mutant: one-is-handed-on: what gettime() returns for the page behind is what the program gets
	says: 1 is how gettime() says to you
	s/\t\tif \(ret < 0 [^\n]*\n\t\t\treturn ret[^\n]*\n\t\tif \(ret\)\n/\t\tif (ret || (u32)clock >= VDSO_BASES)\n\t\t\treturn ret;\n\t\tif (ret)\n/
mutant: seconds-alone: the nanoseconds of the offset are forgotten
	says: The nanoseconds of an offset
	s/\tns \+= read_once64[^\n]*\n//
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
