/*
 * asks.c - asks the kernel for what the vDSO answers: a number of system calls that is known.
 *
 *	asks HOW [N]
 *
 * work() makes N system calls of each kind by itself, and N that any vDSO has to make, for a
 * clock that it does not keep. HOW says who works: this process, threads, children, ...
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *self;
static int count = 1;

static void work(void)
{
	struct timespec now;
	struct timeval tv;
	unsigned cpu;
	char byte;

	for (int i = 0; i < count; i++) {
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		syscall(SYS_clock_getres, CLOCK_MONOTONIC, &now);
		syscall(SYS_gettimeofday, &tv, NULL);
#ifdef SYS_time
		syscall(SYS_time, NULL);
#endif
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		syscall(SYS_getrandom, &byte, 1, 0);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	}
}

static void *work_in_thread(void *arg)
{
	work();
	return arg;
}

static void *end_at_once(void *arg)
{
	return arg;
}

static void *wait_for_ever(void *arg)
{
	pause();
	return arg;
}

static void threads(void)
{
	pthread_t thread[100];

	for (size_t i = 0; i < 100; i++)
		if (pthread_create(&thread[i], NULL, work_in_thread, NULL))
			_exit(2);
	for (size_t i = 0; i < 100; i++)
		pthread_join(thread[i], NULL);
}

/* They end with the process, in the middle of what they do. */
static void leaves_threads(void)
{
	pthread_t thread;

	for (size_t i = 0; i < 50; i++)
		if (pthread_create(&thread, NULL, wait_for_ever, NULL))
			_exit(2);
	work();
}

/* The first thread ends before the others: the process does with the last. */
static void first_ends(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work_in_thread, NULL))
		_exit(2);
	work();
	pthread_exit(NULL);
}

/* Ends of 100 threads, one after the other, of a program with memory of its own. */
static void thread_ends(void)
{
	size_t size = 128 << 20;
	char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(2);
	memset(memory, 1, size);
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		int err = pthread_create(&thread, NULL, end_at_once, NULL);

		if (err)
			_exit(2);
		pthread_join(thread, NULL);
	}
}

static void forks(void)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0) {
			work();
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	work();
}

static void vforks(void)
{
	for (int i = 0; i < 5; i++)
		if (vfork() == 0) {
			work();
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	work();
}

/* Children without a signal, and one with our memory: threads in all but name. */
static int clone_child(void *arg)
{
	(void)arg;
	work();
	return 0;
}

static void clones(void)
{
	static char stack[2][65536] __attribute__((aligned(16)));

	clone(clone_child, stack[0] + sizeof(stack[0]), CLONE_VM | SIGCHLD, NULL);
	clone(clone_child, stack[1] + sizeof(stack[1]), 0, NULL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	work();
}

/* Another program from another thread than the first. */
static void *exec_in_thread(void *arg)
{
	char number[16];

	(void)arg;
	work();
	snprintf(number, sizeof(number), "%d", count);
	execl("/no/such/program", "asks", NULL);
	execl(self, self, "work", number, NULL);
	_exit(2);
}

static void thread_execs(void)
{
	pthread_t thread[2];

	work();
	if (pthread_create(&thread[0], NULL, wait_for_ever, NULL) ||
	    pthread_create(&thread[1], NULL, exec_in_thread, NULL))
		_exit(2);
	for (;;)
		pause();
}

/* Another program after more failures than a search is made for. */
static void tries(void)
{
	for (int i = 0; i < count; i++)
		execl("/no/such/program", "asks", NULL);
	execl(self, self, "nothing", NULL);
	_exit(2);
}

/* A thread of a child has ended, and its parent; the child goes on. */
static void stays(void)
{
	pthread_t thread;

	if (fork())
		_exit(0);
	if (pthread_create(&thread, NULL, end_at_once, NULL))
		_exit(2);
	pthread_join(thread, NULL);
	if (write(1, "stays\n", 6) == 6)
		pause();
}

static void killed(void)
{
	work();
	kill(getpid(), SIGKILL);
}

static void daemonises(void)
{
	if (fork())
		_exit(0);
	setsid();
	if (fork())
		_exit(0);
	usleep(50000);
	work();
}

/*
 * A filter of its own, which leaves two calls to a tracer that it does not have: they fail,
 * with ENOSYS.
 */
static void filters(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct timeval tv;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		_exit(2);
	for (int i = 0; i < count; i++)
		if (syscall(SYS_gettimeofday, &tv, NULL) != -1 || errno != ENOSYS ||
		    syscall(SYS_getppid) != -1 || errno != ENOSYS)
			_exit(3);
}

/* By the C library: answered without the kernel, if there is a counter. */
static void library(void)
{
	struct timespec now;
	struct timeval tv;

	for (int i = 0; i < count; i++) {
		clock_gettime(CLOCK_REALTIME, &now);
		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
		gettimeofday(&tv, NULL);
	}
}

/* More different clocks than a table has lines. */
static void clocks(void)
{
	struct timespec now;

	for (int i = 0; i < 100; i++)
		syscall(SYS_clock_gettime, 1000 + i, &now);
	work();
}

static void no_such_numbers(int signal)
{
	_exit(signal == SIGSEGV ? 3 : 2);
}

/* A call in i386's numbering, where the number of clock_gettime is that of fsetxattr. */
static void other_numbers(void)
{
	signal(SIGSEGV, no_such_numbers);
#ifdef __x86_64__
	long result = SYS_clock_gettime;

	__asm__ volatile("int $0x80" : "+a"(result) : "b"(-1), "c"(0), "d"(0) : "memory");
#else
	no_such_numbers(SIGSEGV);
#endif
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*how)(void);
} ways[] = {
	{"nothing", nothing},       {"work", work},
	{"threads", threads},       {"leaves-threads", leaves_threads},
	{"first-ends", first_ends}, {"thread-ends", thread_ends},
	{"forks", forks},           {"vforks", vforks},
	{"clones", clones},         {"thread-execs", thread_execs},
	{"stays", stays},           {"killed", killed},
	{"tries", tries},           {"daemonises", daemonises},
	{"filters", filters},       {"library", library},
	{"clocks", clocks},         {"other-numbers", other_numbers},
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 2)
		count = atoi(argv[2]);
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].how();
			return 0;
		}
	fprintf(stderr, "usage: asks HOW [N]\n");
	return 2;
}
