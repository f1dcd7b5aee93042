/*
 * rng.c - see rng.h.
 */
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <vdso/datapage.h>
#include <vdso/once.h>

#include "kernel/base/page.h"
#include "kernel/time/rng.h"

/* Linux 6.11; older headers do not know it. */
#ifndef MAP_DROPPABLE
#	define MAP_DROPPABLE 0x08
#endif

/*
 * The flags for memory that a forked child sees as zeros, or 0. It must be tried out: mmap(2)
 * takes 0x08 for an unknown type of mapping before Linux 6.11, and refuses it.
 */
static u32 state_mmap_flags(void)
{
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_ANONYMOUS | MAP_DROPPABLE, -1, 0);

	if (page == MAP_FAILED)
		return 0;
	munmap(page, page_size());
	return MAP_ANONYMOUS | MAP_DROPPABLE;
}

static u64 uptime(void)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec;
}

/*
 * The first generation is drawn at random, so that a state which meets two data pages in its
 * life (two vDSOs in one process, a checkpoint that is restored) will not find its own number
 * by accident.
 */
static void become_ready(struct rng *rng)
{
	u64 first;

	if (getrandom(&first, sizeof(first), GRND_NONBLOCK) != sizeof(first))
		return;
	rng->due = uptime() + RNG_RESEED_SECONDS;
	atomic_store_explicit(&rng->data->generation, first ? first : 1, memory_order_release);
	/* Last, and released: a reader that sees it sees a generation that is not 0. */
	__atomic_store_n(&rng->data->is_ready, true, __ATOMIC_RELEASE);
}

void rng_start(struct rng *rng, struct vdso_rng_data *data)
{
	*rng = (struct rng){.data = data};
	write_once32(&data->page_size, (u32)page_size());
	write_once32(&data->state_mmap_flags, state_mmap_flags());
	rng_publish(rng);
}

void rng_publish(struct rng *rng)
{
	if (!rng->data)
		return;
	if (!rng->data->is_ready)
		become_ready(rng);
	else if (uptime() >= rng->due)
		rng_bump(rng);
}

void rng_bump(struct rng *rng)
{
	u64 next = atomic_load_explicit(&rng->data->generation, memory_order_relaxed) + 1;

	/* 0 is what a wiped state says of itself; it must never be true. */
	atomic_store_explicit(&rng->data->generation, next ? next : 1, memory_order_release);
	rng->due = uptime() + RNG_RESEED_SECONDS;
}
