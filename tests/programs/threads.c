/*
 * threads.c - reads a clock in several threads at once, each on a CPU of its own.
 *
 *	threads THREADS CALLS
 *
 * Every thread calls clock_gettime(CLOCK_MONOTONIC) so often, and the time may not go back.
 * Prints "backwards N"; the status is 1 if N is not 0.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 256

static long calls;
static int backwards;

static void *work(void *number)
{
	struct timespec last = {0, 0}, now;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)number % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set); /* where it is not allowed: anywhere */
	for (long i = 0; i < calls; i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec < last.tv_sec ||
		    (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec))
			__atomic_add_fetch(&backwards, 1, __ATOMIC_RELAXED);
		last = now;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	size_t threads = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	pthread_t thread[MAX_THREADS];

	if (threads == 0 || threads > MAX_THREADS) {
		fprintf(stderr, "usage: threads THREADS CALLS\n");
		return 2;
	}
	calls = atol(argv[2]);
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			return 2;
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("backwards %d\n", backwards);
	return backwards != 0;
}
