/*
 * setter.c - makes the calls that set a clock, but so that they fail or change nothing, in its
 * first thread, in another one and in a child, and prints what they return; then whether a
 * filter of its own, which asks for a tracer that it has not, lets a call fail.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *set(void *who)
{
	struct timespec now = {1, 0};
	struct timeval never = {0, 2000000};
	struct timex ask = {0};
	int clock = clock_settime(CLOCK_MONOTONIC, &now) ? errno : 0;
	int day = settimeofday(&never, NULL) ? errno : 0;

	printf("%s: clock_settime %d settimeofday %d adjtimex %d\n", (const char *)who,
	       clock == EINVAL, day == EINVAL, adjtimex(&ask) >= 0);
	fflush(stdout);
	return NULL;
}

int main(void)
{
	/* As in linux/filter.h and linux/seccomp.h, which not all C libraries come with. */
	struct {
		unsigned short code;
		unsigned char yes, no;
		unsigned k;
	} code[] = {
		{0x20, 0, 0, 0},           /* the number of the call */
		{0x15, 0, 1, SYS_getppid}, /* that one? */
		{0x06, 0, 0, 0x7ff00007},  /* SECCOMP_RET_TRACE */
		{0x06, 0, 0, 0x7fff0000},  /* SECCOMP_RET_ALLOW */
	};
	struct {
		unsigned short len;
		void *code;
	} filter = {sizeof(code) / sizeof(code[0]), code};
	pthread_t thread;
	long parent;

	set("program");
	pthread_create(&thread, NULL, set, "thread");
	pthread_join(thread, NULL);
	if (fork() == 0) {
		set("child");
		_exit(0);
	}
	wait(NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, 2 /* a filter */, &filter, 0, 0))
		return 2;
	errno = 0;
	parent = syscall(SYS_getppid);
	printf("filter: %d\n", parent == -1 && errno == ENOSYS);
	return 0;
}
