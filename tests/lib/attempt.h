/*
 * attempt.h - a call that may go wrong in the worst ways, and a test that goes on after it.
 *
 * Code that walks over tables reads too far, or does not end, when it is not finished yet.
 * The tables lie against a page that may not be touched, so that the first word behind
 * them is a SIGSEGV; that, or too much CPU time, ends the call and not the test.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "tap.h"

#define ATTEMPT_PAGE    65536  /* the largest that our machines have */
#define ATTEMPT_TIME_US 200000 /* for what takes less than one */

static sigjmp_buf attempt_back;
static const volatile char *attempt_at; /* of a signal about memory */

static void attempt_stop(int signal, siginfo_t *info, void *context)
{
	(void)context;
	attempt_at = info->si_addr;
	siglongjmp(attempt_back, signal);
}

/* Outside of an attempt a signal is what it always is. */
static void attempt_signals(bool stop, long limit_us)
{
	const struct itimerval limit = {.it_value.tv_usec = limit_us};
	struct sigaction act = {.sa_handler = SIG_DFL};

	if (stop)
		act = (struct sigaction){.sa_sigaction = attempt_stop, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGVTALRM, &act, NULL);
	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* Calls it. NULL if it comes back, else what it did. */
static const char *attempt(void (*what)(void))
{
	int signal = sigsetjmp(attempt_back, 1);

	if (!signal) {
		attempt_signals(true, ATTEMPT_TIME_US);
		what();
	}
	attempt_signals(false, 0);
	if (!signal)
		return NULL;
	if (signal == SIGVTALRM)
		return "a walk without an end";
	return (uintptr_t)attempt_at < ATTEMPT_PAGE ? "a pointer that is NULL was followed"
						    : "a word behind the end was read";
}

/* The end of memory that may be read and written: the next byte may not. */
static inline char *attempt_guard(void)
{
	char *at = mmap(NULL, 2 * ATTEMPT_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + ATTEMPT_PAGE, ATTEMPT_PAGE, PROT_NONE) < 0)
		bail_out("no memory for a table");
	return at + ATTEMPT_PAGE;
}

#endif
