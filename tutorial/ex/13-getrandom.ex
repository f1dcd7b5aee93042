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
right: batch-by-batch: all of it comes through the batch, which is made anew as often as need be
	s/(generate\([^)]*\)\n\{\n).*?\n\}\n/$1\tfor (;;) {\n\t\tsize_t left = sizeof(state->batch) - state->pos;\n\t\tsize_t now = len < left ? len : left;\n\n\t\tto = take(state, to, now);\n\t\tlen -= now;\n\t\tif (!len)\n\t\t\treturn;\n\t\tarch_chacha20_blocks(state->batch_key, state->key, 0, 2);\n\t\tstate->pos = 0;\n\t}\n}\n/s
right: kept-generation: the kernel's generation is kept, and both are held against it
	region:
	@keep /static INLINE void generate/ .. /^}/
	
	static INLINE bool serve(struct vgetrandom_state *state, u8 *to, size_t len)
	{
		int tries = 0;
		u64 now;
	
		do {
			now = atomic_load(&vdso_rng_data.generation);
			if (read_once64(&state->generation) != now) {
				write_once64(&state->generation, now);
				state->pos = sizeof(state->batch);
				if (arch_syscall3(ARCH_NR_GETRANDOM, (long)state->key, CHACHA_KEY_SIZE, 0) !=
				    CHACHA_KEY_SIZE) {
					write_once64(&state->generation, 0);
					return false;
				}
			}
			generate(state, to, len);
			atomic_thread_fence(memory_order_seq_cst);
			if (read_once64(&state->generation) == now &&
			    atomic_load(&vdso_rng_data.generation) == now)
				return true;
		} while (++tries < 2);
		return false;
	}
right: one-try: after one reseed in the middle the kernel answers
	s/int tries = 2/int tries = 1/
mutant: no-second-look: the generations are not looked at again
	says: a look after everything else
	says: KCC!
	s/\t\tif \(likely\(read_once64\(&state->generation\) ==\n.*?memory_order_relaxed\)\)\)\n\t/\t\tif (tries)\n\t/s
mutant: key-first: the generation is written when the key is there
	says: numbers made with a key of zeros
	says: K!CC
	s/\twrite_once64\(&state->generation, generation\);\n//; s/(\tstate->pos = sizeof\(state->batch\);\n\treturn true)/\twrite_once64(&state->generation, generation);\n$1/
mutant: old-batch: with a new key the old batch is used up first
	says: state->pos can say that nothing of it is left
	s/\tstate->pos = sizeof\(state->batch\);\n//
mutant: same-counter: the new batch and key come from the beginning of the stream
	says: the counter keeps them apart
	says: the next key
	s/state->key, counter, 2\)/state->key, counter & 0, 2)/
mutant: claims-a-key: where there is none to be had, the generation stays written
	says: whoever writes down a generation says that there is a key of it
	s/\t\twrite_once64\(&state->generation, 0\);\n//
mutant: batch-first: the next key is made first, and what is asked for with that one
	says: It says with which counter to go on
	s/(\tcounter = arch[^\n]*\n)(\tarch_chacha20[^\n]*\n)/$2$1/; s/key, counter, 2/key, 0, 2/; s/counter = arch/arch/; s/\tu64 counter;\n//
mutant: pos-stays: the new batch is there, and counted as given out
	says: How much of a batch has been given out is state->pos
	s/\tstate->pos = 0;\n//
mutant: the-kernels-alone: in the end the state's own generation is not looked at
	says: numbers made with a key of zeros
	s/likely\(read_once64\(&state->generation\) ==/likely(generation ==/
mutant: the-states-alone: in the end the kernel's generation is not looked at
	says: numbers made with the old key
	s/likely\(read_once64\(&state->generation\) ==.*?relaxed\)\)\)/likely(read_once64(&state->generation) == generation))/s
mutant: tries-for-ever: as long as the kernel reseeds, it tries again
	says: If each try can fail, all can
	s/int tries = 2; tries > 0; tries--/;;/; s/(\t\t\treturn true;\n\t\}\n)\treturn false;\n/$1/
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
