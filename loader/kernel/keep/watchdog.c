/*
 * watchdog.c - see watchdog.h.
 *
 * It may be forked from a program with threads, so it does only what is safe in a signal
 * handler.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/process.h"
#include "kernel/keep/rest.h"
#include "kernel/keep/watchdog.h"
#include "kernel/time/timekeeper.h"

_Static_assert(MIRROR_PATIENCE_NS >= 2 * WATCHDOG_PERIOD_MS * 1000000, "mirror.h says so");

/* Between two looks, when there is nothing to watch. */
#define RESTING_MS 1000

void watchdog_abandon(union vdso_data_store pages[VDSO_NR_DATA_PAGES])
{
	/*
	 * One step for each clock, and no state in between that we could be stopped in. The
	 * second copy of the coarse clocks is not found any more, and MONOTONIC_RAW has its
	 * max_cycles.
	 */
	vdso_abandon(&pages[VDSO_TIME_PAGE].data[CS_HRES_COARSE]);
	vdso_abandon(&pages[VDSO_TIME_PAGE].data[CS_WALL + CS_HRES_COARSE]);
	/* Nothing to pair with: a reader that sees it late is served once more. */
	__atomic_store_n(&pages[VDSO_RNG_PAGE].rng.is_ready, false, __ATOMIC_RELAXED);
}

/*
 * The pipe of a timekeeper never has anything to read: any event means that it is gone. Where
 * ppoll(2) is denied, read(2) says so, since it does not block.
 */
static bool ended(struct rest *rest, int pipe, int ms)
{
	struct pollfd end = {.fd = pipe, .events = POLLIN};
	int events = rest_poll(rest, &end, 1, (unsigned long)ms * 1000000);
	char byte;

	if (events >= 0)
		return events > 0;
	/* It has nothing to read, or this was the last way to learn of its end. */
	return read(pipe, &byte, 1) >= 0 || errno != EAGAIN;
}

/*
 * Where waits return at once, a read(2) that blocks still tells that a timekeeper has ended,
 * though not that it is stopped. Where that fails, too, it is taken for one that has ended.
 */
static void wait_for_end(int pipe)
{
	char byte;

	if (!fcntl(pipe, F_SETFL, 0))
		(void)!read(pipe, &byte, 1);
}

/* For the reason that watchdog.h gives; but not in a busy loop. */
static void outlive(struct rest *rest, int owner, pid_t owner_pid)
{
	while (getppid() == owner_pid && !rest_is_broken(rest) &&
	       !ended(rest, owner, RESTING_MS))
		;
}

/* The timekeeper does not come, but it lives. */
static void stand_in_meanwhile(struct rest *rest, const struct vdso_data *data,
			       struct timekeeper *tk, int timekeeper)
{
	u32 seen = atomic_load_explicit(&data->seq, memory_order_relaxed);

	/* The system calls of a shifted image are not shifted. An old line is better than
	 * those. */
	if (!tk->mirror.layout || tk->mirror.shifted)
		return;
	do
		timekeeper_stand_in(tk);
	while (!rest_is_broken(rest) &&
	       !ended(rest, timekeeper, TIMELINE_PERIOD_NS / 1000000) &&
	       atomic_load_explicit(&data->seq, memory_order_relaxed) == seen);
}

/*
 * There is no timekeeper any more, but perhaps a mirror, and readers, whose coarse clocks would
 * stand still without us: even in a busy loop, but then with an ordinary priority.
 */
static void stand_in(struct rest *rest, struct vvar *vvar, struct timekeeper *tk, int owner)
{
	timekeeper_stand_in(tk);
	while (tk->mirror.layout && (vvar->counted ? vvar_in_use(vvar)
						   : owner >= 0 && !ended(rest, owner, 0) &&
							     !process_has_ended(owner))) {
		rest_poll(rest, NULL, 0, TIMELINE_PERIOD_NS);
		timekeeper_stand_in(tk);
	}
}

static _Noreturn void watch(struct vvar *vvar, struct timekeeper *tk, int timekeeper, int owner,
			    pid_t owner_pid)
{
	const struct vdso_data *data = vvar->writable[VDSO_TIME_PAGE].data;
	u32 seen = atomic_load_explicit(&data->seq, memory_order_relaxed), seq;
	struct rest rest = {0};

	while (!rest_is_broken(&rest) && !ended(&rest, timekeeper, WATCHDOG_PERIOD_MS)) {
		seq = atomic_load_explicit(&data->seq, memory_order_relaxed);
		if (seq == seen) {
			watchdog_abandon(vvar->writable);
			/* Without readers there is nothing to watch, and never will be again.
			 */
			while (!vvar_in_use(vvar) && !rest_is_broken(&rest) &&
			       !ended(&rest, timekeeper, RESTING_MS))
				;
			stand_in_meanwhile(&rest, data, tk, timekeeper);
		}
		seen = atomic_load_explicit(&data->seq, memory_order_relaxed);
	}
	if (rest_is_broken(&rest))
		wait_for_end(timekeeper);
	watchdog_abandon(vvar->writable);
	stand_in(&rest, vvar, tk, owner);
	if (owner >= 0 && !vvar_in_use(vvar))
		outlive(&rest, owner, owner_pid);
	_exit(0);
}

int watchdog_start(struct watchdog *watchdog, struct vvar *vvar, const struct timekeeper *tk,
		   int owner, pid_t owner_pid)
{
	int life[2], err;

	if (pipe2(life, O_CLOEXEC | O_NONBLOCK))
		return error_from("pipe2");
	err = attendant_clone_sibling(&watchdog->process);
	if (watchdog->process.pid == 0) {
		const int keep[] = {life[0], vvar->fd, owner};
		struct timekeeper last = *tk;

		close_all_but(keep, 3);
		descriptor_close(life[1]); /* or it would not learn of an end */
		attendant_title("uvdso-watchdog", owner_pid, "");
		timekeeper_prioritise();
		watch(vvar, &last, life[0], owner, owner_pid);
	}
	descriptor_close(life[0]);
	if (err)
		descriptor_close(life[1]);
	else
		watchdog->life = life[1];
	return err;
}
