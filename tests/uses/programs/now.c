/*
 * now.c - what one program sees of the time, each way of asking and of waiting by a name.
 *
 *	now WAY...
 *
 * A line "NAME SECONDS" says what a clock shows. A wait of one second is between the lines
 *"wait NAME" and "waited NAME"; who reads them knows by a clock of its own when they came
 *(tests/uses/matrix).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void shows(const char *name, double seconds)
{
	printf("%s %.3f\n", name, seconds);
}

static double of(struct timespec t)
{
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct timespec at(clockid_t clock, int seconds)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += seconds;
	return t;
}

static void waits(const char *name)
{
	printf("wait %s\n", name);
}

static void waited(const char *name, int error)
{
	if (error && error != ETIMEDOUT)
		printf("error %s %s\n", name, strerror(error));
	else
		printf("waited %s\n", name);
}

/* ---- what it is ---- */
static void clocks(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	shows("time", (double)time(NULL));
	shows("gettimeofday", (double)tv.tv_sec + (double)tv.tv_usec / 1e6);
	shows("REALTIME", of(at(CLOCK_REALTIME, 0)));
	shows("REALTIME_COARSE", of(at(CLOCK_REALTIME_COARSE, 0)));
}

static void clock_alone(void)
{
	shows("clock", of(at(CLOCK_REALTIME, 0)));
}

static void raw(void)
{
	struct timespec t = {0};

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	shows("system-call", of(t));
}

static void monotonic(void)
{
	shows("MONOTONIC", of(at(CLOCK_MONOTONIC, 0)));
	shows("BOOTTIME", of(at(CLOCK_BOOTTIME, 0)));
}

static void *in_thread(void *arg)
{
	shows(arg, of(at(CLOCK_REALTIME, 0)));
	return NULL;
}

static void threads(void)
{
	char name[4][9];
	pthread_t id[4];

	for (int i = 0; i < 4; i++) {
		snprintf(name[i], sizeof(name[i]), "thread-%d", i);
		pthread_create(&id[i], NULL, in_thread, name[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
}

static void child(void)
{
	fflush(stdout);
	if (!fork()) {
		shows("fork", of(at(CLOCK_REALTIME, 0)));
		exit(0);
	}
	wait(NULL);
}

/* A file that is written now is as old as now. */
static void file(void)
{
	char path[] = "/tmp/uvdso-now-XXXXXX";
	int fd = mkstemp(path);
	struct stat st;

	unlink(path);
	if (fd < 0 || write(fd, "x", 1) != 1 || fstat(fd, &st)) {
		waited("file", errno);
		return;
	}
	shows("file", of(st.st_mtim));
	close(fd);
}

/* ---- waits until a moment ---- */
static void cond_on(const char *name, clockid_t clock)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t attr;
	pthread_cond_t cond;
	struct timespec t;
	int r;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, clock);
	pthread_cond_init(&cond, &attr);
	pthread_mutex_lock(&mutex);
	t = at(clock, 1);
	waits(name);
	do
		r = pthread_cond_timedwait(&cond, &mutex, &t);
	while (!r);
	waited(name, r);
	pthread_mutex_unlock(&mutex);
}

static void cond(void)
{
	cond_on("cond", CLOCK_REALTIME);
}

static void cond_monotonic(void)
{
	cond_on("cond-monotonic", CLOCK_MONOTONIC);
}

static void sem(void)
{
	struct timespec t = at(CLOCK_REALTIME, 1);
	sem_t sem;

	sem_init(&sem, 0, 0);
	waits("sem");
	waited("sem", sem_timedwait(&sem, &t) ? errno : 0);
}

static void mutex(void)
{
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	struct timespec t = at(CLOCK_REALTIME, 1);

	pthread_mutex_lock(&held);
	waits("mutex");
	waited("mutex", pthread_mutex_timedlock(&held, &t));
}

static void nanosleep_on(const char *name, clockid_t clock)
{
	struct timespec t = at(clock, 1);

	waits(name);
	waited(name, clock_nanosleep(clock, TIMER_ABSTIME, &t, NULL));
}

static void nanosleep_until(void)
{
	nanosleep_on("nanosleep", CLOCK_REALTIME);
}

static void nanosleep_monotonic(void)
{
	nanosleep_on("nanosleep-monotonic", CLOCK_MONOTONIC);
}

static void timerfd(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec until = {.it_value = at(CLOCK_REALTIME, 1)};
	uint64_t times;

	timerfd_settime(fd, TFD_TIMER_ABSTIME, &until, NULL);
	waits("timerfd");
	waited("timerfd", read(fd, &times, sizeof(times)) == sizeof(times) ? 0 : errno);
	close(fd);
}

static void timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec until = {.it_value = at(CLOCK_REALTIME, 1)};
	sigset_t set;
	timer_t id;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(CLOCK_REALTIME, &event, &id) ||
	    timer_settime(id, TIMER_ABSTIME, &until, NULL)) {
		waited("timer", errno);
		return;
	}
	waits("timer");
	waited("timer", sigwaitinfo(&set, NULL) == SIGUSR1 ? 0 : errno);
	timer_delete(id);
}

/* ---- waits for a time ---- */
static void relative(void)
{
	struct itimerval once = {.it_value = {1, 0}};
	struct timespec second = {1, 0};
	sigset_t set;

	waits("sleep");
	waited("sleep", nanosleep(&second, NULL) ? errno : 0);
	waits("poll");
	waited("poll", poll(NULL, 0, 1000) < 0 ? errno : 0);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	waits("setitimer");
	waited("setitimer", sigwaitinfo(&set, NULL) == SIGALRM ? 0 : errno);
}

/* What a call costs: the best of some batches, in ns. */
static void cost(void)
{
	double best = 1e9;

	for (int batch = 0; batch < 300; batch++) {
		struct timespec from = {0}, to = {0}, t;

		syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &from);
		for (int i = 0; i < 10000; i++)
			clock_gettime(CLOCK_REALTIME, &t);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &to);
		if (of(to) - of(from) < best)
			best = of(to) - of(from);
	}
	printf("cost %.0f\n", best * 1e5);
}

static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"clocks", clocks},
	{"clock", clock_alone},
	{"raw", raw},
	{"monotonic", monotonic},
	{"threads", threads},
	{"child", child},
	{"file", file},
	{"cond", cond},
	{"cond-monotonic", cond_monotonic},
	{"sem", sem},
	{"mutex", mutex},
	{"nanosleep", nanosleep_until},
	{"nanosleep-monotonic", nanosleep_monotonic},
	{"timerfd", timerfd},
	{"timer", timer},
	{"relative", relative},
	{"cost", cost},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		unsigned at = 0;

		while (strcmp(ways[at].name, argv[i]))
			if (++at == sizeof(ways) / sizeof(*ways)) {
				fprintf(stderr, "now: no way %s\n", argv[i]);
				return 2;
			}
		ways[at].go();
	}
	return 0;
}
