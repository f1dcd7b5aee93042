/*
 * deny.c - runs a program where one system call is denied to it and to all that it starts.
 *
 *	deny LIBRARY NR ERRNO 0 PROGRAM [ARG]...    each call of that number fails with ERRNO
 *	deny LIBRARY NR ERRNO N PROGRAM [ARG]...    the Nth one fails, the others do not
 *	deny LIBRARY -1 0 FILE PROGRAM [ARG]...     none does; FILE gets "NR COUNT" lines
 *
 * LIBRARY is this file as a library for LD_PRELOAD. It puts the program under a seccomp(2)
 * filter when its dynamic linker is done: what a host denies to uvdso is the question, not what
 * it denies to the C library's start. Single calls are told apart by a supervisor, to which the
 * kernel passes each (seccomp_unotify(2)).
 *
 * It exits as the program does, with 128 and a signal's number for a signal. If anything that
 * the program has started is not gone soon after it, 251; if the program does not end, 250;
 * both are said, and nothing is left then either.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#	define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#	define SYS_pidfd_getfd 438
#endif

/* Descriptors of the program before its main(). */
#define SOCKET_AT  100
#define LIBRARY_AT 101

#define NR_MAX     1024
#define LIMIT_MS   8000 /* for the program, on a busy machine */
#define LINGER_MS  4000 /* for what it has started, after its end */
#define EXIT_LIMIT 250
#define EXIT_LEFT  251

static int command(long nr, unsigned code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		/* Which of the three, by the number; -1 stands for all. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 2),
		BPF_STMT(BPF_RET | BPF_K,
			 code == SECCOMP_RET_USER_NOTIF ? code : SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, code),
		BPF_STMT(BPF_RET | BPF_K, nr < 0 ? code : SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	int flags = code == SECCOMP_RET_USER_NOTIF ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/*
 * In the program, before its main(). The supervisor takes the listener from here by its number,
 * while the close(2) of it, which is the first call under the filter, waits for an answer.
 */
__attribute__((constructor)) static void enter(void)
{
	const char *text = getenv("DENY");
	long nr, code;
	int listener;

	if (!text || sscanf(text, "%ld %ld", &nr, &code) != 2)
		return;
	unsetenv("DENY");
	unsetenv("LD_PRELOAD");
	close(LIBRARY_AT);
	if (code != SECCOMP_RET_USER_NOTIF) {
		close(SOCKET_AT);
		if (command(nr, (unsigned)code))
			_exit(98);
		return;
	}
	/* What number it will have is known before: the lowest that is free. */
	listener = dup(SOCKET_AT);
	close(listener);
	if (write(SOCKET_AT, &listener, sizeof(listener)) != sizeof(listener))
		_exit(98);
	close(SOCKET_AT);
	if (command(nr, SECCOMP_RET_USER_NOTIF) < 0)
		_exit(98);
	close(listener);
}

struct supervisor {
	int listener, at; /* ours, and its number in the program */
	int nr, error, nth;
	unsigned count[NR_MAX];
};

static void answer(struct supervisor *s)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp response = {0};
	int nr;

	if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	nr = call.data.nr;
	response.id = call.id;
	response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (nr == SYS_close && s->at >= 0 && (int)call.data.args[0] == s->at)
		s->at = -1; /* our own */
	else if (nr >= 0 && nr < NR_MAX && (int)++s->count[nr] == s->nth && nr == s->nr) {
		response.flags = 0;
		response.error = -s->error;
	}
	ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* All that is left becomes ours, one generation after the other. */
static void end_all(void)
{
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	for (int turn = 0; turn < 100; turn++) {
		FILE *children = fopen(path, "r");

		while (children && fscanf(children, "%d", &pid) == 1) {
			FILE *comm;
			char name[64] = "?";

			if (turn == 0) {
				char file[64];

				snprintf(file, sizeof(file), "/proc/%d/comm", pid);
				comm = fopen(file, "r");
				if (comm && fgets(name, sizeof(name), comm))
					name[strcspn(name, "\n")] = 0;
				if (comm)
					fclose(comm);
				fprintf(stderr, "deny: %s is still there\n", name);
			}
			kill(pid, SIGKILL);
		}
		if (children)
			fclose(children);
		while ((pid = waitpid(-1, NULL, __WALL | WNOHANG)) > 0)
			;
		if (pid < 0)
			return;
		usleep(2000);
	}
}

/* Until all are gone, or for too long. */
static int supervise(struct supervisor *s, pid_t program)
{
	long long end = now_ms() + LIMIT_MS;
	int result = EXIT_LIMIT, status;

	for (;;) {
		struct pollfd ready = {s->listener, POLLIN, 0};
		pid_t pid;

		if (poll(&ready, 1, 1) > 0 && ready.revents & POLLIN)
			answer(s);
		else if (ready.revents)
			s->listener = -1; /* nobody is under the filter any more */
		while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
			if (pid != program)
				continue;
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						     : WEXITSTATUS(status);
			end = now_ms() + LINGER_MS;
		}
		if (pid < 0)
			return result;
		if (now_ms() < end)
			continue;
		fprintf(stderr, "deny: %s\n",
			result == EXIT_LIMIT ? "it does not end" : "not all of it ends");
		end_all();
		return result == EXIT_LIMIT ? EXIT_LIMIT : EXIT_LEFT;
	}
}

static int take_listener(struct supervisor *s, pid_t program, int socket)
{
	int pidfd = (int)syscall(SYS_pidfd_open, program, 0), listener = -1;

	if (read(socket, &s->at, sizeof(s->at)) != sizeof(s->at))
		return -1;
	for (int turn = 0; turn < LIMIT_MS && listener < 0; turn++) {
		listener = (int)syscall(SYS_pidfd_getfd, pidfd, s->at, 0);
		if (listener >= 0 && fcntl(listener, F_GETFL) < 0)
			listener = -1;
		if (listener < 0)
			usleep(1000);
	}
	close(pidfd);
	return listener;
}

int main(int argc, char **argv)
{
	static struct supervisor s = {.listener = -1, .at = -1};
	int pair[2], library, result;
	unsigned code;
	bool list;
	char text[64], preload[64];
	pid_t program;

	if (argc < 6)
		return 99;
	s.nr = atoi(argv[2]);
	s.error = atoi(argv[3]);
	list = s.nr < 0;
	s.nth = list ? -1 : atoi(argv[4]);
	code = list || s.nth ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | (unsigned)s.error;
	/* The program is asked what else it has. */
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 99;
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	/* Out of the way of the lowest numbers. LD_PRELOAD takes no path with a space. */
	library = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (library < 0 || dup2(library, LIBRARY_AT) < 0 || dup2(pair[1], SOCKET_AT) < 0)
		return 99;
	snprintf(text, sizeof(text), "%d %u", s.nr, code);
	snprintf(preload, sizeof(preload), "/proc/self/fd/%d", LIBRARY_AT);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	program = fork();
	if (program == 0) {
		close(pair[1]);
		close(library);
		setenv("DENY", text, 1);
		setenv("LD_PRELOAD", preload, 1);
		execv(argv[5], argv + 5);
		_exit(97);
	}
	close(SOCKET_AT);
	close(LIBRARY_AT);
	close(pair[1]);
	if (code == SECCOMP_RET_USER_NOTIF)
		s.listener = take_listener(&s, program, pair[0]);
	result = supervise(&s, program);
	if (list) {
		FILE *file = fopen(argv[4], "w");

		for (int i = 0; file && i < NR_MAX; i++)
			if (s.count[i])
				fprintf(file, "%d %u\n", i, s.count[i]);
		if (file)
			fclose(file);
	}
	return result;
}
