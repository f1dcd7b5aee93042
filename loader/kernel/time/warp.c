/*
 * warp.c - see warp.h.
 */
#include <machine.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/wait.h"
#include "kernel/time/warp.h"

/* How often the ball is caught, and how often at least: on a busy machine both wait for a CPU.
 */
#define CATCHES       400
#define CATCHES_LEAST 8

/* Turns of a spin loop, 20 ns each or more, after which a player goes. */
#define PATIENCE (1u << 21)

/* More would take too long; the CPUs beyond are taken to be like these. */
#define CPUS_MAX 64

#define MASK_BYTES 1024

typedef unsigned char cpu_mask[MASK_BYTES];

static struct game {
	u64 (*counter)(void);
	_Atomic(u32) throws; /* even: it is at ours, odd: at the other one's */
	u64 last;            /* written by who has the ball; the throw publishes it */
	unsigned behind;
} game;

/* One of the two. Each throw releases what was written before it; each catch acquires it. */
static void play(u32 side)
{
	for (u32 patience = PATIENCE; patience > 0; patience--) {
		u32 throws = atomic_load_explicit(&game.throws, memory_order_acquire);
		u64 now;

		if (throws >= CATCHES)
			return;
		if (throws % 2 != side) {
			arch_relax();
			continue;
		}
		now = game.counter();
		if (now < game.last)
			game.behind++;
		game.last = now;
		atomic_store_explicit(&game.throws, throws + 1, memory_order_release);
	}
}

static int play_there(void *unused)
{
	(void)unused;
	play(1);
	syscall(SYS_exit, 0);
	return 0;
}

static bool use_cpu(pid_t pid, unsigned cpu)
{
	cpu_mask only = {0};

	only[cpu / 8] = (unsigned char)(1u << cpu % 8);
	return syscall(SYS_sched_setaffinity, pid, sizeof(only), only) == 0;
}

/* We are on one CPU; the other player goes to that one. It has our memory, and no stack but
 * this.
 */
static const char *play_with(unsigned cpu, const cpu_mask *all)
{
	static char stack[16 << 10] __attribute__((aligned(64)));
	pid_t pid;
	bool there;
	u32 throws;

	game.throws =
		1; /* it catches first, once it has started: nobody is on the way before */
	game.last = 0;
	pid = clone(play_there, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES, NULL);
	if (pid < 0)
		return "the CPUs' counters cannot be compared: clone(2) is denied";
	there = use_cpu(pid, cpu);
	if (there)
		play(0);
	/* The game is over; on a CPU that it is not let on it could not learn that. */
	throws = atomic_exchange(&game.throws, CATCHES);
	syscall(SYS_sched_setaffinity, pid, sizeof(*all), *all);
	/* Its turns are counted. While it may be there its stack is not used again. */
	if (wait_for(pid, NULL, __WALL) != pid)
		return "the CPUs' counters cannot be compared: waitpid(2) fails";
	if (there && throws < CATCHES_LEAST)
		return "the CPUs' counters could not be compared in time";
	return game.behind ? "a CPU's counter is behind that of another one" : NULL;
}

const char *warp_test(u64 (*counter)(void))
{
	cpu_mask all = {0}, before = {0};
	unsigned first = MASK_BYTES * 8, met = 0;
	const char *why = NULL;

	if (syscall(SYS_sched_getaffinity, 0, sizeof(before), before) < 0)
		return "the CPUs are not known: sched_getaffinity(2) is denied";
	/* All that there are: the kernel takes away the others. */
	memset(all, 0xff, sizeof(all));
	syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
	memset(all, 0, sizeof(all)); /* the kernel writes no more than it has CPUs */
	syscall(SYS_sched_getaffinity, 0, sizeof(all), all);
	game = (struct game){.counter = counter};
	for (unsigned cpu = 0; cpu < MASK_BYTES * 8 && met < CPUS_MAX && !why; cpu++) {
		if (!(all[cpu / 8] >> cpu % 8 & 1))
			continue;
		if (first == MASK_BYTES * 8) {
			first = cpu;
			if (!use_cpu(0, cpu))
				why = "the CPUs cannot be compared: sched_setaffinity(2) is "
				      "denied";
			continue;
		}
		met++;
		why = play_with(cpu, &all);
	}
	syscall(SYS_sched_setaffinity, 0, sizeof(before), before);
	return why;
}
