# Random numbers of a key: when it is too old, and what is left of it afterwards.
title: getrandom without a trap
tier: deep
minutes: 40
file: vdso-src/getrandom.c
tests: vdso/fresh-keys
red: a new state fetches a key, once, and a thousand numbers are made of it
red: whatever is asked for, no byte is given out twice
red: what was given out, and each key that made it, is nowhere in the state
red: after a reseed a new key is fetched, and the rest of the batch is not used
red: a reseed in the middle of a request: what the old key made is thrown away
red: a state that turns into zeros in the middle is noticed
red: if there is no key to be had the kernel answers, and is asked again next time
red: a kernel that reseeds without end: the request ends with a system call
hint:
	What does a state of zeros say about itself? Which two numbers must be equal for a key to be good,
	and when can they stop being so: before a request, in the middle of it, after it?
	Who can still compute what you have just given out, and from what?
hint:
	vdso-src/include/vdso/rng.h has the state, and what "batch and key together" is for. take() stands
	above the stub. arch_chacha20_blocks() gives you the counter to go on with. arch_syscall3() with
	ARCH_NR_GETRANDOM asks the kernel, and the generation of the data page is
	vdso_rng_data.generation, to be loaded with atomic_load_explicit(). What if the memory turned
	into zeros between your line and the next one?
hint:
	generate(): what the batch has; whole blocks straight into the buffer; then two blocks over batch
	and key, with the counter going on; the rest from the new batch.
	serve(): note the generation of the kernel. If the state has another one, write yours into it,
	and only then fetch 32 bytes into the key and call the batch empty; if that fails, the state
	is of generation 0, and the answer is false. Generate. Then load both generations once more: the
	same means true, otherwise once more from the beginning, and after the second time false.
mutant: no-second-look: the generations are not looked at again
	s/\t\tif \(likely\(read_once64\(&state->generation\) ==\n.*?memory_order_relaxed\)\)\)\n\t/\t\tif (tries)\n\t/s
mutant: key-first: the generation is written when the key is there
	s/\twrite_once64\(&state->generation, generation\);\n//; s/(\tstate->pos = sizeof\(state->batch\);\n\treturn true)/\twrite_once64(&state->generation, generation);\n$1/
mutant: old-batch: with a new key the old batch is used up first
	s/\tstate->pos = sizeof\(state->batch\);\n//
mutant: same-counter: the new batch and key come from the beginning of the stream
	s/state->key, counter, 2\)/state->key, counter & 0, 2)/
stub:
	/*
	 * TODO: len bytes, each of which is given out once. The batch does not have more than it has,
	 * and what is given out must not be computable from what is left.
	 */
	static INLINE void generate(struct vgetrandom_state *state, u8 *to, size_t len)
	{
		take(state, to, len);
	}

	/*
	 * TODO: is there a key, and is it as new as the kernel's? Is it still, at the end?
	 * With false the kernel is asked for all of it.
	 */
	static INLINE bool serve(struct vgetrandom_state *state, u8 *to, size_t len)
	{
		if (len > sizeof(state->batch) - state->pos)
			return false;
		generate(state, to, len);
		return true;
	}
