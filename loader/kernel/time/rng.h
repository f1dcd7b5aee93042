/*
 * rng.h - the kernel's part of random numbers: when a key may be fetched, and when it is old.
 *
 * Beside the time, the timekeeper publishes two facts about the real kernel's random number
 * generator (struct vdso_rng_data in vdso/rng.h says what readers make of them):
 *
 *   is_ready      the pool has been filled. Asked with getrandom(2) and GRND_NONBLOCK until it
 *                 is so; on a machine that has been up for seconds the first answer is yes
 *   generation    another number after each reseed. The kernel reseeds about once a minute and
 *                 tells no one when, so we count minutes of our own. A key fetched after our
 *                 minute is over comes from the kernel's newest seed
 *
 * What that cannot see is a copy of a running machine. If the hypervisor says that it is one
 * (a new vmgenid), the kernel reseeds at once, and its own vDSO knows. The programs of two
 * clones on ours go on with the same keys, for up to a minute. rng_bump() is for a caller that
 * knows of a clone. If the hypervisor says nothing, or a process is restored twice from a
 * checkpoint (CRIU), no kernel knows either: the kernel's vDSO has the same minute then. A
 * suspend is noticed, since the minute is counted on CLOCK_BOOTTIME.
 *
 * If the timekeeper dies or is stopped, the watchdog takes is_ready back (watchdog.h), and
 * every request is a system call again. An update after that draws a new generation, as at the
 * start.
 */
#ifndef KERNEL_TIME_RNG_H
#define KERNEL_TIME_RNG_H

#include <vdso/rng.h>

/* The kernel's interval (drivers/char/random.c), once it is past the minutes after boot. */
#define RNG_RESEED_SECONDS 60

struct rng {
	struct vdso_rng_data
		*data; /* the writable data page; NULL if there is none to publish on */
	u64 due;       /* the next generation, seconds of CLOCK_BOOTTIME */
};

/*
 * Asks the kernel which memory it has for states, and publishes for the first time. data must
 * be zeroed and outlive rng. Maps a page for a moment to find out.
 */
void rng_start(struct rng *rng, struct vdso_rng_data *data);

/*
 * To be called with every update of the time: does what is due, which is nearly always
 * nothing. On a zeroed rng it does nothing at all. Does not sleep or allocate.
 */
void rng_publish(struct rng *rng);

/* A new generation at once: every reader fetches a new key with its next call. */
void rng_bump(struct rng *rng);

#endif
