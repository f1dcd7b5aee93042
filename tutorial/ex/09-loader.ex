# A loader that works, and protects nobody. What stands around it, and draw(), stay.
title: The loader: place, randomise, protect
tier: core
minutes: 40
file: loader/kernel/map/place.c
tests: map/place
red: the data pages can be read, and written by no reader
red: the image can be executed, and not written
red: 8 loads lie in at least 6 places
red: what is mapped already is left alone, and another place found
red: a kernel that gives another address gets it back, and is asked again
red: where nothing is free, it says so after a while
red: an error other than "something is there" is the end
hint:
	A mapping has rights, and it is shared or private. Who are the readers of the data, and who
	must see what somebody else writes there? Who reads the image, and who changes it?
	And of an address: who should be able to guess it, and what may lie there already?
hint:
	mmap(2) has two flags for "exactly here": MAP_FIXED and MAP_FIXED_NOREPLACE. Read what each does
	where something lies, and what a kernel does that does not know the second. draw() draws at
	random if it is told to; personality(2) with 0xffffffff says whether the user wants that.
	build/uvdso run cat /proc/self/maps shows how the finished loader maps.
hint:
	Data: to be read, and shared. Image: to be read and executed, and private, over a sealed file.
	The place: a loop of at most MAX_DRAWS turns. Draw, ask for that address and no other, compare.
	It is the one: done. It is another: unmap it, next turn. "Something is there": next turn.
	Any other error: give it back. After the last turn it is an error, too; which one is your choice.
right: out-of-room: after the last turn the error is ENOMEM, and errors are looked at first
	region:
	@keep /Addresses where nothing is/ .. /bool random/
		unsigned turn = 0;
		uintptr_t want;
		long got;
		int err;
	
		do {
			err = draw(random, turn, length, &want);
			if (err)
				return err;
			got = process_mmap(process, want, length, PROT_NONE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
			if (got == -EEXIST)
				continue;
			if (process_failed(got))
				return (int)got;
			if ((uintptr_t)got == want) {
				*start = want;
				return 0;
			}
			process_call(process, SYS_munmap, got, (long)length);
		} while (++turn < MAX_DRAWS);
		return -ENOMEM;
	}
	
	@keep /static int map_data/ .. /files->image, 0/
	
		return process_failed(got) ? process_error(process, "mmap", got) : 0;
	}
right: last-error: the loop counts in its middle, and the last error is given back
	s/\tfor \(unsigned turn = 0; turn < MAX_DRAWS; turn\+\+\) \{\n\t\tuintptr_t want = 0;\n\t\tint err = draw\(random, turn, /\tunsigned turn = 0;\n\n\tfor (;;) {\n\t\tuintptr_t want = 0;\n\t\tint err = draw(random, turn, /;
	s/\t\tif \(!process_failed\(got\)\)\n(.*?)\t\telse if/\t\tif (!process_failed(got)) {\n$1\t\t\tgot = -EEXIST;\n\t\t} else if/s;
	s/(return process_error\(process, "mmap", got\);)\n\t\}\n\treturn -EEXIST;/$1\n\t\tif (++turn == MAX_DRAWS)\n\t\t\treturn (int)got;\n\t}/
mutant: a-private-copy: the data is mapped privately, and a reader can get a copy of its own
	says: a private mapping is a copy
	s/PROT_READ, MAP_SHARED/PROT_READ, MAP_PRIVATE/
mutant: never-random: the address is the same in every process
	says: an attack that makes a program jump must know an address
	s/!\(persona & ADDR_NO_RANDOMIZE\)/persona == -1/
mutant: over-others: what lies at the address is replaced
	says: on top of what was there
	s/MAP_FIXED_NOREPLACE/MAP_FIXED/
mutant: a-page-too-high: all lies a page above what was taken, the last of it outside
	says: outside of what reserve() has taken
	s/\*start = want;/*start = want + page_size();/
mutant: takes-any-answer: whatever is no error is taken for the address that was asked for
	says: What comes back is then no error, and not yours
	s/\(uintptr_t\)got == want/!process_failed(got)/
mutant: one-image-for-all: the image is shared, so that no debugger can change a copy of it
	says: a debugger could not put a breakpoint
	s/MAP_PRIVATE \| MAP_FIXED, files->image/MAP_SHARED | MAP_FIXED, files->image/
mutant: keeps-what-it-got: another address is not given back
	says: of 3 other addresses, 0 given back
	s/\t\tif \(!process_failed\(got\)\)\n[^\n]*\n\t\telse if \(got != -EEXIST\)/\t\tif (process_failed(got) && got != -EEXIST)/
mutant: asks-on: every error is taken for "something is there"
	says: Only EEXIST means this place alone
	s/\t\telse if \(got != -EEXIST\)\n\t\t\treturn [^\n]*\n//
mutant: always-random: setarch -R is not asked for
	says: where setarch -R asks for no randomness
	s/bool random = .*?;/bool random = persona != 12345;/
stub:
	/* TODO: it works. But the vDSO lies at the same place everywhere, on top of whatever was there. */
	static int reserve(struct process *process, size_t length, uintptr_t *start)
	{
		uintptr_t want = 0;
		int err = draw(false, 0, length, &want);
		long got;

		if (err)
			return err;
		got = process_mmap(process, want, length, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		if (process_failed(got))
			return (int)got;
		*start = want;
		return 0;
	}

	/* TODO: every reader may write. (To a copy: the file is sealed.) */
	static int map_data(struct process *process, int fd, uintptr_t start, unsigned page,
			    off_t offset)
	{
		uintptr_t at = start + page * VDSO_STRIDE;
		long got = process_mmap(process, at, VDSO_STRIDE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_FIXED, fd, offset);

		return process_failed(got) ? (int)got : 0;
	}

	/* TODO: to be written and to be executed. */
	static int map_image(struct process *process, const struct vdso_files *files, uintptr_t at)
	{
		long got = process_mmap(process, at, mapped_length(files),
					PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
					files->image, 0);

		return process_failed(got) ? (int)got : 0;
	}
