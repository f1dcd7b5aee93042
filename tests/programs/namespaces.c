/*
 * namespaces.c - prints for each clock how many seconds the vDSO is ahead of the system call:
 * "WHO CLOCK:SECONDS ...". With an argument it enters a time namespace, and so do a child, a
 * grandchild and the program that follows.
 *
 *	namespaces         show
 *	namespaces enter   unshare(2), and show in each
 *
 * Exits with 77 where a time namespace is denied.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x80
#endif

static const char shift[] = "monotonic 1000 500000000\nboottime 20000 0\n";

static void show(const char *who)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME,
					   CLOCK_MONOTONIC,
					   CLOCK_MONOTONIC_RAW,
					   CLOCK_REALTIME_COARSE,
					   CLOCK_MONOTONIC_COARSE,
					   CLOCK_BOOTTIME,
					   CLOCK_TAI};

	printf("%s", who);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct timespec ours, kernel;
		long long apart;

		clock_gettime(clocks[i], &ours);
		syscall(SYS_clock_gettime, clocks[i], &kernel);
		apart = (ours.tv_sec - kernel.tv_sec) * 1000000000ll + ours.tv_nsec -
			kernel.tv_nsec;
		/* To the nearest second: the two were not read at once, and one may be coarse.
		 */
		apart = (apart + (apart < 0 ? -500000000 : 500000000)) / 1000000000;
		printf(" %d:%lld", (int)clocks[i], apart);
	}
	putchar('\n');
	fflush(stdout);
}

static int enter(void)
{
	int fd;

	if (unshare(CLONE_NEWTIME))
		return -1;
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	return write(fd, shift, strlen(shift)) == (ssize_t)strlen(shift) ? close(fd) : -1;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		show("program");
		return 0;
	}
	if (enter())
		return 77;
	show("parent");
	if (fork() == 0) {
		show("child");
		if (fork() == 0) {
			show("grandchild");
			execl(argv[0], argv[0], NULL);
			_exit(1);
		}
		wait(NULL);
		_exit(0);
	}
	wait(NULL);
	show("parent");
	return 0;
}
