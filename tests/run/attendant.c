/*
 * attendant.c - what base/attendant.h and base/wait.h promise.
 *
 * owner.t sees the attendants that there are from outside. Here is one that does what it is
 * told, so that each promise can be asked for: what it is, what its owner learns of its end,
 * and that waiting works where a filter denies the call that it begins with.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/attendant.h"
#include "kernel/base/wait.h"
#include "tap.h"

/* What it is told to do. */
enum {
	ANSWER,
	REFUSE,    /* with EDOM */
	BE_KILLED, /* and another process has its end of the pipe open still */
	TELL_AMISS,
	CLONE,
};

struct facts {
	int session, dumpable, in, out;
	uint64_t blocked;
	char directory[16];
};

static const char *way;

static uint64_t mask(void)
{
	uint64_t now = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now));
	return now;
}

/* Until the owner has closed its end. */
static _Noreturn void stay(int in)
{
	char byte;

	while (read(in, &byte, 1) > 0)
		;
	_exit(0);
}

static void obey(void *arg, int in, int out)
{
	struct facts facts = {.session = getsid(0) == (pid_t)syscall(SYS_getpid),
			      .dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
			      .in = in,
			      .out = out,
			      .blocked = mask()};
	struct error error = {0};
	struct attendant sibling;
	int order;

	(void)arg;
	if (!getcwd(facts.directory, sizeof(facts.directory)))
		strcpy(facts.directory, "a longer one");
	attendant_tell(out, &facts, sizeof(facts));
	while (!attendant_receive(in, &order, sizeof(order))) {
		if (order == BE_KILLED) {
			if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0)
				stay(in);
			kill((pid_t)syscall(SYS_getpid), SIGKILL);
		}
		if (order == TELL_AMISS) {
			close(out);
			attendant_tell(out, &order, sizeof(order));
		}
		if (order == CLONE) {
			/* Not until our owner's end of the pipe is closed, but for long. */
			if (!attendant_clone_sibling(&sibling) && sibling.pid == 0) {
				sleep(20);
				_exit(0);
			}
		}
		if (order == REFUSE)
			attendant_answer(out, error_self(&error, -EDOM, "it", "not here"),
					 &error);
		else
			attendant_answer(out, 0, &error);
	}
}

static struct attendant start(bool apart, struct facts *facts)
{
	struct attendant attendant = ATTENDANT_NONE;
	int err = attendant_start(&attendant, apart, obey, NULL);

	*facts = (struct facts){0};
	if (err || attendant_read(&attendant, facts, sizeof(*facts)))
		bail_out("%s: cannot be started", way);
	return attendant;
}

static int tell(const struct attendant *attendant, int order, bool *answered)
{
	struct error error = {0};

	return attendant_ask(attendant, &order, sizeof(order), answered, &error);
}

static bool is_gone(pid_t pid, int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	if (pidfd >= 0)
		return poll(&end, 1, 0) == 1;
	return kill(pid, 0) && errno == ESRCH;
}

/* Ends it, and says whether it has. */
static bool ends(struct attendant *attendant)
{
	pid_t pid = attendant->pid;
	int pidfd = attendant->pidfd < 0 ? -1 : dup(attendant->pidfd);
	bool gone;

	attendant_end(attendant);
	gone = attendant->pid < 0 && is_gone(pid, pidfd);
	if (pidfd >= 0)
		close(pidfd);
	attendant_release(attendant);
	return gone;
}

static void what_it_is(bool apart)
{
	const uint64_t never = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);
	int null = open("/dev/null", O_RDONLY), in = dup(0), out = dup(1);
	uint64_t before = mask();
	struct attendant attendant;
	struct facts facts;
	bool answered;

	close(0);
	close(1);
	attendant = start(apart, &facts);
	dup2(in < 0 ? null : in, 0);
	dup2(out < 0 ? null : out, 1);
	is(mask(), before, "%s: its owner's signals are blocked as before", way);
	is(facts.blocked | never, ~0ull, "%s: all of its own are", way);
	is(facts.session, 1, "%s: it has a session of its own", way);
	is(facts.dumpable, 0, "%s: nobody looks into it", way);
	is(facts.directory, "/", "%s: it keeps no directory busy", way);
	ok(facts.in > 2 && facts.out > 2 && attendant.to > 2 && attendant.from > 2 &&
		   attendant.held > 2,
	   "%s: no pipe takes the place of a closed standard stream", way);
	if (apart)
		ok(attendant.pidfd > 2 && waitpid(-1, NULL, WNOHANG | __WALL) < 0,
		   "%s: it is no child", way);
	else
		ok(attendant.pidfd < 0 && waitpid(-1, NULL, WNOHANG) < 0,
		   "%s: no wait(2) sees it", way);
	ok(tell(&attendant, ANSWER, &answered) == 0 && answered, "%s: it answers", way);
	is(tell(&attendant, REFUSE, &answered), -EDOM, "%s: ... also that it refuses", way);
	attendant_wait(&attendant, 1);
	ok(tell(&attendant, ANSWER, &answered) == 0, "%s: to wait for it does not end it", way);
	ok(ends(&attendant), "%s: when it is ended it is gone", way);
	close(null);
	close(in);
	close(out);
}

static void its_end(bool apart)
{
	struct attendant attendant;
	struct facts facts;
	bool answered = false;
	int err;

	attendant = start(apart, &facts);
	err = tell(&attendant, BE_KILLED, &answered);
	ok(err == -ECHILD && answered,
	   "%s: its end is noticed, though its pipe is open elsewhere", way);
	attendant_wait(&attendant, 1000);
	is(attendant.pid, -1, "%s: ... and waited for", way);
	attendant_release(&attendant);

	attendant = start(apart, &facts);
	is(tell(&attendant, TELL_AMISS, &answered), -EBADF,
	   "%s: why it could not tell is known", way);
	attendant_wait(&attendant, 1000);
	attendant_release(&attendant);

	attendant = start(apart, &facts);
	attendant_release(&attendant);
	attendant_wait(&attendant, 10000);
	is(attendant.pid, -1, "%s: it ends when nobody can tell it anything any more", way);
	attendant_end(&attendant);
}

static void a_sibling(bool apart)
{
	struct attendant attendant, sibling = ATTENDANT_NONE;
	struct facts facts;
	bool answered;
	int pidfd;

	attendant = start(apart, &facts);
	attendant_find_sibling(&attendant, &sibling);
	is(sibling.pid, -1, "%s: it has no sibling", way);
	tell(&attendant, CLONE, &answered);
	attendant_find_sibling(&attendant, &sibling);
	if (!ok(sibling.pid > 0, "%s: the sibling that it clones is found", way)) {
		ends(&attendant);
		return;
	}
	if (apart)
		attendant_meet(&sibling);
	pidfd = sibling.pidfd < 0 ? -1 : dup(sibling.pidfd);
	ok(!is_gone(sibling.pid, pidfd) && ends(&attendant) && !is_gone(sibling.pid, pidfd),
	   "%s: ... lives on when it has ended", way);
	close(pidfd);
	ok(ends(&sibling), "%s: ... and is ended as well", way);
}

/* A copy of us: the attendant is not its child. */
static void from_a_fork(void)
{
	struct facts facts;
	struct attendant attendant = start(false, &facts);
	bool answered;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		attendant_end(&attendant);
		attendant_wait(&attendant, 1000);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	ok(tell(&attendant, ANSWER, &answered) == 0 && answered,
	   "a forked child cannot end it");
	ends(&attendant);
}

/* For this process, and for good. */
static bool deny(long first, long second, long third)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)first, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)second, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)third, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The status of a child that ends in this way: by a signal, or if that is 0, with 3. */
static int status_of(int signal)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		if (signal)
			raise(signal);
		_exit(3);
	}
	if (wait_for(child, &status, signal == SIGSTOP ? WUNTRACED : 0) != child)
		return -1;
	if (signal == SIGSTOP) {
		kill(child, SIGKILL);
		wait_for(child, NULL, 0);
	}
	return status;
}

static bool statuses_are_right(void)
{
	int stopped = status_of(SIGSTOP);

	return status_of(0) == 3 << 8 && status_of(SIGKILL) == SIGKILL && WIFSTOPPED(stopped) &&
	       WSTOPSIG(stopped) == SIGSTOP;
}

static bool pauses(void)
{
	const unsigned long ns = 20000000;
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	pause_ns(ns);
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec >=
	       (long long)ns;
}

static bool no_child_is_an_error(void)
{
	return wait_for(-1, NULL, WNOHANG) < 0;
}

/* Where these calls fail. A filter may not be had: then there is nothing to see. */
static void without(const char *what, long first, long second, long third, bool (*works)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(deny(first, second, third) ? works() : 2);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		skip(1, "no filter can be had here");
	else
		is(status, 1 << 8, "%s", what);
}

int main(void)
{
	unsigned times = 0;

	for (int apart = 0; apart < 2; apart++) {
		way = apart ? "one that stands apart" : "one that is a child";
		what_it_is(apart);
		its_end(apart);
		a_sibling(apart);
	}
	from_a_fork();

	ok(statuses_are_right(), "wait_for() gives the status that wait(2) gives");
	ok(no_child_is_an_error(), "... and fails where there is no child");
	ok(pauses(), "a pause is as long as it shall be");
#ifdef SYS_wait4
	without("where wait4(2) is denied the statuses are right as well", SYS_wait4, -1, -1,
		statuses_are_right);
	without("... and no child is an error", SYS_wait4, -1, -1, no_child_is_an_error);
#endif
#if defined(SYS_nanosleep) && defined(SYS_ppoll)
	without("without nanosleep(2) a pause is as long", SYS_nanosleep, SYS_clock_nanosleep,
		-1, pauses);
	without("... and without ppoll(2)", SYS_nanosleep, SYS_clock_nanosleep, SYS_ppoll,
		pauses);
#endif
	for (errno = EINTR; times < 2 * INTERRUPTS_MAX && interrupted(&times);)
		;
	is(times, (unsigned)INTERRUPTS_MAX, "what is always interrupted is given up");
	errno = EIO;
	ok(!interrupted(&(unsigned){0}), "... and what fails otherwise at once");
	return done_testing();
}
