/*
 * rng.h - the kernel's part of random numbers: when a key may be asked for, and when it is old.
 *
 * Beside the time, the process that keeps it publishes two facts about the real kernel's random
 * number generator (struct vdso_rng_data in vdso/rng.h says what readers make of them):
 *
 *   is_ready      the pool has been filled. Asked with getrandom(2) and GRND_NONBLOCK until it
 *                 is so; on a machine that has been up for seconds the first answer is yes
 *   generation    another one after each reseed. The kernel reseeds about once a minute, and
 *                 tells nobody when, so we count minutes of our own. A key fetched after our
 *                 minute is over comes from the kernel's newest seed
 *
 * What that cannot see: the kernel also reseeds at once when its virtual machine is cloned. Of
 * two clones the programs on our page go on with the same keys, for up to a minute. If somebody
 * knows of a clone, rng_bump() is for him. A machine that was suspended is noticed, since the
 * minute is counted on CLOCK_BOOTTIME.
 *
 * If the process that keeps the time dies or is stopped, the watchdog takes is_ready back
 * (watchdog.h), and every request is a system call again. An update after that draws a
 * new generation, as at the start.
 */
#ifndef KERNEL_TIME_RNG
#define KERNEL_TIME_RNG

#include <vdso/rng.h>

/* The kernel's interval (drivers/char/random.c), once it is past the minutes after boot. */
#define RNG_RESEED_SECONDS 60

struct rng {
	struct vdso_rng_data *data; /* the writable page; NULL if there is none to publish on */
	u64 due;                    /* the next generation, seconds of CLOCK_BOOTTIME */
};

/*
 * Asks the kernel which memory it has for states, and publishes for the first time. data must
 * be zeroed and outlive rng. Maps a page for a moment to find out.
 */
void rng_start(struct rng *rng, struct vdso_rng_data *data);

/*
 * To be called often, with every update of the time: does what is due, which is nearly always
 * nothing. On a zeroed rng it does nothing at all. Does not sleep or allocate.
 */
void rng_publish(struct rng *rng);

/* A new generation at once: every reader fetches a new key with its next call. */
void rng_bump(struct rng *rng);

#endif
