/*
 * requests.c - see requests.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h> /* snprintf */
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/wait.h"
#include "kernel/clock/request.h"
#include "kernel/map/timens.h"
#include "kernel/ptrace/time/requests.h"

/* Waits that come back with nothing in a row. */
#define IDLE_MAX 1000

/* So many requests at a time; the tree's stops wait meanwhile. */
#define REQUESTS_MAX 16

/* A request is on the desk, and how soon we are reminded of it. */
static volatile sig_atomic_t called;
#define REMIND_US 1000

/* The call may have come just before the wait that it is to end; so it comes again. */
static void call(int signal)
{
	const struct itimerval soon = {.it_value.tv_usec = REMIND_US};

	(void)signal;
	called = 1;
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* With signals let in, any call may be interrupted where a supervisor is asked about it. */
static bool hear(int how)
{
	unsigned times = 0;
	sigset_t calls;
	int failed;

	sigemptyset(&calls);
	sigaddset(&calls, SIGIO);
	sigaddset(&calls, SIGALRM);
	do
		failed = sigprocmask(how, &calls, NULL);
	while (failed && interrupted(&times));
	return !failed;
}

/* Nobody calls any more, and nothing is interrupted by what is still on its way. */
static void close_desk(struct desk *desk)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGIO, &ignore, NULL);
	sigaction(SIGALRM, &ignore, NULL);
	desk_close(desk);
}

/* Before the first wait. What is on the desk by then has called nobody. */
static bool listen_to(const struct desk *desk)
{
	static const struct sigaction action = {.sa_handler = call};
	static bool listening;

	if (listening)
		return true;
	listening = hear(SIG_BLOCK) && !sigaction(SIGIO, &action, NULL) &&
		    !sigaction(SIGALRM, &action, NULL) &&
		    !fcntl(desk->fd, F_SETOWN, syscall(SYS_getpid)) &&
		    !fcntl(desk->fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	called = 1;
	return listening;
}

static bool was_called(void)
{
	static const struct itimerval never;
	bool was = called;

	called = 0;
	if (was)
		setitimer(ITIMER_REAL, &never, NULL);
	return was;
}

/*
 * Stops are many, and requests are few: so the wait is for stops, and a request interrupts it.
 * The other way round each stop would take two system calls and a signal more.
 */
pid_t requests_wait(struct desk *desk, int *status)
{
	for (int idle = 0; desk->fd >= 0; idle++) {
		pid_t pid;
		int err;

		if (!listen_to(desk) || idle == IDLE_MAX || !hear(SIG_UNBLOCK)) {
			close_desk(desk);
			break;
		}
		pid = was_called() ? 0 : waitpid(-1, status, __WALL);
		err = errno;
		if (!hear(SIG_BLOCK))
			close_desk(desk);
		if (pid >= 0)
			return pid;
		if (err != EINTR)
			break;
	}
	return wait_for(-1, status, __WALL);
}

static void refuse(struct clock_reply *reply, int err, const char *why)
{
	reply->err = err;
	snprintf(reply->why, sizeof(reply->why), "%s", why);
}

/* What there is to do for all requests. */
struct clerk {
	struct control *control;
	requests_changed *changed;
	void *arg;
};

static struct clock_map held_at(const struct clock_map *map, s64 now)
{
	return clock_map_from(now, clock_map_shown(map, now), 0);
}

/*
 * Before another rate: the clocks stand still until all readers are told, as control.h says
 * why. Then it is now, and the clocks that are to be changed are those of before.
 */
static void hold(struct control *control, const struct clock_wish *wish,
		 const struct own_clocks *clocks, struct clock_now *now)
{
	struct own_clocks held = *clocks;

	held.hold = true;
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (clock_wish_rates(wish, i))
			held.map[i] = held_at(&clocks->map[i], now->ns[i]);
	if (clock_wish_rates(wish, TIMENS_MONOTONIC))
		held.raw = held_at(&clocks->raw, now->raw);
	control_write(control, &held);
	control_wait(control);
	timens_kernel_now(now);
}

static void change(const struct clerk *clerk, const struct clock_wish *wish,
		   struct clock_reply *reply)
{
	struct control *control = clerk->control;
	const char *why = clock_wish_check_change(wish, &reply->now, &reply->clocks);

	if (why) {
		refuse(reply, -ERANGE, why);
		return;
	}
	if (control->fixed)
		why = "it runs on a kernel's image, whose clocks are those of the start";
	else if (wish->rate_all && !control->rate_all)
		why = "to change the rate of all clocks while it runs, start it with "
		      "--rate-all: "
		      "its waits are not followed";
	else if (clock_wish_is_steady(wish) && !control->steady)
		why = "to change MONOTONIC or BOOTTIME while it runs, start it with an offset "
		      "of "
		      "theirs, which may be monotonic=+0: waits by them are not followed";
	if (why) {
		refuse(reply, -ENOTSUP, why);
		return;
	}
	/* MONOTONIC does not jump, whatever else is asked for. */
	if (clock_wish_only_rate(wish) || wish->rate_all)
		hold(control, wish, &reply->clocks, &reply->now);
	clock_wish_change(wish, &reply->now, &reply->clocks);
	reply->clocks.hold = false;
	control_write(control, &reply->clocks);
	if (!control_wait(control))
		refuse(reply, -ETIMEDOUT,
		       "the clocks are changed, but its timekeeper does not say so: what "
		       "reads them without a system call may see them as they were");
	clerk->changed(clerk->arg);
}

static void answer(const struct clerk *clerk, const struct clock_request *request,
		   struct clock_reply *reply)
{
	if (request->version != CLOCK_REQUEST_VERSION) {
		refuse(reply, -EPROTO, "it was started by another release of uvdso");
		return;
	}
	if (!clerk->control) {
		refuse(reply, -ENOTSUP,
		       "its clocks are the machine's: to change them while it runs, start it "
		       "with --at, --rate, --freeze or an offset, which may be realtime=+0");
		return;
	}
	if (!clock_wish_is_valid(&request->wish)) {
		refuse(reply, -EINVAL, "no such clocks can be asked for");
		return;
	}
	timens_kernel_now(&reply->now);
	control_read(clerk->control, &reply->clocks);
	if (!clock_wish_says_nothing(&request->wish))
		change(clerk, &request->wish, reply);
}

void requests_answer(const struct desk *desk, struct control *control,
		     requests_changed *changed, void *arg)
{
	const struct clerk clerk = {control, changed, arg};
	static struct clock_request request;
	struct desk_visitor visitor;

	for (int turn = 0; turn < REQUESTS_MAX; turn++) {
		struct clock_reply reply = {.version = CLOCK_REQUEST_VERSION};
		int err = desk_next(desk, &request, sizeof(request), &visitor);

		if (err == -EAGAIN)
			return;
		if (err == -EPERM)
			refuse(&reply, err, "it is another user's");
		else if (err || !desk_waits(desk, &visitor))
			continue;
		else
			answer(&clerk, &request, &reply);
		desk_answer(desk, &visitor, &reply, sizeof(reply));
	}
}
