/*
 * filter.c - the filter of tests/programs/clock_filter.h, call by call.
 *
 * Each case is a child that goes under the filter and does one thing; how it ends is the
 * answer. seccomp.t runs real programs under the same filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#if !defined(__x86_64__)
int main(void)
{
	puts("1..0 # SKIP the filter is written for x86-64");
	return 0;
}
#else
#	include "../programs/clock_filter.h"
#	include "uvdso.h"

#	define LIVED    7 /* the exit status of a child that came to its end */
#	define NO_SUCH  8 /* this kernel does not know such calls */
#	define NOTHING  9 /* there is no filter */
#	define NO_ORDER 10
#	define FAILED   11 /* the call has failed, and that was all */
#	define CAUGHT   12 /* a handler of SIGSYS has run */
#	define REFUSED  13 /* the kernel does not take the filter */

static int (*gettime)(clockid_t, struct timespec *);
static const char *self;

/* Runs one case under the filter: how it ended, as waitpid(2) has it. */
static int end_of(int (*does)(void))
{
	struct rlimit no_core = {0, 0};
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		alarm(20);
		if (forbid_clock_calls())
			_exit(errno == EINVAL ? REFUSED : NOTHING);
		_exit(does());
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child > 0 ? status : -1;
}

static void tell_end(int status)
{
	if (WIFSIGNALED(status))
		but_got("killed by signal %d, %s", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == NO_ORDER)
		but_got("a time that is none");
	else if (WEXITSTATUS(status) == FAILED)
		but_got("the call has failed, and nobody has ended");
	else if (WEXITSTATUS(status) == CAUGHT)
		but_got("SIGSYS, which a handler has caught, and the program goes on");
	else if (WEXITSTATUS(status) == LIVED)
		but_got("it lives");
	else if (WEXITSTATUS(status) == REFUSED)
		but_got("the kernel has refused the filter: %s", strerror(EINVAL));
	else
		but_got("exit status %d", WEXITSTATUS(status));
}

static bool lives(int (*does)(void), const char *what)
{
	int status = end_of(does);
	bool lived = WIFEXITED(status) && WEXITSTATUS(status) == LIVED;

	if (!ok(lived, "%s", what)) {
		expected("it lives");
		tell_end(status);
	}
	return lived;
}

static bool dies(int (*does)(void), const char *what)
{
	int status = end_of(does);
	bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SUCH) {
		skip(1, "this kernel runs no 32-bit programs");
		return true;
	}
	if (!ok(died, "%s", what)) {
		expected("killed by signal %d, %s", SIGSYS, strsignal(SIGSYS));
		tell_end(status);
	}
	return died;
}

static int does_other_things(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), status = -1;
	struct timespec res;
	pid_t child;

	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) || syscall(SYS_getpid) != getpid() ||
	    syscall(SYS_clock_getres, CLOCK_MONOTONIC, &res))
		return 1;
	/* Of the clock, too, and none of the four. The first sets none: there is no such clock.
	 */
	syscall(SYS_clock_settime, 12345, &res);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){0, 1}, NULL);
	syscall(SYS_times, NULL);
	child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3)
		return 1;
	return LIVED;
}

static struct timespec now;

static int asks_clock_gettime(void)
{
	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) ? FAILED : LIVED;
}

static void goes_on(int signal)
{
	(void)signal;
	_exit(CAUGHT);
}

static int asks_with_a_handler(void)
{
	signal(SIGSYS, goes_on);
	return asks_clock_gettime();
}

static int asks_gettimeofday(void)
{
	syscall(SYS_gettimeofday, NULL, NULL);
	return LIVED;
}

static int asks_time(void)
{
	syscall(SYS_time, NULL);
	return LIVED;
}

static int asks_getcpu(void)
{
	syscall(SYS_getcpu, NULL, NULL, NULL);
	return LIVED;
}

/* One call of another machine, by its number there. */
struct foreign {
	int nr;
	const char *name;
};
static struct foreign foreign;

/* The gate of 32-bit programs, open to any. 13 is time(2) there, and rt_sigaction(2) here. */
static int asks_as_32_bit(void)
{
	int result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(foreign.nr), "b"(0), "c"(0), "d"(0)
			 : "memory");
	return result > 0 || foreign.nr != 13 ? LIVED : NO_SUCH;
}

static int asks_as_x32(void)
{
	syscall((long)(X32_BIT | (unsigned)foreign.nr), 0, NULL, NULL);
	return LIVED;
}

static void *thread(void *arg)
{
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return arg;
}

static int asks_in_a_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, thread, NULL))
		return 1;
	pthread_join(id, NULL);
	return LIVED;
}

static int asks_after_exec(void)
{
	execl(self, self, "ask", (char *)NULL);
	return 1;
}

static struct timespec before;

static int reads_the_vdso(void)
{
	struct timespec here;

	for (int i = 0; i < 1000; i++) {
		if (gettime(CLOCK_MONOTONIC, &here))
			return 1;
		if (here.tv_sec < before.tv_sec ||
		    (here.tv_sec == before.tv_sec && here.tv_nsec < before.tv_nsec))
			return NO_ORDER;
		before = here;
	}
	return LIVED;
}

static int wants_a_clock_that_it_has_not(void)
{
	gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return LIVED;
}

/* Each of them by itself; the first that is not the end is told. */
static bool die_all(const struct foreign *calls, size_t n, int (*does)(void), const char *what)
{
	for (size_t i = 0; i < n; i++) {
		int status;

		foreign = calls[i];
		status = end_of(does);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && i + 1 < n)
			continue;
		if (dies(does, what))
			return true;
		diag("the number is %d there, %s", foreign.nr, foreign.name);
		return false;
	}
	return true;
}

/* Each of the four by itself. If some of them are the end, the filter runs as far as that. */
static void test_calls(void)
{
	static const struct {
		int (*does)(void);
		const char *what;
	} calls[] = {
		{asks_clock_gettime, "clock_gettime(2) is the end"},
		{asks_gettimeofday, "gettimeofday(2) is the end"},
		{asks_time, "time(2) is the end"},
		{asks_getcpu, "getcpu(2) is the end"},
	};
	const size_t n = sizeof(calls) / sizeof(calls[0]);
	size_t ends = 0;

	for (size_t i = 0; i < n; i++)
		ends += WIFSIGNALED(end_of(calls[i].does));
	for (size_t i = 0; i < n; i++) {
		if (dies(calls[i].does, calls[i].what))
			continue;
		if (ends)
			because("others of the four are the end. Is the number of this one "
				"compared, and where does its jump go? A jump passes over as "
				"many instructions as its last two numbers say, the first if "
				"it is equal, the second if not");
		else if (i == 0 && WEXITSTATUS(end_of(calls[i].does)) == FAILED)
			because("hardly any program looks at what this call returns: it goes "
				"on with a wrong time, and nobody learns of it");
		else if (i == 0)
			because("this is the call that the vDSO is there to save");
	}
}

static void test_vdso(void)
{
	const char *what = "the vDSO is no system call: it tells the time";
	struct uvdso *vdso;
	char why[256];
	int status, tries = 100;

	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
		bail_out("%s", why);
	gettime = uvdso_symbol(vdso, "__vdso_clock_gettime", "LINUX_2.6");
	if (uvdso_why_no_counter(vdso)) {
		skip(1, "no usable counter here: our vDSO makes system calls");
	} else {
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
		/* On a busy machine the timekeeper may be late, and then the kernel is asked.
		 */
		while (WIFSIGNALED(status = end_of(reads_the_vdso)) && --tries > 0)
			usleep(10000);
		if (status == LIVED << 8)
			ok(true, "%s", what);
		else if (!lives(reads_the_vdso, what))
			because("a filter sees what enters the kernel, and a call of the vDSO "
				"does not");
	}
	if (!dies(wants_a_clock_that_it_has_not,
		  "where the vDSO asks the kernel, the filter sees it"))
		because("CPU time is in no data page, so the vDSO makes the system call "
			"itself. To a filter it is one like any other");
	uvdso_shutdown(vdso);
}

int main(int argc, char **argv)
{
	static const struct foreign i386[] = {{13, "time"},
					      {78, "gettimeofday"},
					      {265, "clock_gettime"},
					      {318, "getcpu"},
					      {403, "clock_gettime64"}};
	static const struct foreign x32[] = {{SYS_clock_gettime, "clock_gettime"},
					     {SYS_gettimeofday, "gettimeofday"},
					     {SYS_time, "time"},
					     {SYS_getcpu, "getcpu"}};

	if (argc > 1 && !strcmp(argv[1], "ask"))
		return asks_clock_gettime();
	self = argv[0];
	if (end_of(asks_after_exec) == NOTHING << 8) {
		puts("1..0 # SKIP seccomp filters are denied here");
		return 0;
	}
	if (end_of(does_other_things) == REFUSED << 8) {
		lives(does_other_things, "whoever asks for no clock is left alone");
		because("it checks every filter: each jump ends inside, the last instruction "
			"is a BPF_RET, and what is loaded is a whole word (BPF_W). A jump of 0 "
			"goes to the next instruction");
	} else if (!lives(does_other_things, "whoever asks for no clock is left alone"))
		because("a filter that forbids more than it must is switched off by the first "
			"user of the program that it breaks");
	test_calls();
	if (!dies(asks_with_a_handler, "a handler of SIGSYS does not save it"))
		because("SECCOMP_RET_TRAP is a signal that can be caught. Then the "
			"program itself decides what becomes of its call");
	if (!dies(asks_in_a_thread, "not the thread alone ends, but the process"))
		because("a process that has lost a thread hangs where it waits for it, and "
			"nobody learns why");
	if (!dies(asks_after_exec, "a program that is executed is under it, too"))
		because("a filter stays for good");
	if (!die_all(i386, sizeof(i386) / sizeof(i386[0]), asks_as_32_bit,
		     "the numbers of 32-bit programs are no way around"))
		because("int $0x80 enters the kernel from 64-bit code as well, and 13 is time "
			"there and another call here. A filter must look at the machine first");
	if (!die_all(x32, sizeof(x32) / sizeof(x32[0]), asks_as_x32,
		     "the numbers of x32 are no way around"))
		because("x32 has the machine of x86-64, and its numbers have bit 30 set: %#x "
			"is "
			"clock_gettime. (A kernel without x32 would say ENOSYS, but the filter "
			"comes first)",
			X32_BIT | SYS_clock_gettime);
	test_vdso();
	return done_testing();
}
#endif
