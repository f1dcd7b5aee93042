/*
 * whose.c - does the C library take its functions from a vDSO whose clock is shifted?
 *
 *	whose clock_gettime | gettimeofday | time
 *
 * The vDSO is a year away or more, the system call is not: prints "ours" or "falls back".
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define YEAR (365 * 86400)

/* Each is called when it is asked for, and no other: one may crash where another does not. */
static time_t now(const char *function)
{
	struct timespec ts = {0};
	struct timeval tv = {0};

	if (!strcmp(function, "time"))
		return time(NULL);
	if (!strcmp(function, "gettimeofday")) {
		gettimeofday(&tv, NULL);
		return tv.tv_sec;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int main(int argc, char **argv)
{
	struct timespec real = {0};
	time_t seconds;

	if (argc != 2)
		return 2;
	seconds = now(argv[1]);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
	puts(seconds - real.tv_sec > YEAR ? "ours" : "falls back");
	return 0;
}
