/*
 * strangers.c - the library in a program that does other things as well: it forks while it
 * boots, reaps all its children, closes all descriptors, has limits and filters.
 *
 * What it could catch: a boot that waits for a process of somebody else, or fails because of
 * it; a child that can write to the data pages; a wait(2) that meets a process which the
 * program did not make; a number that belongs to somebody else by now and is killed; a process
 * left over.
 *
 * Each case runs in a child of its own, and says what it found through its exit status and one
 * line.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/newer.h"
#include "tap.h"
#include "libc/vdso_names.h"
#include "uvdso.h"

#define NOBODY 65534
#define BOOTS  60

/* Longer than all boots together take: nobody may wait for such a child. */
#define CHILD_SECONDS 20

typedef int gettime_fn(clockid_t, struct timespec *);

static char found[256]; /* what a case says */

__attribute__((format(printf, 1, 2))) static int found_that(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(found, sizeof(found), fmt, ap);
	va_end(ap);
	return 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static struct uvdso *boot(void)
{
	struct uvdso *vdso;
	char why[200];

	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
		found_that("uvdso_boot(): %s", why);
	return vdso;
}

/* Is the coarse clock of this vDSO kept? It advances, or is the kernel's. */
static bool tells_time(struct uvdso *vdso)
{
	gettime_fn *gettime =
		(gettime_fn *)uvdso_symbol(vdso, VDSO_NAME("clock_gettime"), NULL);
	struct timespec ours, kernel;

	pause_ms(60);
	if (!gettime || gettime(CLOCK_MONOTONIC_COARSE, &ours))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &kernel);
	return (kernel.tv_sec - ours.tv_sec) + (double)(kernel.tv_nsec - ours.tv_nsec) / 1e9 <
	       0.5;
}

static bool is_alive(pid_t pid)
{
	char path[64], text[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return *text && !strstr(text, ") Z");
}

static bool has_writable(pid_t pid)
{
	char path[64], line[512];
	bool any = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		any |= strstr(line, "memfd:vvar") && strstr(line, "rw-s");
	if (maps)
		fclose(maps);
	return any;
}

/* A thread that forks children which live for long. */
static struct {
	atomic_bool stop;
	pid_t pid[2000];
	int count, writable;
} forks;

static void *fork_on(void *unused)
{
	while (!forks.stop && forks.count < 2000) {
		pid_t pid = fork();

		if (pid == 0) {
			pause_ms(CHILD_SECONDS * 1000);
			_exit(0);
		}
		if (pid < 0)
			continue;
		forks.pid[forks.count++] = pid;
		forks.writable += has_writable(pid);
		pause_ms(1);
	}
	return unused;
}

static int boots_while_forking(void)
{
	double longest = 0;
	int failed = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, fork_on, NULL);
	for (int i = 0; i < BOOTS; i++) {
		double begin = now(), took;
		struct uvdso *vdso = boot();

		failed += !vdso;
		uvdso_shutdown(vdso);
		took = now() - begin;
		longest = took > longest ? took : longest;
	}
	forks.stop = true;
	pthread_join(thread, NULL);
	for (int i = 0; i < forks.count; i++) {
		kill(forks.pid[i], SIGKILL);
		waitpid(forks.pid[i], NULL, 0);
	}
	if (failed || forks.writable)
		return found_that("%d of %d boots failed (%.90s), and %d of %d children could "
				  "write to the data pages",
				  failed, BOOTS, found, forks.writable, forks.count);
	if (longest > CHILD_SECONDS / 2.0)
		return found_that("one took %.1f s: it waited for a child", longest);
	return forks.count < 5 ? found_that("only %d forks", forks.count) : 0;
}

static int reaps_all_its_children(void)
{
	struct uvdso *vdso = boot();
	int reaped = 0;

	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			_exit(0);
	while (wait(NULL) > 0)
		reaped++;
	if (!vdso || reaped != 3)
		return found_that("%d children were reaped", reaped);
	uvdso_shutdown(vdso);
	return waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD
		       ? 0
		       : found_that("a child is left");
}

static volatile sig_atomic_t chlds;

static void count_chld(int signal)
{
	(void)signal;
	chlds++;
}

static int gets_no_sigchld(void)
{
	struct sigaction action = {.sa_handler = count_chld};
	struct uvdso *vdso;

	sigaction(SIGCHLD, &action, NULL);
	vdso = boot();
	if (!vdso)
		return 1;
	kill(uvdso_timekeeper(vdso), SIGKILL);
	pause_ms(50);
	uvdso_shutdown(vdso);
	return chlds ? found_that("%d of them", (int)chlds) : 0;
}

static int shuts_down_in_a_child(void)
{
	struct uvdso *vdso = boot();
	int status = 0;
	pid_t child;

	if (!vdso)
		return 1;
	child = fork();
	if (child == 0) {
		uvdso_shutdown(vdso);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (status || !is_alive(uvdso_timekeeper(vdso)))
		return found_that("the timekeeper of the parent is gone");
	uvdso_shutdown(vdso);
	return 0;
}

/* Somebody reaps the timekeeper, and its number goes to a process that is not ours. */
static int gives_its_number_away(void)
{
	struct uvdso *vdso = boot();
	pid_t number, other;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};
	bool alive;

	if (!vdso)
		return 1;
	number = uvdso_timekeeper(vdso);
	kill(number, SIGKILL);
	/* Both: the watchdog is in the session that has the other's number. */
	waitpid(-1, NULL, __WALL);
	waitpid(-1, NULL, __WALL);
	other = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (other == 0) {
		pause_ms(10000);
		_exit(0);
	}
	if (other < 0)
		return found_that("clone3: %s", strerror(errno));
	uvdso_shutdown(vdso);
	alive = is_alive(other);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return alive ? 0 : found_that("process %d was killed", number);
}

static int closes_all_descriptors(void)
{
	struct uvdso *vdso = boot();
	int fd, got;
	char byte;

	if (!vdso)
		return 1;
	for (fd = 3; fd < 1000; fd++)
		close(fd);
	fd = open("/dev/zero", O_RDONLY);
	if (!is_alive(uvdso_timekeeper(vdso)) || !tells_time(vdso))
		return found_that("the time is not kept any more");
	uvdso_shutdown(vdso);
	got = (int)read(fd, &byte, 1);
	return got == 1 ? 0 : found_that("a descriptor of the program's was closed");
}

static int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static int keeps_nothing_open(void)
{
	int before = lowest_fd(), booted;
	struct uvdso *vdso = boot();

	booted = lowest_fd();
	uvdso_shutdown(vdso);
	if (booted != before || lowest_fd() != before)
		return found_that("the next descriptor was %d, with a vDSO %d, and then %d",
				  before, booted, lowest_fd());
	return !vdso;
}

/* The seccomp filter of a container that does not know a call. */
static bool deny(long number, int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void target_of(pid_t pid, int fd, char target[64])
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	got = readlink(path, target, 63);
	target[got > 0 ? got : 0] = 0;
}

static int has_no_close_range(void)
{
	char own[64], its[64];
	struct uvdso *vdso;

	if (!deny(SYS_close_range, ENOSYS))
		return found_that("seccomp: %s", strerror(errno));
	vdso = boot();
	if (!vdso)
		return 1;
	for (int fd = 0; fd < 3; fd++) {
		target_of(getpid(), fd, own);
		target_of(uvdso_timekeeper(vdso), fd, its);
		if (*its && !strcmp(own, its))
			return found_that("the timekeeper has %s open", its);
	}
	uvdso_shutdown(vdso);
	return 0;
}

static int may_have_no_process(void)
{
	struct rlimit one = {1, 1};
	struct uvdso *vdso;
	char why[200] = "";
	int err;

	if (setrlimit(RLIMIT_NPROC, &one) || (geteuid() == 0 && setuid(NOBODY)))
		return found_that("setrlimit: %s", strerror(errno));
	err = uvdso_boot(&vdso, NULL, why, sizeof(why));
	return err == -EAGAIN && strstr(why, "timekeeper") && !vdso
		       ? 0
		       : found_that("uvdso_boot() gave %d: %s", err, why);
}

/* Both stopped: neither can end the other. */
static int ends_what_is_stopped(void)
{
	struct uvdso *vdso = boot();

	if (!vdso)
		return 1;
	kill(uvdso_timekeeper(vdso), SIGSTOP);
	pause_ms(30);
	uvdso_shutdown(vdso);
	return waitpid(-1, NULL, __WALL | WNOHANG) == -1 ? 0 : found_that("a child is left");
}

static atomic_int *shared; /* counts across processes */

static void in_child(void)
{
	(*shared)++;
}

static void on_alarm(int signal)
{
	(void)signal;
	shared[1] += getpid() != shared[2];
}

/* The program's own handlers, of fork(2) and of signals, are for the program's processes. */
static int has_handlers(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};

	shared[2] = getpid();
	pthread_atfork(NULL, NULL, in_child);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 10; i++) {
		struct uvdso *vdso = boot();

		if (!vdso)
			return 1;
		uvdso_shutdown(vdso);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	return shared[0] || shared[1] ? found_that("%d of fork(2), %d of signals ran elsewhere",
						   shared[0], shared[1])
				      : 0;
}

static int is_an_ordinary_user(void)
{
	char path[64];
	struct uvdso *vdso;
	int fd;

	if (geteuid() == 0 && setuid(NOBODY))
		return found_that("setuid: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	vdso = boot();
	if (!vdso)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/mem", uvdso_timekeeper(vdso));
	fd = open(path, O_RDWR);
	uvdso_shutdown(vdso);
	return fd < 0 ? 0 : found_that("%s can be opened", path);
}

/* What a child says of a vDSO whose owner has ended without a shutdown. */
static char is_kept(struct uvdso *vdso)
{
	/* By then the timekeeper has noticed, and looked for readers. */
	pause_ms(400);
	return is_alive(uvdso_timekeeper(vdso)) && tells_time(vdso) ? 'y' : 'n';
}

static int leaves_a_child(void)
{
	int said[2];
	char byte = 0;

	if (pipe(said))
		return found_that("pipe: %s", strerror(errno));
	if (fork() == 0) {
		struct uvdso *vdso = boot();

		if (vdso && fork() == 0) {
			byte = is_kept(vdso);
			_exit(write(said[1], &byte, 1) != 1);
		}
		_exit(0);
	}
	close(said[1]);
	wait(NULL);
	return read(said[0], &byte, 1) == 1 && byte == 'y'
		       ? 0
		       : found_that("its clock is not kept: %d", byte);
}

static const struct {
	int (*run)(void);
	const char *what;
} cases[] = {
	{boots_while_forking,
	 "while another thread forks all boots work, and no child can write"},
	{reaps_all_its_children, "wait(2) meets the program's children alone; none is left"},
	{gets_no_sigchld, "the end of a timekeeper sends no SIGCHLD"},
	{shuts_down_in_a_child, "uvdso_shutdown() in a forked child is the child's affair"},
	{gives_its_number_away, "uvdso_shutdown() kills no process that has its number now"},
	{closes_all_descriptors, "a program may close all descriptors: none is the library's"},
	{keeps_nothing_open, "the library keeps none open"},
	{has_no_close_range, "without close_range(2) it boots, and inherits nothing"},
	{may_have_no_process, "without a process to be had it is an error, with its reason"},
	{ends_what_is_stopped, "a timekeeper that is stopped can be ended"},
	{has_handlers, "the program's handlers run in the program's processes alone"},
	{is_an_ordinary_user, "an ordinary user's program cannot write through /proc"},
	{leaves_a_child, "a forked child that is left has its clock kept"},
};

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int said[2], status;
		char line[256] = "";
		pid_t child;

		if (pipe(said))
			return 1;
		fflush(stdout);
		child = fork();
		if (child == 0) {
			alarm(60);
			status = cases[i].run();
			if (status && write(said[1], found, strlen(found)) < 0)
				status = 2;
			_exit(status);
		}
		close(said[1]);
		waitpid(child, &status, 0);
		fcntl(said[0], F_SETFL, O_NONBLOCK);
		if (read(said[0], line, sizeof(line) - 1) < 0)
			line[0] = 0;
		close(said[0]);
		if (cases[i].run == gives_its_number_away && strstr(line, "clone3")) {
			ok(true, "%s # SKIP only root can choose a number: %s", cases[i].what,
			   line);
			continue;
		}
		if (!ok(status == 0, "%s", cases[i].what))
			but_got("status %#x: %s", status, line);
	}
	return done_testing();
}
