/*
 * control.c - see control.h.
 */
#include <sys/mman.h>

#include "kernel/base/wait.h"
#include "kernel/clock/control.h"

/* How long the timekeeper may take to publish a change: some updates. */
#define PUBLISH_MS 60

/* A change takes nanoseconds; its writer may lose its CPU meanwhile, and is asked again later.
 */
#define READ_TRIES 1000

struct control *control_create(void)
{
	static const struct clock_map none = CLOCK_MAP_NONE;
	struct control *control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (control == MAP_FAILED)
		return NULL;
	for (int clock = 0; clock < TIMENS_CLOCKS; clock++)
		control->clocks.map[clock] = none;
	control->clocks.raw = none;
	return control;
}

u32 control_read(struct control *control, struct own_clocks *clocks)
{
	for (int tries = READ_TRIES; tries > 0; tries--) {
		u32 seq = atomic_load_explicit(&control->seq, memory_order_acquire);
		struct own_clocks copy = control->clocks;

		atomic_thread_fence(
			memory_order_acquire); /* pairs with the fence in control_write() */
		if (seq & 1 || atomic_load_explicit(&control->seq, memory_order_relaxed) != seq)
			continue;
		*clocks = copy;
		return seq;
	}
	return 1;
}

bool control_wait(const struct control *control)
{
	u32 seq = atomic_load_explicit(&control->seq, memory_order_relaxed);

	for (int ms = 0; ms < PUBLISH_MS; ms++) {
		if (atomic_load_explicit(&control->published, memory_order_acquire) == seq)
			return true;
		pause_ns(1000000);
	}
	return false;
}

void control_write(struct control *control, const struct own_clocks *clocks)
{
	u32 seq = atomic_load_explicit(&control->seq, memory_order_relaxed);

	atomic_store_explicit(&control->seq, seq + 1, memory_order_relaxed);
	/* The odd number before what changes; pairs with the fence in control_read(). */
	atomic_thread_fence(memory_order_release);
	control->clocks = *clocks;
	atomic_store_explicit(&control->seq, seq + 2, memory_order_release);
}
