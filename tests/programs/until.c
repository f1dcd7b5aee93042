/*
 * until.c - waits for moments of its clocks in every way there is, and says when they come.
 *
 *	until SECONDS...	"ready", and then, for each wait, "WAIT SECONDS LATE": how much
 *				later than asked for its clock was, in seconds. Ends after the
 *				last; after 60 s by the alarm of the machine's clock
 *
 * All wait at the same time: two timerfds, one with an interval and one that a child has as
 * well, a sleep, a condition, and a semaphore by REALTIME; a sleep by MONOTONIC where SECONDS
 * begins with m.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct wait {
	const char *name;
	void (*until)(const struct timespec *deadline);
	clockid_t clock;
	long seconds;
	pthread_t thread;
};

static void sleep_until(const struct timespec *deadline)
{
	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, deadline, NULL) == EINTR)
		;
}

static void sleep_steady(const struct timespec *deadline)
{
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, deadline, NULL) == EINTR)
		;
}

static void wait_for_condition(const struct timespec *deadline)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;

	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&never, &mutex, deadline) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mutex);
}

static void wait_for_semaphore(const struct timespec *deadline)
{
	sem_t never;

	sem_init(&never, 0, 0);
	while (sem_timedwait(&never, deadline) && errno == EINTR)
		;
}

static int start_timer(const struct timespec *deadline, time_t interval)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	struct itimerspec set = {{interval, 0}, *deadline};

	timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL);
	return fd;
}

static void read_timer(int fd)
{
	uint64_t times;

	while (read(fd, &times, sizeof(times)) < 0 && errno == EINTR)
		;
	close(fd);
}

static void wait_for_timer(const struct timespec *deadline)
{
	read_timer(start_timer(deadline, 7200));
}

static void wait_for_shared_timer(const struct timespec *deadline)
{
	int fd = start_timer(deadline, 0);
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	read_timer(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void *work(void *arg)
{
	const struct wait *wait = arg;
	struct timespec deadline, now;

	clock_gettime(wait->clock, &deadline);
	deadline.tv_sec += wait->seconds;
	wait->until(&deadline);
	clock_gettime(wait->clock, &now);
	printf("%s %ld %.3f\n", wait->name, wait->seconds,
	       (double)(now.tv_sec - deadline.tv_sec) +
		       (double)(now.tv_nsec - deadline.tv_nsec) / 1e9);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct wait kinds[] = {
		{"sleep", sleep_until, CLOCK_REALTIME, 0, 0},
		{"condition", wait_for_condition, CLOCK_REALTIME, 0, 0},
		{"semaphore", wait_for_semaphore, CLOCK_REALTIME, 0, 0},
		{"timer", wait_for_timer, CLOCK_REALTIME, 0, 0},
		{"shared-timer", wait_for_shared_timer, CLOCK_REALTIME, 0, 0},
	};
	static struct wait waits[64];
	unsigned count = 0;

	setlinebuf(stdout);
	alarm(60);
	for (int i = 1; i < argc && count + 5 < 64; i++) {
		if (*argv[i] == 'm') {
			waits[count++] = (struct wait){"steady", sleep_steady, CLOCK_MONOTONIC,
						       atol(argv[i] + 1), 0};
			continue;
		}
		for (unsigned k = 0; k < 5; k++) {
			waits[count] = kinds[k];
			waits[count++].seconds = atol(argv[i]);
		}
	}
	for (unsigned i = 0; i < count; i++)
		pthread_create(&waits[i].thread, NULL, work, &waits[i]);
	/* Long enough for all of them to wait. */
	usleep(300000);
	puts("ready");
	for (unsigned i = 0; i < count; i++)
		pthread_join(waits[i].thread, NULL);
	return 0;
}
