/*
 * planted.c - one fault for each sanitizer: what does not find it would find nothing else.
 *
 *	planted overflow|shift|leak|race|image
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int planted_image(int by);

static volatile int shared, amount = 40;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		shared++;
	return NULL;
}

int main(int argc, char **argv)
{
	const char *fault = argc > 1 ? argv[1] : "";
	pthread_t thread;

	if (!strcmp(fault, "overflow")) {
		volatile char *bytes = malloc((size_t)amount);

		bytes[amount] = 1;
		free((char *)bytes);
	} else if (!strcmp(fault, "shift")) {
		shared = 1 << amount;
	} else if (!strcmp(fault, "image")) {
		shared = planted_image(amount);
	} else if (!strcmp(fault, "leak")) {
		char *volatile bytes = malloc(100);

		bytes = NULL;
		(void)bytes;
	} else if (!strcmp(fault, "race")) {
		if (pthread_create(&thread, NULL, count, NULL))
			return 2;
		count(NULL);
		pthread_join(thread, NULL);
	} else {
		fputs("planted overflow|shift|leak|race|image\n", stderr);
		return 2;
	}
	return 0;
}
