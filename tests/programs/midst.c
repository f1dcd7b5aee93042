/*
 * midst.c - a wait for a deadline, and what a program does in the middle of it.
 *
 *	midst plain		waits 0.2 s: "plain RESULT SECONDS"; its status is 7
 *	midst vfork		the child becomes another program, and waits
 *	midst vfork-waits	the child waits in its parent's memory
 *	midst forks		twenty children wait, while a thread of the parent does
 *	midst thread-exec	a thread becomes another program, while others wait
 *	midst filter		under a filter of its own, which denies clock_gettime(2)
 *	midst timers		what is left of timers: in tenths of what they were set to
 *	midst many-timers	waits for the first of 1501 timers
 *	midst alarms		what alarm(2) says was left, and how long it took
 *	midst alarm-left	likewise, of one that was set before
 *	midst left		what is left of a sleep and of a select(2), when SIGUSR1 and
 *				SIGUSR2 come: "CALL INTERRUPTED SECONDS LEFT", in seconds
 *	midst ticks		what there is to be read of a timer that has expired, when
 *				SIGUSR1 comes
 *	midst closed		closes its memory to others, asks the time: "closed ERROR"
 *	midst set		sets the clock to 2 000 000 000, and an hour on
 *	midst set-while		a child sets the clock past what its parent waits for
 *	midst set-groups	a member of 500 groups sets the clock
 *	midst set-thread	... while a thread waits for a timer; the first has ended
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS  10
#define CHILDREN 20
#define FOR_EVER 100000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double begun;

static int wait_until(long ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
}

static void pause_ms(long ms)
{
	struct timespec ts = {0, ms * 1000000};

	nanosleep(&ts, NULL);
}

static void become_plain(void)
{
	execl("/proc/self/exe", "midst", "plain", NULL);
	_exit(9);
}

static void *wait_for_ever(void *unused)
{
	wait_until(FOR_EVER);
	return unused;
}

static void *become_another(void *unused)
{
	pause_ms(50);
	become_plain();
	return unused;
}

static int status_of(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int plain(void)
{
	return printf("%d", wait_until(200)) < 0;
}

static int with_vfork(void)
{
	pid_t child = vfork();

	if (child == 0)
		become_plain();
	return printf("%d", status_of(child)) < 0;
}

static int waits_in_vfork(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(wait_until(200));
	return printf("%d", status_of(child)) < 0;
}

static int forks(void)
{
	pid_t child[CHILDREN];
	pthread_t thread;
	int bad = 0;

	pthread_create(&thread, NULL, wait_for_ever, NULL);
	pause_ms(20);
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		if (child[i] == 0)
			_exit(wait_until(200));
	}
	for (int i = 0; i < CHILDREN; i++)
		bad += status_of(child[i]) != 0;
	return printf("%d", bad) < 0;
}

static int thread_exec(void)
{
	pthread_t thread;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	pthread_create(&thread, NULL, become_another, NULL);
	return wait_until(FOR_EVER);
}

static int filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct timespec ts;
	int err;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	err = syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) ? errno : 0;
	return printf("%s %d", err == EAGAIN ? "EAGAIN" : "not filtered", wait_until(200)) < 0;
}

/* Hours go by the tenth, so that it does not matter how long a call takes. */
#define TIMER_S 90000

static void show_left(const char *what, const struct itimerspec *left)
{
	printf("%s %.0f %.0f, ", what, (double)left->it_value.tv_sec / (TIMER_S / 10),
	       (double)left->it_interval.tv_sec / (TIMER_S / 10));
}

static int timers(void)
{
	const struct itimerspec length = {{TIMER_S / 10, 0}, {TIMER_S, 0}};
	struct itimerspec moment = length, left;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	timerfd_settime(fd, 0, &length, NULL);
	timerfd_gettime(fd, &left);
	show_left("length", &left);
	clock_gettime(CLOCK_REALTIME, &moment.it_value);
	moment.it_value.tv_sec += TIMER_S;
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &moment, &left);
	show_left("was", &left);
	timerfd_gettime(fd, &left);
	show_left("moment", &left);
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &moment, &left);
	show_left("was", &left);
	if (timer_create(CLOCK_REALTIME, &none, &timer))
		return 1;
	timer_settime(timer, 0, &length, NULL);
	timer_gettime(timer, &left);
	show_left("length", &left);
	timer_settime(timer, TIMER_ABSTIME, &moment, &left);
	show_left("was", &left);
	return 0;
}

/* What /proc says of so many fills a hundred KiB, and of the first one it comes last. */
static int many_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	const struct timespec most = {10, 0};
	struct itimerspec moment = {.it_interval = {0, 0}};
	timer_t first, timer;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	timer_create(CLOCK_REALTIME, &event, &first);
	event.sigev_notify = SIGEV_NONE;
	for (int i = 0; i < 1500; i++)
		if (timer_create(CLOCK_REALTIME, &event, &timer))
			return 1;
	clock_gettime(CLOCK_REALTIME, &moment.it_value);
	moment.it_value.tv_nsec += 300000000;
	moment.it_value.tv_sec += moment.it_value.tv_nsec / 1000000000;
	moment.it_value.tv_nsec %= 1000000000;
	timer_settime(first, TIMER_ABSTIME, &moment, NULL);
	return printf("%d", sigtimedwait(&set, NULL, &most) < 0 ? errno : 0) < 0;
}

static void wake_up(int signal)
{
	(void)signal;
}

/* What was left of the one before, each time; and one goes on in the next program. */
static int alarms(void)
{
	const struct itimerval two = {.it_value.tv_sec = 2};
	const struct timespec some = {0, 200000000};

	signal(SIGALRM, wake_up);
	printf("%u ", alarm(3));
	printf("%u ", alarm(4));
	pause();
	printf("%.1f ", now() - begun);
	printf("%u ", alarm(0));
	setitimer(ITIMER_REAL, &two, NULL);
	nanosleep(&some, NULL);
	printf("%u ", alarm(9));
	execl("/proc/self/exe", "midst", "alarm-left", NULL);
	return 1;
}

static int alarm_left(void)
{
	return printf("%u", alarm(0)) < 0;
}

static int left(void)
{
	struct sigaction action = {.sa_handler = wake_up};
	struct timespec length = {600, 0}, rest = {0, 0};
	struct timeval more = {600, 0};
	double before = now();
	int interrupted;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	puts("ready");
	interrupted = clock_nanosleep(CLOCK_MONOTONIC, 0, &length, &rest) == EINTR;
	printf("sleep %d %.1f %.1f\n", interrupted, now() - before,
	       (double)rest.tv_sec + (double)rest.tv_nsec / 1e9);
	/* Some may be on their way still. */
	signal(SIGUSR1, SIG_IGN);
	before = now();
	interrupted = select(0, NULL, NULL, NULL, &more) < 0 && errno == EINTR;
	printf("select %d %.1f %.1f\n", interrupted, now() - before,
	       (double)more.tv_sec + (double)more.tv_usec / 1e6);
	return 0;
}

static int ticks(void)
{
	struct itimerspec moment = {.it_interval = {FOR_EVER, 0}};
	struct pollfd event = {timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), POLLIN, 0};
	uint64_t got = 0;
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	clock_gettime(CLOCK_REALTIME, &moment.it_value);
	timerfd_settime(event.fd, TFD_TIMER_ABSTIME, &moment, NULL);
	poll(&event, 1, -1);
	puts("ready");
	sigwait(&set, &signal);
	return read(event.fd, &got, sizeof(got)) < 0 || printf("%d", (int)got) < 0;
}

static int closed(void)
{
	struct timespec ts;

	prctl(PR_SET_DUMPABLE, 0);
	return printf("%d", syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) ? errno : 0) < 0;
}

static int set(void)
{
	struct timespec to = {2000000000, 0}, shown, told;
	struct timex on = {.modes = ADJ_SETOFFSET, .time.tv_sec = 3600};
	int err = clock_settime(CLOCK_REALTIME, &to) ? errno : 0;

	clock_gettime(CLOCK_REALTIME, &shown);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &told);
	printf("%d %lld %lld", err, (long long)shown.tv_sec - to.tv_sec,
	       (long long)told.tv_sec - to.tv_sec);
	err = adjtimex(&on) < 0 ? errno : 0;
	/* Further than any clock goes, which a product of 64 bits would not show. */
	if (adjtimex(&(struct timex){.modes = ADJ_SETOFFSET, .time = {36893488147ll, 0}}) >= 0)
		return 1;
	clock_gettime(CLOCK_REALTIME, &shown);
	printf(" %d %lld %d", err, (long long)shown.tv_sec - to.tv_sec, wait_until(200));
	return 0;
}

static int timerfd;

static void *wait_for_timer(void *unused)
{
	uint64_t ticks;

	printf("%d", read(timerfd, &ticks, sizeof(ticks)) == sizeof(ticks) ? 0 : errno);
	printf(" %.3f\n", now() - begun);
	exit(0);
	return unused;
}

/*
 * A child sets the clock while a thread waits and the first thread has ended; except where the
 * kernel lets a tracer have the descriptors of a first thread only (before Linux 6.9).
 */
static int timer_of_thread(void)
{
	struct itimerspec moment = {.it_value = {0, 0}};
	pthread_t thread;

	timerfd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	clock_gettime(CLOCK_REALTIME, &moment.it_value);
	moment.it_value.tv_sec += 10;
	timerfd_settime(timerfd, TFD_TIMER_ABSTIME, &moment, NULL);
	if (fork() == 0) {
		struct timespec ts;

		close(timerfd);
		pause_ms(100);
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec += 1000;
		_exit(clock_settime(CLOCK_REALTIME, &ts) ? errno : 0);
	}
	pthread_create(&thread, NULL, wait_for_timer, NULL);
	if (syscall(SYS_pidfd_open, getpid(), O_EXCL) < 0)
		pthread_join(thread, NULL);
	pthread_exit(NULL);
}

/* Its status in /proc is long then: what it may do stands after them. */
static int set_with_groups(void)
{
	static gid_t group[500];
	const struct timespec to = {2000000000, 0};

	for (unsigned i = 0; i < sizeof(group) / sizeof(group[0]); i++)
		group[i] = 1000000000 + i;
	if (setgroups(sizeof(group) / sizeof(group[0]), group))
		return 1;
	return printf("%d", clock_settime(CLOCK_REALTIME, &to) ? errno : 0) < 0;
}

static int set_while(void)
{
	pid_t child = fork();
	struct timespec ts;

	if (child == 0) {
		pause_ms(100);
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec += 1000;
		_exit(clock_settime(CLOCK_REALTIME, &ts) ? errno : 0);
	}
	printf("%d", wait_until(10000));
	printf(" %d", status_of(child));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
	int status;
} all[] = {
	{"plain", plain, 7},
	{"vfork", with_vfork, 0},
	{"vfork-waits", waits_in_vfork, 0},
	{"forks", forks, 0},
	{"thread-exec", thread_exec, 0},
	{"filter", filter, 0},
	{"timers", timers, 0},
	{"many-timers", many_timers, 0},
	{"alarms", alarms, 0},
	{"alarm-left", alarm_left, 0},
	{"left", left, 0},
	{"ticks", ticks, 0},
	{"closed", closed, 0},
	{"set", set, 0},
	{"set-while", set_while, 0},
	{"set-groups", set_with_groups, 0},
	{"set-thread", timer_of_thread, 0},
};

int main(int argc, char **argv)
{
	begun = now();
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(argv[1], all[i].name))
			continue;
		printf("%s ", all[i].name);
		if (all[i].run())
			return 1;
		printf(" %.3f\n", now() - begun);
		return all[i].status;
	}
	return 2;
}
