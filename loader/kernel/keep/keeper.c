/*
 * keeper.c - see keeper.h.
 *
 * The first half runs in the timekeeper and does only what is safe in a signal handler, the
 * second in its owner.
 */
#include <errno.h>
#include <poll.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/process.h"
#include "kernel/keep/data_pages.h"
#include "kernel/keep/keeper.h"
#include "kernel/keep/rest.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/time/deadline.h"

/* Every so many updates, see whether anybody still uses the data pages. */
#define UPDATES_BETWEEN_LOOKS 64

/* How long a watchdog may take to notice the end of its timekeeper. */
#define WATCHDOG_END_MS 200

/* What the timekeeper answers when it is ready. The pointers are to literals. */
struct ready {
	int err;
	const char *step, *call; /* where it failed, and which call; or NULL */
	const char *why_no_counter, *counter_call;
	int counter_err;
	unsigned slower;
	double rate;
	uint32_t mult, shift;
	struct timens timens;
	struct attendant watchdog;
};

/*
 * Limits that are meant for the program: its CPU time, and the length of its files, which
 * memory files are, too. Up to the hard limit, which only root may raise.
 */
static void lift_limits(void)
{
	static const int limits[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_RTTIME};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit, none = {RLIM_INFINITY, RLIM_INFINITY};

		if (!setrlimit(limits[i], &none) || getrlimit(limits[i], &limit))
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(limits[i], &limit);
	}
}

/*
 * A timer for the end of days, which the kernel ends at once when REALTIME is set or a second
 * leaps (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). Returns -1 where there is none: then the
 * next update finds out.
 */
static int watch_settings(void)
{
	struct itimerspec end_of_days = {.it_value.tv_sec = LONG_MAX};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0 || !timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
				       &end_of_days, NULL))
		return fd;
	descriptor_close(fd);
	return -1;
}

static void stop_watching(struct data_pages *pages)
{
	if (pages->settings >= 0)
		descriptor_close(pages->settings);
	pages->settings = -1;
}

/*
 * Waits, or finds that the owner has ended. Without pidfds, the change of parent tells.
 * Meanwhile the kernel's clock may be set, which is published at once. settings may be -1;
 * owned is false once the owner has ended.
 */
static bool owner_is_gone(const struct keeper *keeper, const struct timespec *wait,
			  struct data_pages *pages, bool owned)
{
	struct pollfd event[] = {
		{.fd = owned ? keeper->owner : -1, .events = POLLIN},
		{.fd = pages->settings, .events = POLLIN},
	};
	int events = rest_poll(&pages->rest, event, 2,
			       (unsigned long)wait->tv_sec * 1000000000 +
				       (unsigned long)wait->tv_nsec);
	uint64_t expired;

	if (events > 0 && event[1].revents) {
		/* Where days end in 2038 the timer may have run out, and would wake us for
		 * ever; so would one that cannot be read. */
		if (read(pages->settings, &expired, sizeof(expired)) >= 0 || errno != ECANCELED)
			stop_watching(pages);
		/* After the read: what is set from now on wakes us again. */
		data_pages_clock_was_set(pages);
	}
	if (!owned)
		return false;
	if (keeper->owner < 0)
		return getppid() != keeper->owner_pid;
	if (events < 0 || rest_is_broken(&pages->rest))
		return process_has_ended(keeper->owner);
	return event[0].revents != 0;
}

static bool is_used(const struct data_pages *pages, bool owned)
{
	return pages->vvar->counted ? vvar_in_use(pages->vvar) : owned;
}

/*
 * No process reads the data pages any more, or waits return at once. Without pidfds our number
 * must not become another's before the owner has ended, even if that takes a busy loop.
 */
static _Noreturn void retire(const struct keeper *keeper, struct data_pages *pages, bool owned)
{
	static const struct timespec second = {1, 0};

	stop_watching(pages);
	watchdog_abandon(pages->vvar->writable);
	while (owned && keeper->timekeeper.pidfd < 0 &&
	       !owner_is_gone(keeper, &second, pages, true))
		;
	_exit(0);
}

static _Noreturn void keep_time(const struct keeper *keeper, struct data_pages *pages)
{
	struct timespec deadline = {0, 0};
	bool owned = true;

	pages->settings = above_stdio(watch_settings());
	/* The first base is good for a millisecond only, and that may be over. */
	data_pages_update(pages);
	deadline_next(&deadline, data_pages_period(pages));
	for (unsigned turn = 0;; turn++) {
		struct timespec left = deadline_wait(&deadline);
		bool look = turn % UPDATES_BETWEEN_LOOKS == UPDATES_BETWEEN_LOOKS - 1;

		if (owner_is_gone(keeper, &left, pages, owned)) {
			owned = false;
			look = true;
		}
		if ((look && !is_used(pages, owned)) || rest_is_broken(&pages->rest))
			retire(keeper, pages, owned);
		data_pages_update(pages);
		if (deadline_is_due(&deadline))
			deadline_next(&deadline, data_pages_period(pages));
		/* Not before: the owner may have waited for this CPU. */
		if (turn == 0)
			attendant_title("uvdso-keeper", keeper->owner_pid, "");
	}
}

static void do_duty(const struct keeper *keeper, struct timekeeper *tk, int in, int out)
{
	const struct keeper_duty *duty = keeper->duty;
	static struct error error;
	int err;

	/* Nothing comes if the owner has no need of it. */
	err = attendant_receive(in, duty->question, duty->size);
	if (err == -ECHILD)
		return;
	if (err)
		error_system(&error, err, "timekeeper");
	else
		err = duty->begin(duty->arg, keeper->owner_pid, duty->question, &error);
	attendant_answer(out, err, &error);
	if (!err)
		duty->serve(duty->arg, tk);
}

/* The clocks of the program; from here on, and not from when they were asked for. */
static void start_clocks(struct keeper *keeper)
{
	struct own_clocks clocks;
	struct clock_now now;

	timens_kernel_now(&now);
	clock_wish_start(&keeper->wish, &now, &clocks);
	keeper->timens = (struct timens){
		.own = keeper->control && !keeper->vvar.foreign,
		.answered = keeper->control,
	};
	if (!keeper->timens.own)
		timens_set(&keeper->timens, &clocks);
	if (!keeper->control)
		return;
	keeper->control->steady = clock_wish_is_steady(&keeper->wish);
	keeper->control->rate_all = keeper->wish.rate_all;
	keeper->control->fixed = !keeper->timens.own;
	control_write(keeper->control, &clocks);
}

static void work(void *arg, int in, int out)
{
	struct keeper *keeper = arg;
	const struct keeper_duty *duty = keeper->duty;
	const int keep[] = {
		in, out, keeper->owner, keeper->vvar.fd, duty ? STDERR_FILENO : -1,
	};
	static struct data_pages pages;
	struct ready ready = {0};

	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
	lift_limits();
	ready.step = "time namespace";
	if (keeper->left_timens)
		ready.err = kernel_timens_join(keeper->owner_pid);
	start_clocks(keeper);
	ready.timens = keeper->timens;
	if (!ready.err)
		ready.err = data_pages_make(&pages, &keeper->vvar, &keeper->timens,
					    keeper->timens.own ? keeper->control : NULL,
					    keeper->counter, keeper->owner, keeper->owner_pid,
					    &ready.step);
	ready.call = error_name(ready.err);
	/* After the watchdog was started: it goes by the owner's priority as well, not by ours.
	 */
	timekeeper_prioritise();
	ready.why_no_counter = pages.tk.why_no_counter;
	ready.counter_call = pages.tk.counter.call;
	ready.counter_err = pages.tk.counter.err;
	if (ready.why_no_counter && keeper->counter == COUNTER_AUTO)
		ready.slower = sampler_slower();
	ready.rate = pages.tk.bases.mono.rate;
	ready.mult = pages.tk.bases.mono.mult;
	ready.shift = pages.tk.bases.mono.shift;
	ready.watchdog = pages.watchdog.process;
	attendant_tell(out, &ready, sizeof(ready));
	if (ready.err)
		_exit(0);
	if (duty)
		do_duty(keeper, &pages.tk, in, out);
	const int kept[] = {keeper->owner, keeper->vvar.fd, pages.watchdog.life};
	close_all_but(kept, 3);
	keep_time(keeper, &pages);
}

int keeper_start(struct keeper *keeper, struct error *error)
{
	int err, left = kernel_timens_is_left();

	if (left < 0)
		return error_system(error, left, "time namespace");
	/* The C library's takes no failure for possible. */
	keeper->owner_pid = (pid_t)syscall(SYS_getpid);
	if (keeper->owner_pid < 0)
		return error_system(error, error_from("getpid"), "timekeeper");
	keeper->left_timens = left;
	keeper->owner = above_stdio((int)syscall(SYS_pidfd_open, keeper->owner_pid, 0));
	err = attendant_start(&keeper->timekeeper, keeper->apart, work, keeper);
	if (keeper->owner >= 0)
		descriptor_close(keeper->owner);
	keeper->owner = -1;
	return err ? error_system(error, err, "timekeeper") : 0;
}

/* What it says when it is ready. From then on the watchdog is known. */
static int read_ready(struct keeper *keeper, struct ready *ready)
{
	int err = attendant_read(&keeper->timekeeper, ready, sizeof(*ready));

	if (err || ready->err)
		return err;
	keeper->watchdog = ready->watchdog;
	if (keeper->timekeeper.pidfd >= 0)
		attendant_meet(&keeper->watchdog);
	return 0;
}

int keeper_ready(struct keeper *keeper, struct error *error)
{
	struct ready ready = {.step = "timekeeper"};
	int err = read_ready(keeper, &ready);

	if (!err && ready.err)
		err = error_by(ready.call, ready.err);
	if (!err && keeper->vvar.foreign && ready.why_no_counter &&
	    !timens_is_empty(&ready.timens)) {
		keeper_end(keeper);
		err = error_cannot_run(error, "offset",
				       "a kernel's image makes system calls without a "
				       "counter, and these cannot be shifted: %s",
				       ready.why_no_counter);
		if (ready.counter_err)
			error_add(error, ": %s",
				  error_words(error_by(ready.counter_call, ready.counter_err)));
		return err;
	}
	if (err) {
		keeper_end(keeper);
		if (err == -ECHILD)
			return error_self(error, err, ready.step,
					  "it was killed at its start, as by a seccomp filter "
					  "that kills");
		return error_system(error, err, ready.step);
	}
	keeper->timens = ready.timens;
	keeper->why_no_counter = ready.why_no_counter;
	keeper->counter_call = ready.counter_call;
	keeper->counter_err = ready.counter_err;
	keeper->slower = ready.slower;
	keeper->rate = ready.rate;
	keeper->mult = ready.mult;
	keeper->shift = ready.shift;
	return 0;
}

void keeper_release(struct keeper *keeper)
{
	attendant_release(&keeper->timekeeper);
	vvar_close_fd(&keeper->vvar);
}

/*
 * The watchdog ends by itself, after it has told readers that are left; but it outlives an
 * owner that has none (watchdog.h), so what readers have is closed last.
 */
void keeper_end(struct keeper *keeper)
{
	struct ready ready;

	/*
	 * Nobody has waited for it. Once it is ready it is in a session of its own: nothing of
	 * it is left in the job that a shell has started, not even for the moment in which init
	 * has not yet waited for it.
	 */
	if (keeper->timekeeper.from >= 0 && keeper->watchdog.pid < 0)
		read_ready(keeper, &ready);
	attendant_end(&keeper->timekeeper);
	/* It could not say so, but may have cloned one. */
	if (keeper->watchdog.pid < 0)
		attendant_find_sibling(&keeper->timekeeper, &keeper->watchdog);
	attendant_wait(&keeper->watchdog, WATCHDOG_END_MS);
	if (keeper->watchdog.pidfd < 0)
		attendant_end(&keeper->watchdog);
	keeper_release(keeper);
}
