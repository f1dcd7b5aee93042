/*
 * signals.c - writes a line for every signal that arrives, with who sent it: "got NAME
 * from PID" (0: the kernel, as for a terminal's ^C). Says "ready PID" first. SIGTERM ends
 * it, with status 7; so does the end of its standard input where that is not a terminal.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	static const struct {
		int signal;
		const char *name;
	} known[] = {{SIGTERM, "TERM"}, {SIGUSR1, "USR1"}, {SIGHUP, "HUP"},    {SIGINT, "INT"},
		     {SIGCONT, "CONT"}, {SIGQUIT, "QUIT"}, {SIGWINCH, "WINCH"}};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		sigaddset(&set, known[i].signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Bounds its own life, should the test lose sight of it. */
	alarm(60);
	printf("ready %d\n", (int)getpid());
	for (;;) {
		int signal = sigwaitinfo(&set, &info);

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (known[i].signal == signal)
				printf("got %s from %d\n", known[i].name,
				       info.si_code == SI_KERNEL ? 0 : (int)info.si_pid);
		if (signal == SIGTERM)
			return 7;
	}
}
