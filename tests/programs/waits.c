/*
 * waits.c - every system call that names a time, in the way of the C library and by itself.
 *
 *	waits [MS]		each wait for a deadline MS milliseconds from now, in a thread
 *				of its own: "CALL WHAT-IT-SAID SECONDS" for each
 *	waits lengths MS	each wait for a length of time, in the same way
 *	waits clocks		what each way of asking for a clock shows, beside the vDSO's:
 *				"CALL CLOCK ok", or the difference in seconds
 *	waits errors		what each says of a bad pointer and of a bad time, "CALL EFAULT"
 *	waits many THREADS MS	so many threads that wait at once: how many were early, how
 *				many late
 *	waits signals MS	a wait in which signals come: "handled EINTR", "ignored SECONDS"
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* Not every C library comes with the kernel's headers. */
enum {
	FUTEX_LOCK_PI = 6,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAIT_REQUEUE_PI = 11,
	FUTEX_LOCK_PI2 = 13,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_CLOCK_REALTIME = 256,
};

#ifndef SYS_futex_waitv
#	define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#	define SYS_futex_wait 455
#endif

static long ms = 200;

static const char *name_of(int err)
{
	static char number[32];

	switch (err) {
	case 0:
		return "0";
	case EAGAIN:
		return "EAGAIN";
	case EFAULT:
		return "EFAULT";
	case EINTR:
		return "EINTR";
	case EINVAL:
		return "EINVAL";
	case ENOSYS:
		return "ENOSYS";
	case EPERM:
		return "EPERM";
	case ETIMEDOUT:
		return "ETIMEDOUT";
	default:
		snprintf(number, sizeof(number), "%d", err);
		return number;
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct timespec deadline(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

/* A number that the kernel takes for a time of 64 bits, whatever the C library does. */
struct time64 {
	int64_t sec, nsec;
};

static struct time64 deadline64(clockid_t clock)
{
	struct timespec ts = deadline(clock);

	return (struct time64){ts.tv_sec, ts.tv_nsec};
}

/* ---- each returns an error number -------------------------------------------------- */

static int of(long result)
{
	return result < 0 ? errno : 0;
}

static int cond(clockid_t clock)
{
	pthread_condattr_t attr;
	pthread_cond_t condition;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct timespec until;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, clock);
	pthread_cond_init(&condition, &attr);
	until = deadline(clock);
	pthread_mutex_lock(&mutex);
	return pthread_cond_timedwait(&condition, &mutex, &until);
}

static int semaphore(clockid_t clock)
{
	struct timespec until = deadline(clock);
	sem_t sem;

	sem_init(&sem, 0, 0);
	return of(sem_timedwait(&sem, &until));
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER, held_pi;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER;

static int mutex(clockid_t clock)
{
	struct timespec until = deadline(clock);

	return pthread_mutex_timedlock(&held, &until);
}

static int mutex_pi(clockid_t clock)
{
	struct timespec until = deadline(clock);

	return pthread_mutex_timedlock(&held_pi, &until);
}

static int rwlock(clockid_t clock)
{
	struct timespec until = deadline(clock);

	return pthread_rwlock_timedrdlock(&written, &until);
}

static int nanosleep_until(clockid_t clock)
{
	struct timespec until = deadline(clock);

	return clock_nanosleep(clock, TIMER_ABSTIME, &until, NULL);
}

static int timerfd(clockid_t clock)
{
	struct itimerspec it = {.it_value = deadline(clock)};
	struct pollfd event = {timerfd_create(clock, 0), POLLIN, 0};
	int got;

	if (timerfd_settime(event.fd, TFD_TIMER_ABSTIME, &it, NULL))
		return errno;
	got = poll(&event, 1, 15000 + 2 * (int)ms);
	close(event.fd);
	return got == 1 ? 0 : ETIME;
}

/* Of timers with an interval the second end counts: after twice the time. */
static int timerfd_interval(clockid_t clock)
{
	struct itimerspec it = {.it_value = deadline(clock)};
	int fd = timerfd_create(clock, 0);
	uint64_t ends = 0, more = 0;

	it.it_interval = (struct timespec){ms / 1000, ms % 1000 * 1000000};
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL) || read(fd, &ends, 8) != 8 ||
	    read(fd, &more, 8) != 8)
		return errno;
	close(fd);
	return ends + more >= 2 ? 0 : ETIME;
}

static int timer(clockid_t clock)
{
	struct itimerspec it = {.it_value = deadline(clock)};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	struct timespec most = {15 + ms / 500, 0};
	sigset_t set;
	timer_t id;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
#ifdef sigev_notify_thread_id
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
	if (timer_create(clock, &event, &id) || timer_settime(id, TIMER_ABSTIME, &it, NULL))
		return errno;
	return sigtimedwait(&set, NULL, &most) < 0 ? errno : 0;
}

static mqd_t queue(const char *what, bool full)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[64];
	mqd_t mq;

	snprintf(name, sizeof(name), "/uvdso-waits-%s-%d", what, getpid());
	mq = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	mq_unlink(name);
	if (full)
		mq_send(mq, "x", 1, 0);
	return mq;
}

static int receive(clockid_t clock)
{
	struct timespec until = deadline(clock);
	char message[8];

	return of(mq_timedreceive(queue("receive", false), message, 8, NULL, &until));
}

static int send(clockid_t clock)
{
	struct timespec until = deadline(clock);

	return of(mq_timedsend(queue("send", true), "x", 1, 0, &until));
}

#if defined(__LP64__)
#	define SYS_FUTEX SYS_futex
#else
#	define SYS_FUTEX SYS_futex_time64
#endif

static int futex(int operation, clockid_t clock)
{
	struct time64 until = deadline64(clock);
	uint32_t word = 0, other = 0;

	/* Held by the first thread, which is busy. */
	if ((operation & 0x7f) == FUTEX_LOCK_PI || (operation & 0x7f) == FUTEX_LOCK_PI2)
		word = (uint32_t)getpid();
	return of(syscall(SYS_FUTEX, &word, operation, 0, &until, &other, ~0u));
}

static int bitset(clockid_t clock)
{
	return futex(FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG |
			     (clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0),
		     clock);
}

static int lock_pi(clockid_t clock)
{
	return futex(FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, clock);
}

static int lock_pi2(clockid_t clock)
{
	return futex(FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG |
			     (clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0),
		     clock);
}

static int requeue_pi(clockid_t clock)
{
	return futex(FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE_FLAG |
			     (clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0),
		     clock);
}

static int waitv(clockid_t clock)
{
	struct time64 until = deadline64(clock);
	static uint32_t word;
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} waiter = {0, (uintptr_t)&word, 2 | 128, 0};

	return of(syscall(SYS_futex_waitv, &waiter, 1, 0, &until, clock));
}

static int wait2(clockid_t clock)
{
	struct time64 until = deadline64(clock);
	static uint32_t word;

	/* Not ~0u: some machines extend its sign, and the mask is as long as a register. */
	return of(syscall(SYS_futex_wait, &word, 0l, 0xfffffffful, 2 | 128, &until, clock));
}

static const struct {
	const char *name;
	int (*wait)(clockid_t clock);
	clockid_t clock;
	const char *clock_name;
} waits[] = {
#define WAIT(call, clock)                                         \
	{                                                         \
#		call, call, CLOCK_##clock, #                clock \
	}
	WAIT(cond, REALTIME),
	WAIT(cond, MONOTONIC),
	WAIT(semaphore, REALTIME),
	WAIT(mutex, REALTIME),
	WAIT(mutex_pi, REALTIME),
	WAIT(rwlock, REALTIME),
	WAIT(nanosleep_until, REALTIME),
	WAIT(nanosleep_until, MONOTONIC),
	WAIT(nanosleep_until, BOOTTIME),
	WAIT(nanosleep_until, TAI),
	WAIT(timerfd, REALTIME),
	WAIT(timerfd, MONOTONIC),
	WAIT(timerfd, BOOTTIME),
	WAIT(timerfd_interval, REALTIME),
	WAIT(timer, REALTIME),
	WAIT(timer, MONOTONIC),
	WAIT(timer, BOOTTIME),
	WAIT(timer, TAI),
	WAIT(receive, REALTIME),
	WAIT(send, REALTIME),
	WAIT(bitset, REALTIME),
	WAIT(bitset, MONOTONIC),
	WAIT(lock_pi, REALTIME),
	WAIT(lock_pi2, REALTIME),
	WAIT(lock_pi2, MONOTONIC),
	WAIT(requeue_pi, REALTIME),
	WAIT(requeue_pi, MONOTONIC),
	WAIT(waitv, REALTIME),
	WAIT(waitv, MONOTONIC),
	WAIT(wait2, REALTIME),
	WAIT(wait2, MONOTONIC),
};
#define WAITS (sizeof(waits) / sizeof(waits[0]))

/* ---- for a length of time ------------------------------------------------------------------
 */

static struct timespec length(void)
{
	return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

static int sleep_for(clockid_t clock)
{
	struct timespec ts = length();

	(void)clock;
	return of(nanosleep(&ts, NULL));
}

/* No C library of ours makes that call, but others do. */
static int sleep_by_call(clockid_t clock)
{
	long words[2] = {ms / 1000, ms % 1000 * 1000000};

	(void)clock;
	return of(syscall(SYS_nanosleep, words, NULL));
}

static int sleep_by_clock(clockid_t clock)
{
	struct timespec ts = length();

	return clock_nanosleep(clock, 0, &ts, NULL);
}

static int by_poll(clockid_t clock)
{
	(void)clock;
	return of(poll(NULL, 0, (int)ms));
}

static int by_ppoll(clockid_t clock)
{
	struct timespec ts = length();

	(void)clock;
	return of(ppoll(NULL, 0, &ts, NULL));
}

static int by_select(clockid_t clock)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	(void)clock;
	return of(select(0, NULL, NULL, NULL, &tv));
}

static int by_pselect(clockid_t clock)
{
	struct timespec ts = length();

	(void)clock;
	return of(pselect(0, NULL, NULL, NULL, &ts, NULL));
}

static int by_epoll(clockid_t clock)
{
	struct epoll_event event;

	(void)clock;
	return of(epoll_wait(epoll_create1(0), &event, 1, (int)ms));
}

static int by_futex(clockid_t clock)
{
	struct time64 for_so_long = {ms / 1000, ms % 1000 * 1000000};
	uint32_t word = 0;

	(void)clock;
	return of(syscall(SYS_FUTEX, &word, FUTEX_PRIVATE_FLAG, 0, &for_so_long, NULL, 0));
}

static int by_signal(clockid_t clock)
{
	struct timespec ts = length();
	sigset_t set;

	(void)clock;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	return of(sigtimedwait(&set, NULL, &ts));
}

static int by_semaphore(clockid_t clock)
{
	struct timespec ts = length();
	struct sembuf take = {0, -1, 0};
	int sem = semget(IPC_PRIVATE, 1, 0600), err;

	(void)clock;
	err = of(semtimedop(sem, &take, 1, &ts));
	semctl(sem, 0, IPC_RMID);
	return err;
}

static int by_timerfd(clockid_t clock)
{
	struct itimerspec it = {.it_value = length()};
	int fd = timerfd_create(clock, 0);
	uint64_t ends;

	return timerfd_settime(fd, 0, &it, NULL) || read(fd, &ends, 8) != 8 ? errno : 0;
}

/* The only one of its process. */
static int by_itimer(clockid_t clock)
{
	struct itimerval it = {.it_value = {ms / 1000, ms % 1000 * 1000}};
	sigset_t set;
	int signal;

	(void)clock;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	return setitimer(ITIMER_REAL, &it, NULL) ? errno : sigwait(&set, &signal);
}

static const struct {
	const char *name;
	int (*wait)(clockid_t clock);
	clockid_t clock;
	const char *clock_name;
} lengths[] = {
	WAIT(sleep_for, MONOTONIC),      WAIT(sleep_by_call, MONOTONIC),
	WAIT(sleep_by_clock, MONOTONIC), WAIT(sleep_by_clock, REALTIME),
	WAIT(by_poll, MONOTONIC),        WAIT(by_ppoll, MONOTONIC),
	WAIT(by_select, MONOTONIC),      WAIT(by_pselect, MONOTONIC),
	WAIT(by_epoll, MONOTONIC),       WAIT(by_futex, MONOTONIC),
	WAIT(by_signal, MONOTONIC),      WAIT(by_semaphore, MONOTONIC),
	WAIT(by_timerfd, MONOTONIC),     WAIT(by_timerfd, REALTIME),
	WAIT(by_itimer, MONOTONIC),
};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

/* First the waits, then the lengths. */
static void *work(void *number)
{
	size_t i = (size_t)number;
	bool is_wait = i < WAITS;
	const char *name = is_wait ? waits[i].name : lengths[i - WAITS].name;
	const char *clock = is_wait ? waits[i].clock_name : lengths[i - WAITS].clock_name;
	double before = now(), after;
	int err = is_wait ? waits[i].wait(waits[i].clock)
			  : lengths[i - WAITS].wait(lengths[i - WAITS].clock);

	after = now();
	pthread_mutex_lock(&output);
	printf("%s %s %s %.3f\n", name, clock, name_of(err), after - before);
	pthread_mutex_unlock(&output);
	return NULL;
}

/* Signals of timers are waited for. */
static void at_once(size_t first, size_t end)
{
	pthread_t thread[WAITS + LENGTHS];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = first; i < end; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (size_t i = first; i < end; i++)
		pthread_join(thread[i], NULL);
}

static void all_waits(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&held_pi, &attr);
	pthread_mutex_lock(&held);
	pthread_mutex_lock(&held_pi);
	pthread_rwlock_wrlock(&written);
	at_once(0, WAITS);
}

/* ---- clocks ---------------------------------------------------------------------------- */

static void beside(const char *call, int clock, double shown, double tolerance)
{
	struct timespec ts;
	double is;

	clock_gettime(clock, &ts);
	is = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	if (shown > is - tolerance && shown < is + tolerance)
		printf("%s %d ok\n", call, clock);
	else
		printf("%s %d %+.3f\n", call, clock, shown - is);
}

static void all_clocks(void)
{
	static const int clocks[] = {0, 1, 4, 5, 6, 7, 11};
	struct timeval tv = {0, 0};
	struct timezone tz = {-1, -1};
	struct timex timex = {.modes = 0};
	struct sysinfo info;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct timespec ts = {0, 0};

		syscall(SYS_clock_gettime, clocks[i], &ts);
		beside("clock_gettime", clocks[i], (double)ts.tv_sec + (double)ts.tv_nsec / 1e9,
		       1);
	}
	syscall(SYS_gettimeofday, &tv, &tz);
	beside("gettimeofday", 0, (double)tv.tv_sec + (double)tv.tv_usec / 1e6, 1);
	printf("zone %d %d\n", tz.tz_minuteswest, tz.tz_dsttime);
#ifdef SYS_time
	time_t at = 0;
	beside("time", 0, (double)syscall(SYS_time, &at), 2);
	beside("time", 0, (double)at, 2);
	beside("time", 0, (double)syscall(SYS_time, NULL), 2);
#endif
	adjtimex(&timex);
	beside("adjtimex", 0, (double)timex.time.tv_sec, 2);
	clock_adjtime(CLOCK_REALTIME, &timex);
	beside("clock_adjtime", 0, (double)timex.time.tv_sec, 2);
	sysinfo(&info);
	beside("sysinfo", 7, (double)info.uptime, 2);
}

/* ---- errors ---------------------------------------------------------------------------- */

static void say(const char *call, const char *what, long result)
{
	printf("%s %s %s\n", call, what, name_of(result < 0 ? errno : 0));
}

/* With that for a time: an address of nothing, or of a time that is none. */
static void errors(const char *what, void *bad)
{
	uint32_t word = 0;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	timer_create(CLOCK_REALTIME, &none, &timer);
	say("clock_nanosleep", what,
	    syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, bad, NULL));
	say("timerfd_settime", what,
	    syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, bad, NULL));
	say("timer_settime", what, syscall(SYS_timer_settime, timer, TIMER_ABSTIME, bad, NULL));
	say("futex", what,
	    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, bad, NULL,
		    ~0u));
	say("mq_timedreceive", what,
	    syscall(SYS_mq_timedreceive, queue("error", false), &word, 8, NULL, bad));
	/* Where that call takes other words for a time, it could set the clock. */
	if (sizeof(time_t) == sizeof(long))
		say("clock_settime", what, syscall(SYS_clock_settime, CLOCK_REALTIME, bad));
}

static void all_errors(void)
{
	struct timespec none[2] = {{1, 1000000000}, {1, 1000000000}}, ts = {1, 0};
	void *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timex timex = {.modes = ADJ_FREQUENCY};

	errors("nothing", (void *)16);
	errors("no-time", none);
	say("clock_gettime", "nothing", syscall(SYS_clock_gettime, CLOCK_REALTIME, 16));
	say("clock_gettime", "NULL", syscall(SYS_clock_gettime, CLOCK_REALTIME, NULL));
	say("clock_gettime", "read-only",
	    syscall(SYS_clock_gettime, CLOCK_REALTIME, read_only));
	say("clock_gettime", "no-clock", syscall(SYS_clock_gettime, 99, &ts));
	say("gettimeofday", "nothing", syscall(SYS_gettimeofday, 16, NULL));
	say("gettimeofday", "nothing", syscall(SYS_gettimeofday, NULL, 16));
	say("gettimeofday", "NULL", syscall(SYS_gettimeofday, NULL, NULL));
#ifdef SYS_time
	say("time", "nothing", syscall(SYS_time, 16));
#endif
	say("adjtimex", "nothing", syscall(SYS_adjtimex, 16));
	/* Never with the rights to do so: these would be the machine's. */
	if (geteuid() || getenv("UVDSO_WAITS_MAY_SET"))
		say("adjtimex", "frequency", adjtimex(&timex));
}

/* ---- many, and signals ---------------------------------------------------------------------
 */

static int early, late, failed;

static void *one_of_many(void *unused)
{
	double before = now(), took;
	int err = nanosleep_until(CLOCK_REALTIME);

	(void)unused;
	took = (now() - before) * 1000;
	__atomic_add_fetch(&failed, err != 0, __ATOMIC_RELAXED);
	__atomic_add_fetch(&early, took < (double)ms * 0.99, __ATOMIC_RELAXED);
	__atomic_add_fetch(&late, took > (double)ms + 15000, __ATOMIC_RELAXED);
	return NULL;
}

static void many(int threads)
{
	pthread_t *thread = calloc((size_t)threads, sizeof(*thread));
	pthread_attr_t attr;
	int started = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32 << 10);
	while (started < threads && !pthread_create(&thread[started], &attr, one_of_many, NULL))
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	printf("%d: %d early, %d late, %d failed\n", started, early, late, failed);
}

static void handler(int signal)
{
	(void)signal;
}

/* A child that sends the signal in the middle of the wait. */
static void send_later(int signal)
{
	struct timespec pause = {0, ms * 300000};
	pid_t parent = getpid();

	if (fork())
		return;
	nanosleep(&pause, NULL);
	kill(parent, signal);
	if (signal == SIGSTOP) {
		nanosleep(&pause, NULL);
		kill(parent, SIGCONT);
	}
	_exit(0);
}

static void with_signal(const char *what, int signal, void (*action)(int), int flags, int which)
{
	struct sigaction act = {.sa_handler = action, .sa_flags = flags};
	double before;
	int err;

	if (signal != SIGSTOP)
		sigaction(signal, &act, NULL);
	send_later(signal);
	before = now();
	err = which == 0   ? nanosleep_until(CLOCK_REALTIME)
	      : which == 1 ? bitset(CLOCK_REALTIME)
			   : receive(CLOCK_REALTIME);
	printf("%s %s %.3f\n", what, name_of(err), now() - before);
}

static void all_signals(void)
{
	static const char *const calls[] = {"nanosleep", "futex", "mq"};

	signal(SIGCHLD, SIG_IGN);
	for (int which = 0; which < 3; which++) {
		char what[64];

#define WHAT(w) (snprintf(what, sizeof(what), "%s %s", calls[which], w), what)
		with_signal(WHAT("handled"), SIGUSR1, handler, 0, which);
		with_signal(WHAT("restarted"), SIGUSR1, handler, SA_RESTART, which);
		with_signal(WHAT("ignored"), SIGUSR1, SIG_IGN, 0, which);
		with_signal(WHAT("unhandled"), SIGWINCH, SIG_DFL, 0, which);
		with_signal(WHAT("stopped"), SIGSTOP, NULL, 0, which);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "200";

	if (!strcmp(what, "lengths") && argc > 2) {
		ms = atol(argv[2]);
		at_once(WAITS, WAITS + LENGTHS);
	} else if (!strcmp(what, "clocks")) {
		all_clocks();
	} else if (!strcmp(what, "errors")) {
		all_errors();
	} else if (!strcmp(what, "many") && argc > 3) {
		ms = atol(argv[3]);
		many(atoi(argv[2]));
	} else if (!strcmp(what, "signals") && argc > 2) {
		ms = atol(argv[2]);
		all_signals();
	} else {
		ms = atol(what);
		all_waits();
	}
	return 0;
}
