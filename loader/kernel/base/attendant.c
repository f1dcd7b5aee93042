/*
 * attendant.c - see attendant.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h> /* snprintf: to memory, never to a stream */
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/attendant.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/newer.h"
#include "kernel/base/page.h"
#include "kernel/base/proc.h"
#include "kernel/base/process.h"
#include "kernel/base/wait.h"

/* Between two looks whether one that says nothing is still there. */
#define LOOK_MS 50

/*
 * So many looks, half a minute, until one that lives has answered: it may be stopped.
 */
#define LOOKS_MAX 600

/* So many signals may come meanwhile; then read(2) waits, which need not be told of them. */
#define POLLS_MAX 1000

/* What fails otherwise is asked for again: there is no other way to the other end. */
#define FAILURES_MAX 4

/* How long one that has been cloned may take to say so. */
#define CLONE_MS 2000

/* After a SIGKILL, how long to wait for the end. */
#define REAP_MS 2000

/*
 * The clone(2) that fork(2) makes, with another exit signal. All its arguments but the first
 * are 0, so that their order, which differs between machines, does not matter.
 */
static pid_t clone_process(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
}

static int clone_attendant(struct attendant *attendant, unsigned long flags)
{
	attendant->hidden = true;
	attendant->pid = clone_process(flags);
	if (attendant->pid < 0 && errno == EINVAL) {
		attendant->pid = clone_process(SIGCHLD);
		attendant->hidden = false;
	}
	return attendant->pid < 0 ? error_from("clone") : 0;
}

static int make_pipes(int in[2], int out[2])
{
	int err = 0;

	if (pipe2(in, O_CLOEXEC))
		return error_from("pipe2");
	if (pipe2(out, O_CLOEXEC)) {
		err = error_from("pipe2");
		descriptor_close(in[0]);
		descriptor_close(in[1]);
		return err;
	}
	for (int i = 0; i < 2; i++) {
		in[i] = above_stdio(in[i]);
		out[i] = above_stdio(out[i]);
		if (in[i] < 0 || out[i] < 0)
			err = error_by("fcntl", -EMFILE);
	}
	for (int i = 0; err && i < 2; i++) {
		descriptor_close(in[i]);
		descriptor_close(out[i]);
	}
	return err;
}

/* Out of the way of ^C and ^Z, and of unmounting. */
static void step_aside(void)
{
	setsid();
	/* With syscall(2), since nothing depends on the result: a directory may stay busy. */
	syscall(SYS_chdir, "/");
	/*
	 * A tracer answers system calls in a tree with clocks of its own, and may be another
	 * user's.
	 */
	if (proc_tracer(0) <= 0)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* All that becoming an attendant takes. */
struct birth {
	struct attendant *attendant;
	attendant_work *work;
	void *arg;
	int in[2], out[2];
	int err;
};

/* What an owner has to know even if no pipe could tell it. */
struct attendant_page {
	int failure; /* why attendant_tell() failed: one that stands apart has no exit status */
	struct attendant sibling;
	_Atomic(bool) cloning, cloned; /* it is about to be, and is; sibling is written */
};

/* In an attendant: that of its owner. */
static struct attendant_page *page;

static _Noreturn void begin(const struct birth *birth)
{
	descriptor_close(birth->in[1]);
	descriptor_close(birth->out[0]);
	step_aside();
	page = birth->attendant->page;
	birth->work(birth->arg, birth->in[0], birth->out[1]);
	_exit(0);
}

static void start_child(struct birth *birth)
{
	birth->err = clone_attendant(birth->attendant, 0);
	if (birth->attendant->pid == 0)
		begin(birth);
}

/* Who would become the parent of our orphans is we ourselves. */
static bool adopts_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 || prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) || subreaper;
}

/*
 * The process between: it has our memory and our descriptors, while we wait, and ends at once.
 * What it clones is an orphan then, and has had a pidfd from the first moment on.
 * (AddressSanitizer does not know its stack, and would open a file to say so, which we share.)
 */
__attribute__((no_sanitize("address"))) static int between(void *arg)
{
	struct birth *birth = arg;
	struct attendant *attendant = birth->attendant;
	int pidfd = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD, 0, &pidfd, 0, 0);

	if (pid == 0)
		begin(birth);
	birth->err = pid < 0 ? error_from("clone") : 0;
	attendant->pid = pid;
	attendant->pidfd = pidfd;
	_exit(0);
}

/* Returns false if it cannot be, and nothing has happened. */
static bool start_apart(struct birth *birth)
{
	/* The attendant's own, too, in its copy of our memory. */
	static char stack[256 << 10] __attribute__((aligned(64)));
	struct attendant *attendant = birth->attendant;
	int pidfd;
	pid_t pid;

	if (adopts_orphans())
		return false;
	/* Before Linux 5.3, or where a filter is against it, there are none. */
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		return false;
	descriptor_close(pidfd);
	if (!attendant->page)
		return false;
	attendant->pidfd = INT_MAX; /* for the attendant, which sees that it is one */
	/* Exit signal 0, as above; qemu-user, which has no memory to share, refuses it. */
	pid = clone(between, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES,
		    birth);
	if (pid > 0) {
		/* It has ended: that is what CLONE_VFORK has waited for. */
		wait_for(pid, NULL, __WALL);
		attendant->pidfd = above_stdio(attendant->pidfd);
		return true;
	}
	attendant->pidfd = -1;
	return false;
}

/*
 * All 64, two of which the C library keeps for its threads and leaves out of every set: their
 * default action is the end of the process, and anybody of the same user may send them.
 */
static bool set_signal_mask(uint64_t mask, uint64_t *before)
{
	return !syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, before, sizeof(mask));
}

int attendant_start(struct attendant *attendant, bool apart, attendant_work *work, void *arg)
{
	struct birth birth = {.attendant = attendant, .work = work, .arg = arg};
	uint64_t mask;
	bool blocked;
	int err = make_pipes(birth.in, birth.out);

	*attendant = (struct attendant)ATTENDANT_NONE;
	if (err)
		return err;
	attendant->page = mmap(NULL, sizeof(*attendant->page), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (attendant->page == MAP_FAILED)
		attendant->page = NULL;
	/* It must never run a signal handler of its owner's. */
	blocked = set_signal_mask(~0ull, &mask);
	if (!apart || !start_apart(&birth))
		start_child(&birth);
	if (blocked)
		set_signal_mask(mask, NULL);
	descriptor_close(birth.out[1]);
	attendant->to = birth.in[1];
	attendant->held = birth.in[0];
	attendant->from = birth.out[0];
	if (birth.err)
		attendant_release(attendant);
	return birth.err;
}

int attendant_clone_sibling(struct attendant *sibling)
{
	int err;

	*sibling = (struct attendant)ATTENDANT_NONE;
	if (page)
		page->cloning = true;
	err = clone_attendant(sibling, CLONE_PARENT);
	/* It says so itself: we may be killed before we have returned. */
	if (!err && sibling->pid == 0 && page) {
		page->sibling = *sibling;
		page->sibling.pid = getpid();
		page->cloned = true;
	}
	if (err && page)
		page->cloning = false;
	return err;
}

void attendant_find_sibling(const struct attendant *attendant, struct attendant *sibling)
{
	const struct attendant_page *page = attendant->page;

	for (unsigned turn = 0; page && page->cloning && !page->cloned && turn < CLONE_MS;
	     turn++)
		pause_ns(1000000);
	if (page && page->cloned)
		*sibling = page->sibling;
}

/*
 * Is that number still of the one that we have cloned, and has it ended? Who reaps it with
 * __WALL makes the number free; so it must be a child of this process, and one with another
 * exit signal than SIGCHLD, which is hardly anybody else's. Nothing is reaped here, unless
 * waitid(2) fails.
 */
static bool look_at(const struct attendant *attendant, siginfo_t *info)
{
	int flags = WEXITED | WNOHANG | WNOWAIT | (attendant->hidden ? __WCLONE : 0);
	unsigned failures = 0;
	pid_t got;
	int status;

	info->si_pid = 0;
	if (attendant->pid <= 0)
		return false;
	while (waitid(P_PID, (id_t)attendant->pid, info, flags))
		if (++failures == FAILURES_MAX)
			break;
	if (failures < FAILURES_MAX)
		return true;
	/* Another call may know it, which cannot but reap. */
	got = waitpid(attendant->pid, &status, WNOHANG | (attendant->hidden ? __WCLONE : 0));
	if (got <= 0)
		return got == 0;
	info->si_pid = got;
	info->si_code = WIFEXITED(status) ? CLD_EXITED : CLD_KILLED;
	info->si_status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	return true;
}

/* The end of one that stands apart, or that the time is over. */
static bool ended_apart(const struct attendant *attendant, unsigned ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
	struct pollfd end = {.fd = attendant->pidfd, .events = POLLIN};

	for (unsigned turn = 0;; turn++) {
		int events = ppoll(&end, 1, &wait, NULL);

		/* Where ppoll(2) fails its end is looked for, so many times. */
		if (events >= 0 || turn == ms)
			return events > 0;
		if (process_has_ended(attendant->pidfd))
			return true;
		pause_ns(1000000);
	}
}

static bool is_ours(const struct attendant *attendant, bool *ended)
{
	siginfo_t info;
	bool ours;

	if (attendant->pidfd >= 0) {
		*ended = ended_apart(attendant, 0);
		return true;
	}
	ours = look_at(attendant, &info);

	*ended = ours && info.si_pid;
	return ours;
}

/* It has closed its pipe: because it could not write to it? See attendant_tell(). */
static int why_it_ended(const struct attendant *attendant)
{
	siginfo_t info;

	if (attendant->pidfd >= 0 && ended_apart(attendant, LOOK_MS) &&
	    attendant->page->failure)
		return error_by("write", -attendant->page->failure);
	for (unsigned turn = 0; attendant->pidfd < 0 && look_at(attendant, &info); turn++) {
		if (info.si_pid && info.si_code == CLD_EXITED && info.si_status)
			return error_by("write", -info.si_status);
		if (info.si_pid || turn == LOOK_MS)
			break;
		pause_ns(1000000);
	}
	return -ECHILD;
}

int attendant_read(const struct attendant *attendant, void *bytes, size_t size)
{
	static const struct timespec look = {0, LOOK_MS * 1000000}, now;
	unsigned looks = 0, polls = 0, interrupts = 0, failures = 0;

	for (size_t have = 0; have < size;) {
		struct pollfd ready = {.fd = attendant->from, .events = POLLIN};
		int events = ppoll(&ready, 1, &look, NULL);
		bool ended;
		ssize_t got;

		/* What it wrote before its end is still there. */
		if (events == 0 && (!is_ours(attendant, &ended) || ended) &&
		    ppoll(&ready, 1, &now, NULL) == 0)
			return why_it_ended(attendant);
		if (events == 0 && ++looks == LOOKS_MAX)
			return error_by("ppoll", -ETIMEDOUT);
		/* Where ppoll(2) is denied, the end of the pipe has to do. */
		if (events == 0 || (events < 0 && errno == EINTR && ++polls < POLLS_MAX))
			continue;
		got = read(attendant->from, (char *)bytes + have, size - have);
		if (got == 0 && ++failures < FAILURES_MAX && is_ours(attendant, &ended) &&
		    !ended) {
			pause_ns(1000000); /* about to end, or it is not true */
			continue;
		}
		if (got == 0)
			return why_it_ended(attendant);
		if (got < 0 && !interrupted(&interrupts) && ++failures == FAILURES_MAX)
			return error_from("read");
		if (got > 0)
			have += (size_t)got;
	}
	return 0;
}

static int write_all(int out, const void *bytes, size_t size)
{
	unsigned interrupts = 0, failures = 0;

	for (size_t done = 0; done < size;) {
		ssize_t put = write(out, (const char *)bytes + done, size - done);

		if (put < 0 && !interrupted(&interrupts) && ++failures == FAILURES_MAX)
			return error_from("write");
		if (put == 0 && ++failures == FAILURES_MAX)
			return error_by("write", -EIO);
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

void attendant_tell(int out, const void *bytes, size_t size)
{
	int err = write_all(out, bytes, size);

	if (err && page)
		page->failure = -err;
	if (err)
		_exit(-err);
}

int attendant_ask(const struct attendant *attendant, const void *question, size_t size,
		  bool *answered, struct error *error)
{
	int result = 0, err = write_all(attendant->to, question, size);

	if (!err)
		err = attendant_read(attendant, &result, sizeof(result));
	if (!err && result)
		err = attendant_read(attendant, error, sizeof(*error));
	*answered = !err || err == -ECHILD;
	return err ? error_system(error, err, "attendant") : result;
}

int attendant_receive(int in, void *question, size_t size)
{
	unsigned interrupts = 0, failures = 0;

	for (size_t have = 0; have < size;) {
		ssize_t got = read(in, (char *)question + have, size - have);

		if (got == 0)
			return -ECHILD;
		if (got < 0 && !interrupted(&interrupts) && ++failures == FAILURES_MAX)
			return error_from("read");
		if (got > 0)
			have += (size_t)got;
	}
	return 0;
}

void attendant_answer(int out, int result, const struct error *error)
{
	attendant_tell(out, &result, sizeof(result));
	if (result)
		attendant_tell(out, error, sizeof(*error));
}

/*
 * /proc/PID/cmdline is what lies where the arguments were, and goes on in the environment if
 * the last byte of the arguments is not 0 (fs/proc/base.c, get_mm_cmdline()). Both are copies
 * of our own.
 */
void attendant_title(const char *name, pid_t owner, const char *more)
{
	unsigned long field[PROC_STAT_FIELDS];
	size_t room, size, args;
	char title[64], *at;

	prctl(PR_SET_NAME, name, 0, 0, 0);
	if (proc_stat(0, field))
		return;
	at = (char *)field[48];
	args = field[49] - field[48];
	room = field[50] == field[49] ? field[51] - field[48] : args;
	size = (size_t)snprintf(title, sizeof(title), "%s of %d%s%s", name, owner,
				*more ? " " : "", more) +
	       1;
	if (!at || size > room)
		return;
	memcpy(at, title, size);
	if (size < args)
		memset(at + size, 0, args - size);
}

void attendant_meet(struct attendant *attendant)
{
	attendant->pidfd = above_stdio((int)syscall(SYS_pidfd_open, attendant->pid, 0));
}

void attendant_release(struct attendant *attendant)
{
	int *const fd[] = {&attendant->to, &attendant->held, &attendant->from};

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		if (*fd[i] >= 0)
			descriptor_close(*fd[i]);
		*fd[i] = -1;
	}
	if (attendant->page && munmap(attendant->page, sizeof(*attendant->page)))
		munmap(attendant->page, sizeof(*attendant->page));
	attendant->page = NULL;
}

/* Whoever has adopted it reaps it. */
static void forget(struct attendant *attendant)
{
	descriptor_close(attendant->pidfd);
	attendant->pidfd = attendant->pid = -1;
}

/* Not for ever: it might be impossible to end it. */
static void reap(struct attendant *attendant)
{
	for (unsigned turn = 0; turn < REAP_MS; turn++) {
		if (wait_for(attendant->pid, NULL, __WALL | WNOHANG))
			break;
		pause_ns(1000000);
	}
	attendant->pid = -1;
}

void attendant_wait(struct attendant *attendant, unsigned ms)
{
	bool ended;

	if (attendant->pidfd >= 0) {
		if (ended_apart(attendant, ms))
			forget(attendant);
		return;
	}
	for (unsigned turns = 0; is_ours(attendant, &ended); turns++) {
		if (ended) {
			reap(attendant);
			return;
		}
		if (turns >= ms * 10)
			return;
		pause_ns(100000);
	}
}

void attendant_end(struct attendant *attendant)
{
	bool ended;

	if (attendant->pidfd >= 0) {
		/* Its number is its own while it lives. */
		if (syscall(SYS_pidfd_send_signal, attendant->pidfd, SIGKILL, NULL, 0) &&
		    !ended_apart(attendant, 0))
			process_kill(attendant->pid);
		ended_apart(attendant, REAP_MS);
		forget(attendant);
		return;
	}
	if (!is_ours(attendant, &ended))
		return;
	process_kill(attendant->pid);
	reap(attendant);
}
