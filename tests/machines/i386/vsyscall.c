/*
 * vsyscall.c - __kernel_vsyscall of our vDSO, which glibc makes its system calls through.
 *
 * To be run on the vDSO. glibc has taken AT_SYSINFO from the vector before main(), so that
 * this very program stands on what it tests (but from 2.41 on glibc makes those that are
 * cancellation points, such as read(), by an instruction of its own). Here the corners are
 * looked at one by one:
 * the sixth argument, the registers that must survive, children that share the stack, and
 * system calls that a signal interrupts while the process stands in our vDSO.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "i386.h"

#define PATIENCE 20

/* What glibc calls: `call *%gs:0x10`. */
static uintptr_t called_by_glibc(void)
{
	uintptr_t address;

	__asm__("mov %%gs:0x10, %0" : "=r"(address));
	return address;
}

static void test_address(void)
{
	uintptr_t ours = function("__kernel_vsyscall");

	is(getauxval(AT_SYSINFO), ours, "AT_SYSINFO is the vDSO's __kernel_vsyscall");
	is(called_by_glibc(), ours, "glibc has it where it calls it from");
}

/* Of the three that a thread can have: the first, whatever the loader had used before. */
static void test_thread_block(void)
{
	unsigned short gs;

	__asm__("mov %%gs, %0" : "=r"(gs));
	if (!ok(gs >> 3 == 12 || gs >> 3 == 6,
		"glibc has got the first of the segments for thread blocks"))
		diag("it has entry %d, 12 is the first, 6 under a 32-bit kernel: the others "
		     "are taken",
		     gs >> 3);
}

/* Number and arguments in, all registers out. */
struct registers {
	long eax, ebx, ecx, edx, esi, edi, ebp, esp_before, esp_after;
};
void call_through(uintptr_t vsyscall, struct registers *r);
__asm__("	.text\n"
	"call_through:\n"
	"	push	%ebp\n"
	"	push	%ebx\n"
	"	push	%esi\n"
	"	push	%edi\n"
	"	mov	20(%esp), %eax\n"
	"	push	24(%esp)\n" /* r */
	"	push	%eax\n"     /* vsyscall */
	"	mov	4(%esp), %eax\n"
	"	mov	%esp, 28(%eax)\n"
	"	mov	4(%eax), %ebx\n"
	"	mov	8(%eax), %ecx\n"
	"	mov	12(%eax), %edx\n"
	"	mov	16(%eax), %esi\n"
	"	mov	20(%eax), %edi\n"
	"	mov	24(%eax), %ebp\n"
	"	mov	(%eax), %eax\n"
	"	call	*(%esp)\n"
	"	push	%ebp\n" /* the one register that is needed: r is at 8(%esp) now */
	"	mov	8(%esp), %ebp\n"
	"	mov	%eax, (%ebp)\n"
	"	mov	%ebx, 4(%ebp)\n"
	"	mov	%ecx, 8(%ebp)\n"
	"	mov	%edx, 12(%ebp)\n"
	"	mov	%esi, 16(%ebp)\n"
	"	mov	%edi, 20(%ebp)\n"
	"	pop	24(%ebp)\n"
	"	mov	%esp, 32(%ebp)\n"
	"	add	$8, %esp\n"
	"	pop	%edi\n"
	"	pop	%esi\n"
	"	pop	%ebx\n"
	"	pop	%ebp\n"
	"	ret\n");

static void test_six_arguments(void)
{
	int fd = memfd_create("six", MFD_CLOEXEC);
	struct registers r = {.eax = SYS_mmap2,
			      .ecx = 4096,
			      .edx = PROT_READ,
			      .esi = MAP_PRIVATE,
			      .edi = fd,
			      .ebp = 2}; /* pages into the file */
	const char *map;

	if (pwrite(fd, "sixth", 6, 2 * 4096) != 6 || ftruncate(fd, 3 * 4096))
		bail_out("memfd");
	call_through(function("__kernel_vsyscall"), &r);
	map = (const char *)r.eax;
	if (!ok((unsigned long)r.eax < -4096ul && !strcmp(map, "sixth"),
		"the sixth argument arrives: mmap2(2) maps the page that was meant"))
		diag("mmap2 returned %ld", r.eax);
	close(fd);
}

static void test_registers(void)
{
	struct registers want = {SYS_getpid, 0x1b1b1b1b, 0x1c1c1c1c, 0x1d1d1d1d, 0x15151515,
				 0x1d1d1d1e, 0x1b1b1b1c, 0,          0};
	struct registers r = want;

	call_through(function("__kernel_vsyscall"), &r);
	is(r.eax, getpid(), "the result is in eax");
	if (!ok(!memcmp(&r.ebx, &want.ebx, 6 * sizeof(long)),
		"every other register is as it was"))
		diag("ebx %lx ecx %lx edx %lx esi %lx edi %lx ebp %lx: a C library keeps its "
		     "variables there",
		     r.ebx, r.ecx, r.edx, r.esi, r.edi, r.ebp);
	is(r.esp_before, r.esp_after, "the stack pointer is as it was");
}

static void *nothing(void *arg)
{
	return arg;
}

static void test_children(void)
{
	char *const argv[] = {"child", "and nothing else", NULL};
	int status = -1, here = 0;
	pthread_t thread;
	void *result = NULL;
	pid_t pid = vfork();

	if (pid == 0)
		_exit(7);
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7,
	   "vfork(2): the child ends, and the parent goes on where it was");
	pid = fork();
	if (pid == 0)
		_exit(8);
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 8,
	   "fork(2)");
	ok(!posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) &&
		   waitpid(pid, &status, 0) == pid && status == 0,
	   "posix_spawn(3) starts a program");
	ok(!pthread_create(&thread, NULL, nothing, &here) && !pthread_join(thread, &result) &&
		   result == &here,
	   "clone(2): a thread comes and goes");
}

/* Interrupts: where did the process stand, and does the call go on? */
static volatile uintptr_t interrupted_at;
static int pipe_fds[2];

static void on_alarm(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	ssize_t written;

	(void)signal;
	(void)info;
	interrupted_at = (uintptr_t)uc->uc_mcontext.gregs[REG_EIP];
	written = write(pipe_fds[1], "x", 1);
	(void)written;
}

static void interrupt_read(int flags, long *result)
{
	struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | flags};
	struct timespec wait = {0, 50000000};
	struct itimerspec soon = {.it_value = wait};
	timer_t timer;
	struct registers r = {.eax = SYS_read, .edx = 1};
	char byte;

	sigaction(SIGALRM, &action, NULL);
	if (pipe(pipe_fds) || timer_create(CLOCK_MONOTONIC, NULL, &timer))
		bail_out("pipe, timer_create");
	interrupted_at = 0;
	r.ebx = pipe_fds[0];
	r.ecx = (long)&byte;
	timer_settime(timer, 0, &soon, NULL);
	call_through(function("__kernel_vsyscall"), &r);
	*result = r.eax;
	timer_delete(timer);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void test_restart(void)
{
	uintptr_t int80 = function("__kernel_vsyscall");
	long result;

	interrupt_read(SA_RESTART, &result);
	is(result, 1, "an interrupted read(2) is made again after the handler (SA_RESTART)");
	is(interrupted_at, int80,
	   "... because the kernel put the process back to the instruction of our vDSO");
	interrupt_read(0, &result);
	is(result, -EINTR, "without SA_RESTART it fails with EINTR");
	is(interrupted_at, int80 + 2, "... and the process stood behind the instruction");
}

/* A sleep has no argument that says how long is left: it is restarted by a call of its own. */
static void test_restart_sleep(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		struct timespec time = {0, 300000000}, before, after;
		int err;

		clock_gettime(CLOCK_MONOTONIC, &before);
		err = nanosleep(&time, NULL);
		clock_gettime(CLOCK_MONOTONIC, &after);
		_exit(err ? 1
		      : after.tv_sec == before.tv_sec &&
				      after.tv_nsec - before.tv_nsec < 300000000
			      ? 2
			      : 0);
	}
	usleep(50000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	if (!ok(waitpid(pid, &status, 0) == pid && status == 0,
		"nanosleep(2), stopped and continued, sleeps for what is left"))
		diag("wait status %#x: 0x100 is an error, 0x200 too short a sleep", status);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0; /* what posix_spawn(3) started */
	alarm(PATIENCE);
	test_address();
	test_thread_block();
	test_six_arguments();
	test_registers();
	test_children();
	alarm(0);
	test_restart();
	test_restart_sleep();
	return done_testing();
}
