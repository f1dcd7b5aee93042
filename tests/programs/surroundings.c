/*
 * surroundings.c - puts everything that execve(2) keeps into an unusual state, and what it
 * resets as well, and becomes another program: surroundings DIR PROGRAM ARG...
 *
 * What this user may not do stays as it was; it does so each time.
 */
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int sig)
{
	(void)sig;
}

static void set_signals(void)
{
	static char stack[65536];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK};
	sigset_t mask;

	sigaltstack(&alternate, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGRTMIN + 3, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGRTMIN + 9, SIG_IGN);

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGRTMIN + 1);
	sigprocmask(SIG_SETMASK, &mask, NULL);

	/* Of the process, and of the thread. */
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 71});
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 72});
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 73});
	syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2);
}

static void set_timers(void)
{
	struct itimerval hour = {.it_interval.tv_sec = 7200, .it_value.tv_sec = 3600};
	struct itimerspec spec = {.it_value.tv_sec = 3600};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	timer_t timer;

	for (int which = 0; which < 3; which++)
		setitimer(which, &hour, NULL);
	if (!timer_create(CLOCK_MONOTONIC, &event, &timer))
		timer_settime(timer, 0, &spec, NULL);
}

/* One of them has ended, and waits to be asked for. */
static void make_children(void)
{
	siginfo_t info;
	pid_t ended = fork();

	if (ended == 0)
		_exit(37);
	waitid(P_PID, (id_t)ended, &info, WEXITED | WNOWAIT);
}

static int set_descriptors(const char *dir)
{
	struct flock record = {.l_type = F_WRLCK, .l_start = 3, .l_len = 5};
	struct flock open_file = {.l_type = F_WRLCK, .l_start = 20, .l_len = 5};
	int fd, moved;

	if (chdir(dir))
		return -1;
	fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0600);
	moved = fcntl(fd, F_DUPFD, 17);
	if (moved < 0 || ftruncate(fd, 100))
		return -1;
	close(fd);
	lseek(moved, 42, SEEK_SET);
	/* The last close(2) of the file by this process would be the record lock's end. */
	if (fcntl(moved, F_SETLK, &record) || fcntl(moved, F_OFD_SETLK, &open_file))
		return -1;
	fd = open("other", O_RDWR | O_CREAT | O_NONBLOCK, 0600);
	if (fcntl(fd, F_DUPFD, 21) < 0 || flock(fd, LOCK_SH))
		return -1;
	close(fd);
	fd = open("other", O_RDONLY | O_CLOEXEC);
	return fcntl(fd, F_DUPFD_CLOEXEC, 30) < 0 ? -1 : 0;
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void limit(int resource, rlim_t soft)
{
	struct rlimit limits;

	getrlimit((__rlimit_resource_t)resource, &limits);
	if (limits.rlim_max < soft)
		soft = limits.rlim_max;
	limits.rlim_cur = soft;
	setrlimit((__rlimit_resource_t)resource, &limits);
}

static void set_process(void)
{
	cpu_set_t cpus;
	int first = 0;

	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	prctl(PR_SET_NAME, "a-name-of-before");
	prctl(PR_SET_TIMERSLACK, 123456);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_KEEPCAPS, 1);
	prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0);
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	if (nice(3) < 0)
		return;
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &cpus))
		first++;
	CPU_ZERO(&cpus);
	CPU_SET(first, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	write_to("/proc/self/coredump_filter", "0x7");
	write_to("/proc/self/oom_score_adj", "321");
	limit(RLIMIT_CORE, 12345);
	limit(RLIMIT_NOFILE, 333);
	limit(RLIMIT_SIGPENDING, 777);
	limit(RLIMIT_MEMLOCK, 65536);
	limit(RLIMIT_MSGQUEUE, 4321);
	umask(037);
}

int main(int argc, char **argv)
{
	if (argc < 3 || set_descriptors(argv[1])) {
		perror("surroundings");
		return 99;
	}
	set_process();
	make_children();
	set_timers();
	set_signals();
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 98;
}
