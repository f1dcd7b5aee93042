/*
 * timers.c - a timer of timer_create(2) that is to expire in an hour of REALTIME, and what its
 * process does meanwhile.
 *
 *	timers		"ready", and for each thing that a process may be doing a line when that
 *			ends: "CALL RESULT EXPIRED", how often the timer has expired by then
 *
 * Each is a process of its own. "sleep" and "filter" end by themselves after two seconds of
 * MONOTONIC, the others by the timer. Ends after 30 s by the alarm of the machine's clock.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t expired;

static void count(int signal)
{
	(void)signal;
	expired++;
}

static const char *result_of(long result)
{
	return result >= 0 ? "done" : errno == EINTR ? "EINTR" : strerror(errno);
}

static const char *in_pause(void)
{
	return result_of(pause());
}

static const char *in_poll(void)
{
	return result_of(poll(NULL, 0, 20000));
}

static const char *in_sigsuspend(void)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &before);
	return result_of(sigsuspend(&before));
}

static const char *in_epoll(void)
{
	struct epoll_event event;

	return result_of(epoll_wait(epoll_create1(0), &event, 1, -1));
}

static const char *in_msgrcv(void)
{
	struct {
		long type;
		char text[1];
	} message;
	int queue = msgget(IPC_PRIVATE, 0600);
	const char *result = result_of(msgrcv(queue, &message, 1, 0, 0));

	msgctl(queue, IPC_RMID, NULL);
	return result;
}

static const char *in_sigwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return result_of(sigwaitinfo(&set, NULL));
}

static const char *in_read(void)
{
	int pipes[2];
	char byte;

	return result_of(pipe(pipes) ? -1 : read(pipes[0], &byte, 1));
}

/* No system call at all. */
static const char *in_loop(void)
{
	while (!expired)
		;
	return "done";
}

static const char *in_sleep(void)
{
	struct timespec before, after;
	const struct timespec two = {2, 0};
	static char text[32];

	clock_gettime(CLOCK_MONOTONIC, &before);
	syscall(SYS_nanosleep, &two, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	snprintf(text, sizeof(text), "%.1f",
		 (double)(after.tv_sec - before.tv_sec) +
			 (double)(after.tv_nsec - before.tv_nsec) / 1e9);
	return text;
}

/* Calls that it never makes are deadly to it. */
static const char *in_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timer_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	return in_sleep();
}

/* A child of vfork(2) keeps it from stopping, and ends by itself. */
static const char *in_vfork(void)
{
	pid_t child = vfork();
	int status;

	if (child == 0) {
		const struct timespec one = {1, 0};

		syscall(SYS_nanosleep, &one, NULL);
		_exit(0);
	}
	return result_of(waitpid(child, &status, 0) == child ? pause() : 0);
}

static void start(const char *name, const char *(*wait)(void), int interval)
{
	const struct sigaction action = {.sa_handler = count};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct itimerspec set = {.it_interval.tv_sec = interval};
	const char *result;
	timer_t timer;

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(30);
	sigaction(SIGRTMIN, &action, NULL);
	timer_create(CLOCK_REALTIME, &event, &timer);
	clock_gettime(CLOCK_REALTIME, &set.it_value);
	set.it_value.tv_sec += 3600;
	timer_settime(timer, TIMER_ABSTIME, &set, NULL);
	result = wait();
	printf("%s %s %d\n", name, result, (int)expired);
	exit(0);
}

int main(void)
{
	static const struct {
		const char *name;
		const char *(*wait)(void);
		int interval;
	} kinds[] = {
		{"pause", in_pause, 7200},  {"poll", in_poll, 0},
		{"epoll", in_epoll, 0},     {"msgrcv", in_msgrcv, 0},
		{"sigwait", in_sigwait, 0}, {"sigsuspend", in_sigsuspend, 0},
		{"read", in_read, 0},       {"loop", in_loop, 0},
		{"sleep", in_sleep, 0},     {"vfork", in_vfork, 0},
		{"filter", in_filter, 0},
	};

	setlinebuf(stdout);
	alarm(30);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		start(kinds[i].name, kinds[i].wait, kinds[i].interval);
	/* Long enough for all of them to wait. */
	usleep(300000);
	puts("ready");
	while (wait(NULL) > 0)
		;
	return 0;
}
