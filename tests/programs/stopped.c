/*
 * stopped.c - calls that are interrupted by SIGSTOP and SIGCONT, in threads with small stacks.
 *
 * Half of the threads sleep, half read from a pipe. A child stops the process, continues it,
 * and writes to the pipe. Each call must come to its end as if nothing had happened (signal(7),
 * "Interruption of system calls and library functions by stop signals"). What lies below the
 * stacks, as other data of a program may, must stay as it is.
 *
 * Prints "calls N wrong M" and "below N bytes changed".
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define ROOM    (256 << 10)
#define STACK   (PTHREAD_STACK_MIN > 32 << 10 ? PTHREAD_STACK_MIN : 32 << 10)

static int pipes[2];
static int wrong;
static unsigned char *memory; /* ROOM bytes a thread, the stack on top */
static unsigned char before[THREADS * ROOM];

/* Some hundred bytes above the lower end of a small stack: a call that is stopped there. */
static void *call(void *arg)
{
	int which = (int)((unsigned char *)arg - memory) / ROOM;
	struct timespec left = {0, 300000000};
	char *end = (char *)memory + (which + 1) * ROOM - STACK;
	volatile char *deep =
		__builtin_alloca((size_t)((char *)__builtin_frame_address(0) - end) - 900);
	char byte;
	int err = 0;

	deep[0] = 0;

	if (which % 2)
		err = clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL);
	else if (read(pipes[0], &byte, 1) != 1)
		err = errno;
	if (err)
		printf("thread %d: %s (%d)\n", which, strerror(err), err);
	__atomic_add_fetch(&wrong, err != 0, __ATOMIC_RELAXED);
	return NULL;
}

static void pause_ms(long ms)
{
	struct timespec time = {0, ms * 1000000};

	while (nanosleep(&time, &time))
		;
}

int main(void)
{
	pthread_t id[THREADS];
	int changed = 0;
	pid_t child;

	memory = mmap(NULL, THREADS * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED || pipe(pipes))
		return 2;
	for (int i = 0; i < THREADS; i++) {
		unsigned char *room = memory + i * ROOM;
		pthread_attr_t attr;

		pthread_attr_init(&attr);
		if (pthread_attr_setstack(&attr, room + ROOM - STACK, STACK) ||
		    pthread_create(&id[i], &attr, call, room))
			return 2;
	}
	pause_ms(50);
	memcpy(before, memory, sizeof(before)); /* the threads are in their calls */
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 2; i++) {
			kill(getppid(), SIGSTOP);
			pause_ms(30);
			kill(getppid(), SIGCONT);
			pause_ms(30);
		}
		_exit(write(pipes[1], "1234", THREADS / 2) != THREADS / 2);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	printf("calls %d wrong %d\n", THREADS, wrong);
	for (int i = 0; i < THREADS; i++)
		for (int at = i * ROOM; at < i * ROOM + ROOM - STACK; at++)
			changed += memory[at] != before[at];
	printf("below %d bytes changed\n", changed);
	return 0;
}
