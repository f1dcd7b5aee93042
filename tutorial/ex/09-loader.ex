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
	Any other error: give it back. After the last turn, the error is that everything was taken.
mutant: a-private-copy: the data is mapped privately, and a reader can get a copy of its own
	s/PROT_READ, MAP_SHARED/PROT_READ, MAP_PRIVATE/
mutant: never-random: the address is the same in every process
	s/!\(persona & ADDR_NO_RANDOMIZE\)/persona == -1/
mutant: over-others: what lies at the address is replaced
	s/MAP_FIXED_NOREPLACE/MAP_FIXED/
mutant: takes-any-answer: whatever is no error is taken for the address that was asked for
	s/\(uintptr_t\)got == want/!process_failed(got)/
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
		uintptr_t at = start + page * VDSO_PAGE_SIZE;
		long got = process_mmap(process, at, VDSO_PAGE_SIZE, PROT_READ | PROT_WRITE,
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
