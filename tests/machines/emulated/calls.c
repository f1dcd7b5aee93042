/*
 * calls.c - calls each function of a page that it has booted itself, one way after the other,
 * for a debugger to walk through (unwind.t).
 *
 * The debugger stops at call(), which it finds by its name, and in handler().
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "libc/vdso_names.h"
#include "uvdso.h"

typedef long fn(long, long, long, long, long);

/* Five arguments are the most that a function of a page has. */
__attribute__((noinline)) static long call(const char *name, fn *function, long a, long b,
					   long c, long d, long e)
{
	long result = function(a, b, c, d, e);

	__asm__ volatile("" : : "r"(name) : "memory"); /* no tail call, and the name stays */
	return result;
}

__attribute__((visibility("hidden"))) uintptr_t trampoline;
void enter_handler(int signal);
__attribute__((visibility("hidden"), used)) void handler(int signal);

/* A handler that returns through our page; see sigreturn.cc. */
#if defined(__aarch64__)
__asm__(".text\n.globl enter_handler\nenter_handler:\n	adrp x9, trampoline\n"
	"	ldr x30, [x9, :lo12:trampoline]\n	b handler\n");
#elif defined(__riscv)
__asm__(".text\n.globl enter_handler\nenter_handler:\n	lla t0, trampoline\n	ld ra, 0(t0)\n"
	"	tail handler\n");
#endif

static volatile int handled;

void handler(int signal)
{
	handled = signal;
}

static fn *find(const struct uvdso *page, const char *name)
{
	return (fn *)(uintptr_t)uvdso_symbol(page, name, VDSO_VERSION);
}

#ifdef __riscv
static long result(long returned)
{
	return returned < 0 ? -errno : returned;
}
#endif

int main(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC_RAW,
					   CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID,
					   -1};
	struct uvdso_options shifted = {.offset = {1000, 1000, 1000, 1000}};
	struct uvdso *page[2];
	char why[256];

	if (uvdso_boot(&page[0], NULL, why, sizeof(why)) ||
	    uvdso_boot(&page[1], &shifted, why, sizeof(why)))
		return puts(why), 1;
	for (int i = 0; i < 2; i++) {
		fn *gettime = find(page[i], VDSO_NAME("clock_gettime"));
		fn *getres = find(page[i], VDSO_NAME("clock_getres"));
		fn *timeofday = find(page[i], VDSO_NAME("gettimeofday"));
		struct timespec ts;
		struct timeval tv;
		struct timezone tz;

		for (size_t c = 0; c < sizeof(clocks) / sizeof(clocks[0]); c++) {
			call("clock_gettime", gettime, clocks[c], (long)&ts, 0, 0, 0);
			call("clock_getres", getres, clocks[c], (long)&ts, 0, 0, 0);
		}
		call("gettimeofday", timeofday, (long)&tv, (long)&tz, 0, 0, 0);
	}
	{
		fn *getrandom = find(page[0], VDSO_NAME("getrandom"));
		void *states = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		static unsigned char bytes[256];

		call("getrandom", getrandom, (long)bytes, 100, 0, (long)states,
		     sizeof(struct vgetrandom_state));
		call("getrandom", getrandom, (long)bytes, 13, 0, (long)states,
		     sizeof(struct vgetrandom_state));
		call("getrandom", getrandom, (long)bytes, 1, 0, (long)states, 1);
	}
#ifdef __riscv
	{
		static unsigned cpu[2], node[2];
		static long pairs[2][2];
		bool same = true;

		/* These are system calls, and answer as system calls do. */
		same &= call("getcpu", find(page[0], VDSO_NAME("getcpu")), (long)&cpu[0],
			     (long)&node[0], 0, 0,
			     0) == result(syscall(SYS_getcpu, &cpu[1], &node[1], NULL)) &&
			node[0] == node[1];
		same &= call("flush_icache", find(page[0], VDSO_NAME("flush_icache")),
			     (long)pairs, (long)pairs, 8, 0, 0) ==
			result(syscall(259, pairs, pairs, 8)); /* an unknown flag: EINVAL */
		same &= call("riscv_hwprobe", find(page[0], VDSO_NAME("riscv_hwprobe")),
			     (long)pairs[0], 1, 0, 0,
			     0) == result(syscall(258, pairs[1], 1, 0, 0, 0)) &&
			!memcmp(pairs[0], pairs[1], sizeof(pairs[0]));
		printf("calls %s\n", same ? "same" : "differ");
	}
#endif
	trampoline = (uintptr_t)find(page[0], VDSO_NAME("rt_sigreturn"));
	if (trampoline) {
		struct sigaction action = {.sa_handler = enter_handler};

		sigaction(SIGUSR1, &action, NULL);
		raise(SIGUSR1);
	}
	printf("done %d\n", handled == SIGUSR1);
	uvdso_shutdown(page[1]);
	uvdso_shutdown(page[0]);
	return 0;
}
