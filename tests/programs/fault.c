/*
 * fault.c - runs a program whose system calls, and those of all that it starts, fail as wanted.
 *
 *	fault LIBRARY FAULT FILE PROGRAM [ARG]...
 *
 * FAULT is one of:
 *
 *	list               none fails; FILE gets "PROCESS NR COUNT NAME" lines
 *	NR deny ERROR      each call of that number fails with ERROR, by a filter alone
 *	NR WHAT NUMBER PROCESS FIRST COUNT
 *	                   COUNT calls of that number from the FIRST one on, of that process;
 *	                   COUNT 0: for ever, PROCESS -1: of them all together
 *
 * Processes have numbers in the order of their first calls; 0 is the program. WHAT is "error",
 * with an error number; "value", which is returned, and nothing is done; or "short", which
 * makes a read or a write of NUMBER bytes of what was asked for. FILE gets how many calls have
 * failed.
 *
 * LIBRARY is this file as a library for LD_PRELOAD. It puts the program under a seccomp(2)
 * filter when its dynamic linker is done: what fails for uvdso is the question, not what fails
 * at the C library's start. Single calls are told apart by a supervisor, to which the kernel
 * passes each (seccomp_unotify(2)). Unlike strace(1) that reaches processes that trace each
 * other, too.
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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
#define PROCESSES  32
#define LIMIT_MS   15000 /* for the program, on a busy machine */
#define LINGER_MS  8000  /* for what it has started, after its end */
#define EXIT_LIMIT 250
#define EXIT_LEFT  251

static int put_filter(struct sock_filter *filter, unsigned short length, int flags)
{
	struct sock_fprog program = {length, filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int deny(unsigned nr, unsigned code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return put_filter(filter, sizeof(filter) / sizeof(filter[0]), 0);
}

/*
 * Calls that a tracer of ours answers, or changes: where this filter has them reported, the one
 * after it, for that tracer, is not asked any more (seccomp(2)). So they fail only for uvdso
 * and the C library, which have been mapped already, and not for what is mapped later: the
 * program that uvdso becomes, and its vDSO.
 */
static const int answered[] = {SYS_clock_gettime, SYS_clock_nanosleep};
#define ANSWERED (sizeof(answered) / sizeof(answered[0]))

#define RANGES 8

struct code {
	struct sock_filter line[64];
	unsigned short lines;
};

static void add(struct code *code, struct sock_filter line)
{
	code->line[code->lines++] = line;
}

/* A range has one upper half of an address, or is cut short. */
static void add_range(struct code *code, unsigned long start, unsigned long end)
{
	unsigned last = start >> 32 == (end - 1) >> 32 ? (unsigned)end - 1 : ~0u;

	add(code, (struct sock_filter)BPF_STMT(
			  BPF_LD | BPF_W | BPF_ABS,
			  offsetof(struct seccomp_data, instruction_pointer) + 4));
	add(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					       (unsigned)(start >> 32), 0, 4));
	add(code,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					 offsetof(struct seccomp_data, instruction_pointer)));
	add(code,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)start, 0, 2));
	add(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0));
	add(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
}

static void add_ranges(struct code *code)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	unsigned ranges = 0;
	char line[512], mode[8];

	while (maps && ranges < RANGES && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 || mode[2] != 'x' ||
		    !strchr(line, '/'))
			continue;
		add_range(code, start, end);
		ranges++;
	}
	if (maps)
		fclose(maps);
}

/*
 * All calls, but for those that set clocks, and the way back from a signal, which a second one
 * would interrupt while we are asked, as it never is. And no real-time priority: when we are
 * gone all calls fail, for ever.
 */
static void make_filter(struct code *code)
{
	struct sock_filter begin[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_adjtimex, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_setscheduler, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};

	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		add(code, begin[i]);
	for (size_t i = 0; i < ANSWERED; i++)
		add(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						       (unsigned)answered[i],
						       (unsigned char)(ANSWERED - i), 0));
	add(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
	add_ranges(code);
	add(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

/*
 * In the program, before its main(). The supervisor takes the listener from here by its number,
 * while the close(2) of it, which is the first call under the filter, waits for an answer.
 */
__attribute__((constructor)) static void enter(void)
{
	static struct code all;
	const char *text = getenv("FAULT");
	long nr, code;
	int listener;

	if (!text || sscanf(text, "%ld %ld", &nr, &code) != 2)
		return;
	unsetenv("FAULT");
	unsetenv("LD_PRELOAD");
	close(LIBRARY_AT);
	if (code != SECCOMP_RET_USER_NOTIF) {
		close(SOCKET_AT);
		if (deny((unsigned)nr, (unsigned)code))
			_exit(98);
		return;
	}
	make_filter(&all);
	/* What number it will have is known before: the lowest that is free. */
	listener = dup(SOCKET_AT);
	close(listener);
	if (write(SOCKET_AT, &listener, sizeof(listener)) != sizeof(listener))
		_exit(98);
	close(SOCKET_AT);
	if (put_filter(all.line, all.lines, SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0)
		_exit(98);
	close(listener);
}

enum what { ERROR, VALUE, SHORT };

struct supervisor {
	int listener, at; /* ours, and its number in the program */
	int nr, process, first, count;
	enum what what;
	long number;
	unsigned failed;         /* so many have */
	unsigned processes, all; /* that have made a call; calls of that number */
	pid_t pid[PROCESSES];
	unsigned made[PROCESSES][NR_MAX];
	char name[PROCESSES][32];
};

static unsigned process_of(struct supervisor *s, pid_t pid)
{
	unsigned i = 0;

	while (i < s->processes && s->pid[i] != pid)
		i++;
	if (i == s->processes && s->processes < PROCESSES)
		s->pid[s->processes++] = pid;
	return i < PROCESSES ? i : PROCESSES - 1;
}

static void note_name(struct supervisor *s, unsigned process)
{
	char path[64], *name = s->name[process];
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%d/comm", s->pid[process]);
	comm = fopen(path, "r");
	if (comm && fgets(name, sizeof(s->name[0]), comm))
		name[strcspn(name, "\n")] = 0;
	if (comm)
		fclose(comm);
}

/* A copy of a descriptor of the process that has made the call, or -1. */
static int borrow(const struct seccomp_notif *call)
{
	int pidfd = (int)syscall(SYS_pidfd_open, call->pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)call->data.args[0], 0);

	close(pidfd);
	return fd;
}

/* Makes a part of the call in its place. Returns what it returned, or -1: not done. */
static long make_part(const struct seccomp_notif *call, size_t size)
{
	static char bytes[65536];
	int nr = call->data.nr;
	bool random = nr == SYS_getrandom,
	     reads = nr == SYS_read || nr == SYS_pread64 || random;
	struct iovec here = {bytes, size};
	struct iovec there = {(void *)(uintptr_t)call->data.args[random ? 0 : 1], size};
	int fd = random ? -1 : borrow(call);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	long done = -1;

	if (size > sizeof(bytes) || size >= call->data.args[random ? 1 : 2])
		done = -1;
	else if (random)
		done = getrandom(bytes, size, 0);
	else if (!reads &&
		 process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0) != (ssize_t)size)
		done = -1;
	else if (nr == SYS_read) /* the writer may be waiting for us */
		done = poll(&ready, 1, 0) > 0 ? read(fd, bytes, size) : -1;
	else if (nr == SYS_pread64)
		done = pread(fd, bytes, size, (off_t)call->data.args[3]);
	else if (nr == SYS_write)
		done = write(fd, bytes, size);
	else if (nr == SYS_pwrite64)
		done = pwrite(fd, bytes, size, (off_t)call->data.args[3]);
	if (fd >= 0)
		close(fd);
	here.iov_len = there.iov_len = (size_t)done;
	if (done > 0 && reads &&
	    process_vm_writev((pid_t)call->pid, &here, 1, &there, 1, 0) != done)
		return -1;
	return done;
}

static void fail(struct supervisor *s, const struct seccomp_notif *call,
		 struct seccomp_notif_resp *response)
{
	long done = 0;

	if (s->what == SHORT)
		done = make_part(call, (size_t)s->number);
	if (done < 0)
		return; /* it is made as it is */
	s->failed++;
	response->flags = 0;
	if (s->what == ERROR)
		response->error = (int)-s->number;
	else
		response->val = s->what == SHORT ? done : s->number;
}

static void answer(struct supervisor *s)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp response = {0};
	unsigned process, made, end;
	int nr;

	if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	nr = call.data.nr;
	response.id = call.id;
	response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (nr == SYS_close && s->at >= 0 && (int)call.data.args[0] == s->at) {
		s->at = -1; /* our own */
	} else if (nr >= 0 && nr < NR_MAX) {
		process = process_of(s, (pid_t)call.pid);
		made = ++s->made[process][nr];
		if (nr == s->nr && s->process < 0)
			made = ++s->all;
		end = s->count ? (unsigned)(s->first + s->count) : ~0u;
		if (nr == s->nr && (s->process < 0 || (int)process == s->process) &&
		    made >= (unsigned)s->first && made < end)
			fail(s, &call, &response);
		if (s->nr < 0)
			note_name(s, process);
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
				fprintf(stderr, "fault: %s is still there\n", name);
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

/* Whoever started us has gone. */
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
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
		if (now_ms() < end && !stopped)
			continue;
		fprintf(stderr, "fault: %s\n",
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

static bool parse(struct supervisor *s, const char *text, unsigned *code)
{
	static const char *const words[] = {"error", "value", "short"};
	char what[8];
	int error;

	*code = SECCOMP_RET_USER_NOTIF;
	s->nr = -1;
	if (!strcmp(text, "list"))
		return true;
	if (sscanf(text, "%d deny %d", &s->nr, &error) == 2) {
		*code = SECCOMP_RET_ERRNO | (unsigned)error;
		return true;
	}
	if (sscanf(text, "%d %7s %ld %d %d %d", &s->nr, what, &s->number, &s->process,
		   &s->first, &s->count) != 6)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(what, words[i])) {
			s->what = (enum what)i;
			return true;
		}
	return false;
}

static void write_counts(const struct supervisor *s, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return;
	if (s->nr >= 0)
		fprintf(file, "%u\n", s->failed);
	for (unsigned p = 0; s->nr < 0 && p < s->processes; p++)
		for (int nr = 0; nr < NR_MAX; nr++)
			if (s->made[p][nr])
				fprintf(file, "%u %d %u %s\n", p, nr, s->made[p][nr],
					s->name[p]);
	fclose(file);
}

/*
 * Whoever ends us ends our process group, and what we have started would be left, with calls
 * that nobody answers. So we are in another one, and only our parent is in that.
 */
static void stand_back(void)
{
	struct sigaction action = {.sa_handler = stop};
	pid_t pid = fork();
	int status = 0;

	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
}

int main(int argc, char **argv)
{
	static struct supervisor s = {.listener = -1, .at = -1};
	int pair[2], library, result;
	unsigned code;
	char text[64], preload[64];
	pid_t program;

	if (argc < 5 || !parse(&s, argv[2], &code))
		return 99;
	stand_back();
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
		setenv("FAULT", text, 1);
		setenv("LD_PRELOAD", preload, 1);
		execv(argv[4], argv + 4);
		_exit(97);
	}
	close(SOCKET_AT);
	close(LIBRARY_AT);
	close(pair[1]);
	if (code == SECCOMP_RET_USER_NOTIF)
		s.listener = take_listener(&s, program, pair[0]);
	result = supervise(&s, program);
	if (code == SECCOMP_RET_USER_NOTIF)
		write_counts(&s, argv[3]);
	return result;
}
