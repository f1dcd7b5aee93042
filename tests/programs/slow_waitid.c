/*
 * slow_waitid.c - a library for LD_PRELOAD=slow_waitid.so: in the process that has it,
 * waitid(2) for one that goes on says "waitid" and then takes its time, so that a test can let
 * something happen before it.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	/* Of the program's. */
	if (options & WCONTINUED) {
		ssize_t written = write(STDERR_FILENO, "waitid\n", 7);

		(void)written;
		usleep(300000);
	}
	return (int)syscall(SYS_waitid, type, id, info, options, NULL);
}

__attribute__((constructor)) static void begin(void)
{
	unsetenv("LD_PRELOAD");
}
