/*
 * rng.h - random numbers without a system call: who keeps what, and where.
 *
 * Three parties, as in Linux 6.11 and later:
 *
 *   the kernel   has the entropy. In a data page of its own it says whether it has enough
 *                (is_ready) and counts its reseeds (generation)
 *   the program  provides the memory: one state for each thread, made as the query in
 *                getrandom.c says (struct vgetrandom_opaque_params)
 *   the vDSO     has the code. In that memory it keeps a key, fetched by one system call for
 *                each generation, and a batch of bytes made with it
 */
#ifndef VDSO_RNG_H
#define VDSO_RNG_H

#include <stdatomic.h>
#include <vdso/types.h>

/**
 * struct vdso_rng_data - the data page of the random number generator
 * @generation:		never 0 once @is_ready, and changed by each reseed. A key of an earlier
 *			generation must not be used again. Stored with release: a reader that
 *			sees it and then asks the kernel gets a key that is at least as new
 * @is_ready:		the kernel's pool has been filled. Before that a reader makes the
 *			system call, which knows whether to wait. Stored last, with release
 * @state_mmap_flags:	ours: the flags for mmap(2) that a state needs on this kernel; 0 if
 *			the kernel has no safe memory. The kernel's image has them compiled in
 *			and runs on that kernel alone; ours runs on older ones, too
 * @page_size:		ours: the bytes of a page, which a kernel's image has compiled in. Read
 *			only where a machine can have more than one size
 *
 * Written by the timekeeper's process (loader/kernel/time/rng.h). Read-only for all others,
 * inside a time namespace and outside.
 */
struct vdso_rng_data {
	_Atomic(u64) generation;
	u8 is_ready;
	u32 state_mmap_flags;
	u32 page_size;
};
_Static_assert(offsetof(struct vdso_rng_data, is_ready) == 8, "as in the kernel");

#define CHACHA_KEY_SIZE   32
#define CHACHA_BLOCK_SIZE 64

/*
 * A state. The program learns its size and nothing else; the layout is nevertheless the
 * kernel's, so that the same tools can show it. A new one is all zeros.
 *
 * No state may have a twin, since twins give out the same numbers:
 *
 *   after fork(2)           the memory must read as zeros in the child. The kernel has a kind
 *                           of memory for that: MAP_DROPPABLE, mmap(2)
 *   under memory pressure   the kernel may drop such memory, which then also reads as zeros
 *   a machine is cloned     the kernel reseeds, which changes the generation
 *
 * Zeros mean generation 0, which is never valid, so the next call fetches a new key. Data page
 * and image hold no secret: they are the same for everyone who can read them.
 *
 * batch and key together are two blocks of key stream: one call of the cipher replaces the
 * bytes that were given out and the key that made them. What was given out cannot be computed
 * from what is left here ("fast key erasure", D. J. Bernstein, 2017).
 */
struct vgetrandom_state {
	union {
		struct {
			u8 batch[2 * CHACHA_BLOCK_SIZE - CHACHA_KEY_SIZE];
			u8 key[CHACHA_KEY_SIZE];
		};
		u8 batch_key[2 * CHACHA_BLOCK_SIZE];
	};
	_Alignas(8) u64 generation; /* of the key; i386 would align it to 4 */
	u8 pos;                     /* bytes of the batch that were given out and are zero */
	bool in_use;                /* by a call, perhaps one that a signal interrupted */
};
_Static_assert(offsetof(struct vgetrandom_state, key) == 96, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, generation) == 128, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, pos) == 136, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, in_use) == 137, "as in the kernel");
/* Padded to the alignment of u64, which is 4 on 32-bit x86. */
_Static_assert(sizeof(struct vgetrandom_state) ==
		       (_Alignof(struct vgetrandom_state) == 8 ? 144 : 140),
	       "as in the kernel");

/* The answer to the query (uapi linux/random.h): how to make memory for states. */
struct vgetrandom_opaque_params {
	u32 size_of_opaque_state; /* no state may lie in two pages */
	u32 mmap_prot;
	u32 mmap_flags;
	u32 reserved[13]; /* zero */
};
_Static_assert(sizeof(struct vgetrandom_opaque_params) == 64, "the interface fixes it");

/* uapi linux/random.h: the flags of getrandom(2). */
#define VDSO_GRND_NONBLOCK 1u
#define VDSO_GRND_RANDOM   2u
#define VDSO_GRND_INSECURE 4u

/* uapi linux/mman.h: the protection in the answer. */
#define VDSO_PROT_READ_WRITE 3u

#endif
