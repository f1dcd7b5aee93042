/*
 * random.c - takes random numbers from the C library: the program, a second thread and a child,
 * COUNT each, by every function that it has for them.
 *
 * Prints "drawn N, different N". Numbers of 64 bits are different, unless two of them were made
 * from one state.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 500

#ifdef __GLIBC__
#	if __GLIBC_PREREQ(2, 36)
#		define HAS_ARC4RANDOM
#	endif
#endif

static uint64_t drawn[3][COUNT];

static void *draw(void *where)
{
	uint64_t *numbers = where;

	for (int i = 0; i < COUNT; i++) {
#ifdef HAS_ARC4RANDOM
		if (i % 2) {
			arc4random_buf(&numbers[i], sizeof(*numbers));
			continue;
		}
#endif
		if (getrandom(&numbers[i], sizeof(*numbers), 0) != sizeof(*numbers))
			_exit(1);
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(void)
{
	uint64_t *all = drawn[0];
	pthread_t thread;
	int back[2], status, different = 1;
	pid_t child;

	draw(drawn[0]);
	if (pthread_create(&thread, NULL, draw, drawn[1]) || pthread_join(thread, NULL) ||
	    pipe(back))
		return 1;
	child = fork();
	if (child == 0) {
		draw(drawn[2]);
		_exit(write(back[1], drawn[2], sizeof(drawn[2])) != sizeof(drawn[2]));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status ||
	    read(back[0], drawn[2], sizeof(drawn[2])) != sizeof(drawn[2]))
		return 1;
	qsort(all, 3 * COUNT, sizeof(*all), by_value);
	for (int i = 1; i < 3 * COUNT; i++)
		different += all[i] != all[i - 1];
	printf("drawn %d, different %d\n", 3 * COUNT, different);
	return 0;
}
