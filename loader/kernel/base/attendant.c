/*
 * attendant.c - see attendant.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/attendant.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/process.h"

/* Between two looks whether one that says nothing is still there. */
#define LOOK_MS 50

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
		close(in[0]);
		close(in[1]);
		return err;
	}
	for (int i = 0; i < 2; i++) {
		in[i] = above_stdio(in[i]);
		out[i] = above_stdio(out[i]);
		if (in[i] < 0 || out[i] < 0)
			err = error_by("fcntl", -EMFILE);
	}
	for (int i = 0; err && i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
	return err;
}

/* Out of the way of ^C and ^Z, and of unmounting. */
static void step_aside(void)
{
	setsid();
	/* With syscall(2), since nothing depends on the result: a directory may stay busy. */
	syscall(SYS_chdir, "/");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int attendant_start(struct attendant *attendant, attendant_work *work, void *arg)
{
	sigset_t all, mask;
	int in[2], out[2];
	int err = make_pipes(in, out);

	*attendant = (struct attendant)ATTENDANT_NONE;
	if (err)
		return err;
	/* It must never run a signal handler of its owner's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	err = clone_attendant(attendant, 0);
	if (attendant->pid == 0) {
		close(in[1]);
		close(out[0]);
		step_aside();
		work(arg, in[0], out[1]);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	close(out[1]);
	attendant->to = in[1];
	attendant->held = in[0];
	attendant->from = out[0];
	if (err)
		attendant_release(attendant);
	return err;
}

int attendant_clone_sibling(struct attendant *sibling)
{
	*sibling = (struct attendant)ATTENDANT_NONE;
	return clone_attendant(sibling, CLONE_PARENT);
}

/*
 * Is that number still of the one that we have cloned, and has it ended? Who reaps it with
 * __WALL makes the number free; so it must be a child of this process, and one with another
 * exit signal than SIGCHLD, which is hardly anybody else's. Nothing is reaped here.
 */
static bool is_ours(const struct attendant *attendant, bool *ended)
{
	siginfo_t info = {.si_pid = 0};
	int flags = WEXITED | WNOHANG | WNOWAIT | (attendant->hidden ? __WCLONE : 0);
	bool ours = attendant->pid > 0 && !waitid(P_PID, (id_t)attendant->pid, &info, flags);

	*ended = ours && info.si_pid;
	return ours;
}

int attendant_read(const struct attendant *attendant, void *bytes, size_t size)
{
	static const struct timespec look = {0, LOOK_MS * 1000000}, now;

	for (size_t have = 0; have < size;) {
		struct pollfd ready = {.fd = attendant->from, .events = POLLIN};
		int events = ppoll(&ready, 1, &look, NULL);
		bool ended;
		ssize_t got;

		/* What it wrote before its end is still there. */
		if (events == 0 && (!is_ours(attendant, &ended) || ended) &&
		    ppoll(&ready, 1, &now, NULL) == 0)
			return -ECHILD;
		/* Where ppoll(2) is denied, the end of the pipe has to do. */
		if (events == 0 || (events < 0 && errno == EINTR))
			continue;
		got = read(attendant->from, (char *)bytes + have, size - have);
		if (got == 0)
			return -ECHILD;
		if (got < 0 && errno != EINTR)
			return error_from("read");
		if (got > 0)
			have += (size_t)got;
	}
	return 0;
}

int attendant_write(int out, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(out, (const char *)bytes + done, size - done);

		if (put < 0 && errno != EINTR)
			return error_from("write");
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

int attendant_ask(const struct attendant *attendant, const void *question, size_t size,
		  struct error *error)
{
	int result = 0, err = attendant_write(attendant->to, question, size);

	if (!err)
		err = attendant_read(attendant, &result, sizeof(result));
	if (!err && result)
		err = attendant_read(attendant, error, sizeof(*error));
	return err ? error_system(error, err, "attendant") : result;
}

int attendant_receive(int in, void *question, size_t size)
{
	for (size_t have = 0; have < size;) {
		ssize_t got = read(in, (char *)question + have, size - have);

		if (got == 0)
			return -ECHILD;
		if (got < 0 && errno != EINTR)
			return error_from("read");
		if (got > 0)
			have += (size_t)got;
	}
	return 0;
}

int attendant_answer(int out, int result, const struct error *error)
{
	int err = attendant_write(out, &result, sizeof(result));

	return err || !result ? err : attendant_write(out, error, sizeof(*error));
}

void attendant_release(struct attendant *attendant)
{
	int *const fd[] = {&attendant->to, &attendant->held, &attendant->from};

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

/* Not for ever: it might be impossible to end it. */
static void reap(struct attendant *attendant)
{
	static const struct timespec pause = {0, 1000000};

	for (unsigned turn = 0; turn < REAP_MS; turn++) {
		pid_t got = waitpid(attendant->pid, NULL, __WALL | WNOHANG);

		if (got > 0 || (got < 0 && errno != EINTR))
			break;
		nanosleep(&pause, NULL);
	}
	attendant->pid = -1;
}

void attendant_wait(struct attendant *attendant, unsigned ms)
{
	struct timespec wait = {0, 100000};
	bool ended;

	for (unsigned turns = 0; is_ours(attendant, &ended); turns++) {
		if (ended) {
			reap(attendant);
			return;
		}
		if (turns >= ms * 10)
			return;
		nanosleep(&wait, NULL);
	}
}

void attendant_end(struct attendant *attendant)
{
	bool ended;

	if (!is_ours(attendant, &ended))
		return;
	/* Where kill(2) is denied, it ends when we end. */
	if (!kill(attendant->pid, SIGKILL))
		reap(attendant);
}
