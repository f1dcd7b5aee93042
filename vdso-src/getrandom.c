/*
 * getrandom.c - random numbers: a key from the kernel, the rest made here.
 *
 * The rules that shape this file:
 *  - a wrong random number is worse than none, since nobody notices it: every doubt ends in
 *    the system call;
 *  - when a call returns, the bytes that it gave out exist nowhere else and cannot be computed
 *    from anything that does: see struct vgetrandom_state;
 *  - key and batch stay in the caller's state, which the kernel clears for a forked child;
 *    never on the stack or in the image. So they are passed as pointers, and the cipher is in
 *    assembly (chacha.S says why);
 *  - the state may turn into zeros between any two instructions: fork(2) in another context,
 *    memory pressure. Only its generation shows that.
 */

/*
 * How a call proceeds:
 *
 *   __vdso_getrandom
 *     describe_state         a program asks once what a state is made of
 *     serve                  the bytes of one request, all of one generation
 *       fetch_key            only if the key is too old: a system call
 *       generate             batch, whole blocks, batch again
 *         take               bytes of the batch, zeroed on the way
 *         arch_chacha20_blocks
 *     arch_syscall3          whatever cannot be served here
 *
 * What a port supplies for it, besides the list in gettime.c:
 *
 *   arch_chacha20_blocks()   see below
 *   arch_syscall3()          a system call with three arguments; -errno on failure
 *   ARCH_NR_GETRANDOM        its number
 */
#include "vdso.h" /* first: machine.h may define VDSO_LOAD_HOOK */
#include <vdso/once.h>

#define EFAULT 14
#define ENOSYS 38

#define COLD   __attribute__((noinline, cold))
#define INLINE inline __attribute__((always_inline))

/* opaque_len of the query how to make states; buffer, len and flags are 0. */
#define QUERY_LEN (~(size_t)0)

/*
 * Writes whole blocks of key stream to out, starting at counter, and returns the counter of
 * the next block. Touches no other memory; out may end with the key.
 */
u64 arch_chacha20_blocks(u8 *out, const u8 key[CHACHA_KEY_SIZE], u64 counter, size_t blocks)
	__attribute__((visibility("hidden")));

/* Where there is only one size, nothing is read. */
static INLINE size_t page_size(void)
{
	return VDSO_STRIDE == VDSO_SMALLEST_PAGE ? VDSO_STRIDE
						 : read_once32(&vdso_rng_data.page_size);
}

/* The most that one system call transfers (kernel: MAX_RW_COUNT). */
static INLINE size_t most(void)
{
	return 0x7fffffff & -page_size();
}

/* If a state lay in two pages, one could be dropped: a valid generation, no key. */
static INLINE bool lies_in_two_pages(const struct vgetrandom_state *state)
{
	return ((uintptr_t)state & (page_size() - 1)) + sizeof(*state) > page_size();
}

/*
 * Compilers turn loops that copy or clear into calls of memcpy() or memset(), which do not
 * exist here. This hides such a loop from them.
 */
static INLINE void not_a_library_call(void)
{
	__asm__ volatile("" : : : "memory");
}

/*
 * On a kernel without MAP_DROPPABLE (before 6.11) the only answer is "do not use this": C
 * libraries map memory with exactly these flags, and in ordinary memory parent and child would
 * have the same state. A program may still make states from private memory with
 * MADV_WIPEONFORK and MADV_DONTDUMP (madvise(2)); the code below works with it.
 */
static COLD long describe_state(struct vgetrandom_opaque_params *params)
{
	u32 flags = read_once32(&vdso_rng_data.state_mmap_flags);

	if (!flags)
		return -ENOSYS;
	params->size_of_opaque_state = sizeof(struct vgetrandom_state);
	params->mmap_prot = VDSO_PROT_READ_WRITE;
	params->mmap_flags = flags;
	for (size_t i = 0; i < sizeof(params->reserved) / sizeof(params->reserved[0]); i++) {
		params->reserved[i] = 0;
		not_a_library_call();
	}
	return 0;
}

/*
 * GRND_RANDOM together with GRND_INSECURE, and flags that we do not know, are left to the
 * kernel.
 */
static INLINE bool flags_are_known(u32 flags)
{
	return !(flags & ~(VDSO_GRND_NONBLOCK | VDSO_GRND_RANDOM | VDSO_GRND_INSECURE)) &&
	       (flags & (VDSO_GRND_RANDOM | VDSO_GRND_INSECURE)) !=
		       (VDSO_GRND_RANDOM | VDSO_GRND_INSECURE);
}

/*
 * Moves one word. Packed: the caller's bytes may be unaligned. may_alias: they may be of any
 * type (a cast to u64 * would break C11 6.5p7, which was a bug in kernels).
 */
#define MOVE(type)                                                         \
	do {                                                               \
		struct word {                                              \
			type value;                                        \
		} __attribute__((packed, may_alias));                      \
		((struct word *)to)->value = ((struct word *)from)->value; \
		((struct word *)from)->value = 0;                          \
		to += sizeof(type);                                        \
		from += sizeof(type);                                      \
	} while (0)

/* Copies the next len bytes of the batch, which has as many. Returns the end of the copy. */
static __attribute__((noinline)) u8 *take(struct vgetrandom_state *state, u8 *to, size_t len)
{
	u8 *from = state->batch + state->pos;

	state->pos = (u8)(state->pos + len);
	for (; len >= sizeof(u64); len -= sizeof(u64)) {
		MOVE(u64);
		not_a_library_call();
	}
	if (len & sizeof(u32))
		MOVE(u32);
	if (len & sizeof(u16))
		MOVE(u16);
	if (len & sizeof(u8))
		MOVE(u8);
	return to;
}

/* course: begin 13-getrandom */
/* Whole blocks go straight into the buffer, the rest comes through the batch. */
static INLINE void generate(struct vgetrandom_state *state, u8 *to, size_t len)
{
	size_t have = sizeof(state->batch) - state->pos;
	u64 counter;

	if (likely(len <= have)) {
		take(state, to, len);
		return;
	}
	to = take(state, to, have);
	len -= have;
	/* The last use of this key: the second call replaces it. */
	counter = arch_chacha20_blocks(to, state->key, 0, len / CHACHA_BLOCK_SIZE);
	arch_chacha20_blocks(state->batch_key, state->key, counter, 2);
	state->pos = 0;
	take(state, to + len / CHACHA_BLOCK_SIZE * CHACHA_BLOCK_SIZE, len % CHACHA_BLOCK_SIZE);
}

/*
 * The generation goes first. Were it written after the key, a state that turned into zeros in
 * between would claim this generation with a key of zeros.
 */
static COLD bool fetch_key(struct vgetrandom_state *state, u64 generation)
{
	write_once64(&state->generation, generation);
	/* asm volatile with a memory clobber: stays after the store and before the loads. */
	if (arch_syscall3(ARCH_NR_GETRANDOM, (long)state->key, sizeof(state->key), 0) !=
	    sizeof(state->key)) {
		write_once64(&state->generation, 0);
		return false;
	}
	state->pos = sizeof(state->batch);
	return true;
}

static INLINE bool serve(struct vgetrandom_state *state, u8 *to, size_t len)
{
	/* Twice, for a reseed in the middle. After two of them, the kernel answers. */
	for (int tries = 2; tries > 0; tries--) {
		/* Pairs with the release of the publisher: the key must not be older. */
		u64 generation =
			atomic_load_explicit(&vdso_rng_data.generation, memory_order_acquire);

		if (unlikely(read_once64(&state->generation) != generation) &&
		    !fetch_key(state, generation))
			return false;
		generate(state, to, len);
		/*
		 * Both again, after everything that was read and written above: this shows a
		 * state that became zeros meanwhile and a kernel that has reseeded.
		 */
		atomic_thread_fence(memory_order_acq_rel);
		if (likely(read_once64(&state->generation) ==
			   atomic_load_explicit(&vdso_rng_data.generation,
						memory_order_relaxed)))
			return true;
	}
	return false;
}
/* course: end 13-getrandom */

EXPORT(long, getrandom,
       (void *buffer, size_t len, u32 flags, void *opaque_state, size_t opaque_len))
{
	struct vgetrandom_state *state = opaque_state;
	bool served;

	if (unlikely(opaque_len == QUERY_LEN && !buffer && !len && !flags))
		return describe_state(opaque_state);
	if (unlikely(lies_in_two_pages(state)))
		return -EFAULT;
	/* Another size: made for another image, perhaps restored from a checkpoint. */
	if (unlikely(opaque_len != sizeof(*state) || !flags_are_known(flags)))
		goto by_system_call;
	/* Acquire: the generation, stored before it, is not 0. */
	if (unlikely(!__atomic_load_n(&vdso_rng_data.is_ready, __ATOMIC_ACQUIRE)))
		goto by_system_call;
	if (unlikely(len > most()))
		len = most();
	if (unlikely(!len))
		return 0;
	/*
	 * We may be in a signal handler that interrupted a call with this state. No two threads
	 * share a state, so only the compiler must keep the order.
	 */
	if (unlikely(__atomic_load_n(&state->in_use, __ATOMIC_RELAXED)))
		goto by_system_call;
	__atomic_store_n(&state->in_use, true, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
	served = serve(state, buffer, len);
	atomic_signal_fence(memory_order_seq_cst);
	__atomic_store_n(&state->in_use, false, __ATOMIC_RELAXED);
	if (likely(served))
		return (long)len;
by_system_call:
	return arch_syscall3(ARCH_NR_GETRANDOM, (long)buffer, (long)len, flags);
}
