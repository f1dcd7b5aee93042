/*
 * waiting.c - waits in a signal handler that returns through our page, for a debugger to come.
 *
 * To be run on the page. Prints its process id when it is there. With "plain" the handler has
 * the layout without siginfo.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "i386.h"

static void wait_for_debugger(int signal)
{
	(void)signal;
	printf("%d\n", getpid());
	fflush(stdout);
	pause();
}

int interrupted(int plain);

__attribute__((noinline)) int interrupted(int plain)
{
	handle(SIGUSR1, wait_for_debugger, plain ? 0 : SA_SIGINFO,
	       function(plain ? "__kernel_sigreturn" : "__kernel_rt_sigreturn"));
	return raise(SIGUSR1);
}

int main(int argc, char **argv)
{
	alarm(60);
	/* Some kernels let only ancestors trace a process, unless it says otherwise. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	return interrupted(argc > 1 && !strcmp(argv[1], "plain"));
}
