/*
 * rng.h - random numbers without a system call: who keeps what, and where.
 *
 * Three parties, as in Linux 6.11 and later:
 *
 *   the kernel   has the entropy. On a page of its own it says whether it has enough
 *                (is_ready), and counts its reseeds (generation)
 *   the program  gives the memory: one state for each thread that asks, made as the
 *                query of getrandom.c says (struct vgetrandom_opaque_params)
 *   the page     has the code: it keeps a key in that memory, fetched from the kernel by
 *                one system call for each generation, and a batch of bytes made with it
 *
 * No secret is ever on the shared page, nor in the image: both are the same for all who
 * can read them. And no state may ever have a twin, since twins give out the same numbers:
 *
 *   after fork(2)              the memory must read as zeros in the child. The kernel has a
 *                              kind for that, MAP_DROPPABLE, mmap(2)
 *   under memory pressure      such memory may be taken away, and then reads as zeros, too
 *   a machine is cloned        the kernel reseeds, and the generation becomes another one
 *
 * A state of zeros is of generation 0, which is never valid: so it fetches a new key.
 */
#ifndef VDSO_RNG_H
#define VDSO_RNG_H

#include <stdatomic.h>
#include <vdso/types.h>

/**
 * struct vdso_rng_data - the page of the random number generator
 * @generation:		never 0 once @is_ready, and another one after each reseed. A key
 *			of an earlier generation may not be used any more. Stored with
 *			release: whoever sees it, and asks the kernel then, gets a key
 *			that is at least as new
 * @is_ready:		the kernel's pool has been filled: before that a system call must
 *			be made, which knows whether to wait. Stored last, with release
 * @state_mmap_flags:	ours: the flags for mmap(2) that a state needs on this kernel;
 *			0 if it has no memory that is safe. The kernel's page compiles
 *			them in, since its image comes with it; ours runs on older kernels
 *
 * Written by the process that keeps the time (loader/kernel/time/rng.h). Read-only for all
 * others, in a time namespace as well as outside.
 */
struct vdso_rng_data {
	_Atomic(u64) generation;
	u8 is_ready;
	u32 state_mmap_flags;
};
_Static_assert(offsetof(struct vdso_rng_data, is_ready) == 8, "as in the kernel");

#define CHACHA_KEY_SIZE   32
#define CHACHA_BLOCK_SIZE 64

/*
 * A state. The program is told its size and nothing else; the layout is the kernel's all
 * the same, so that a state may be looked at with the same tools. All zeros is a new one.
 *
 * batch and key are two blocks of key stream together: one call of the cipher replaces
 * what has been given out and, with the rest of what it makes, the key that it was made
 * with. From what is left here nobody can compute what was given out before ("fast key
 * erasure", D. J. Bernstein, 2017).
 */
struct vgetrandom_state {
	union {
		struct {
			u8 batch[2 * CHACHA_BLOCK_SIZE - CHACHA_KEY_SIZE];
			u8 key[CHACHA_KEY_SIZE];
		};
		u8 batch_key[2 * CHACHA_BLOCK_SIZE];
	};
	_Alignas(8) u64 generation; /* in which the key was fetched; i386 would align it to 4 */
	u8 pos;                     /* what of the batch has been given out, and is zero */
	bool in_use;                /* a call is at work, perhaps below a signal handler */
};
_Static_assert(offsetof(struct vgetrandom_state, key) == 96, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, generation) == 128, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, pos) == 136, "as in the kernel");
_Static_assert(offsetof(struct vgetrandom_state, in_use) == 137, "as in the kernel");
/* Padded to what a u64 is aligned to, and that is 4 on a 32-bit x86. */
_Static_assert(sizeof(struct vgetrandom_state) ==
		       (_Alignof(struct vgetrandom_state) == 8 ? 144 : 140),
	       "as in the kernel");

/* What the query answers (uapi linux/random.h): how to make memory for states. */
struct vgetrandom_opaque_params {
	u32 size_of_opaque_state; /* as many as fit into a page; none may lie in two */
	u32 mmap_prot;
	u32 mmap_flags;
	u32 reserved[13]; /* zero */
};
_Static_assert(sizeof(struct vgetrandom_opaque_params) == 64, "the interface fixes it");

/* uapi linux/random.h: the flags of getrandom(2). */
#define VDSO_GRND_NONBLOCK 1u
#define VDSO_GRND_RANDOM   2u
#define VDSO_GRND_INSECURE 4u

/* uapi linux/mman.h: the rights that the query answers with. */
#define VDSO_PROT_READ_WRITE 3u

#endif
