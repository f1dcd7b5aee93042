/*
 * exception.cc - an exception leaves a signal handler, through our page. C++, for i386.
 *
 * To be run on the page. A load from address 0 is a SIGSEGV, the handler throws, and the
 * catch is where the load was: the runtime has to find its way from the handler over the
 * trampoline to an instruction that is no call. The handler asks for the page's trampolines,
 * in both layouts of a signal frame.
 */
#include <signal.h>
#include <stdint.h>

extern "C" {
#include "i386.h"
}

static int destroyed;
struct Guard {
	~Guard()
	{
		destroyed++;
	}
};

static void throw_plain(int signal)
{
	throw signal;
}

static void throw_with_info(int, siginfo_t *info, void *)
{
	throw(const void *) info->si_addr;
}

static volatile int *volatile null;

__attribute__((noinline)) static int load()
{
	return *null;
}

/* clang knows exceptions from calls only; so the load has a function of its own. */
__attribute__((noinline)) static int load_guarded()
{
	Guard guard;

	return load();
}

/* A handler that is left by an exception leaves its signal blocked. */
static void unblock()
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

int main()
{
	int caught = 0;
	const void *where = &caught;

	alarm(20);
	handle(SIGSEGV, (void *)throw_plain, 0, function("__kernel_sigreturn"));
	try {
		load_guarded();
	} catch (int signal) {
		caught = signal;
	}
	unblock();
	ok(caught == SIGSEGV, "sigreturn: what a handler throws is caught where the load was");
	ok(destroyed == 1, "sigreturn: ... and what lies between is cleaned up");

	handle(SIGSEGV, (void *)throw_with_info, SA_SIGINFO, function("__kernel_rt_sigreturn"));
	try {
		load_guarded();
	} catch (const void *address) {
		where = address;
	}
	ok(where == nullptr,
	   "rt_sigreturn: what a handler throws is caught where the load was");
	ok(destroyed == 2, "rt_sigreturn: ... and what lies between is cleaned up");
	return done_testing();
}
