/*
 * hostage.c - a program that needs nothing of its host: no C library, and hardly a system call.
 *
 *	hostage SECONDS          42 if its clocks are right and go on: REALTIME, which is within
 *	                         a minute of that, is a thousand days ahead of the kernel's; or
 *	                         of what system calls say, where a tracer answers them
 *	hostage SECONDS again    the same, by another exec of itself
 *	hostage SECONDS UVDSO    the same, and a wait until a moment of REALTIME; then `UVDSO
 *	                         clock` sets that a thousand days further
 *
 * 43 if a clock is wrong, 44 if a descriptor is open that it was not started with, 46 if it has
 * a child that has ended, 48 if `UVDSO clock` has failed, and the clocks are right. Calls
 * of its own may fail: then it goes without what they would have said.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>

#include "bare_call.h"
#include "libc/vdso_names.h"

BARE_ENTRY(begin);

static long call(long nr, long a, long b, long c)
{
	return call6(nr, a, b, c, 0, 0, 0);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

typedef int gettime(clockid_t, struct timespec *);

static gettime *find(const char *image)
{
	const Elf64_Ehdr *ehdr = (const void *)image;
	const Elf64_Phdr *ph = (const void *)(image + ehdr->e_phoff);
	const Elf64_Sym *symbol = NULL;
	const char *strings = NULL;

	for (int i = 0; i < ehdr->e_phnum; i++)
		for (const Elf64_Dyn *d = (const void *)(image + ph[i].p_offset);
		     ph[i].p_type == PT_DYNAMIC && d->d_tag != DT_NULL; d++) {
			if (d->d_tag == DT_SYMTAB)
				symbol = (const void *)(image + d->d_un.d_ptr);
			if (d->d_tag == DT_STRTAB)
				strings = image + d->d_un.d_ptr;
		}
	/* The strings come after the symbols. */
	for (; symbol && (const char *)symbol < strings; symbol++)
		if (same(strings + symbol->st_name, VDSO_NAME("clock_gettime")))
			return (gettime *)(image + symbol->st_value);
	return NULL;
}

#define DAYS 1000
#define NSEC 1000000000l
#define MSEC 1000000l

/*
 * A coarse clock is late by a tick; where nobody keeps the time, until the watchdog has looked,
 * which waits for a CPU like everybody.
 */
#define SLACK        MSEC
#define COARSE_SLACK (5 * NSEC)

static long ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

/* Between two answers of the kernel. */
static int is_right(gettime *clock, clockid_t id, clockid_t kernels, long ahead, long late)
{
	struct timespec before, ours, after;

	if (call(SYS_clock_gettime, kernels, (long)&before, 0) || clock(id, &ours) ||
	    call(SYS_clock_gettime, kernels, (long)&after, 0))
		return 1;
	return ns(&ours) - ahead >= ns(&before) - late &&
	       ns(&ours) - ahead <= ns(&after) + SLACK;
}

/* How far it is ahead of what system calls say: not at all if that is the program's own time.
 */
static long how_far(long seconds)
{
	struct timespec ts;

	if (call(SYS_clock_gettime, CLOCK_REALTIME, (long)&ts, 0))
		return 0;
	return ts.tv_sec > seconds - 60 ? 0 : DAYS * 86400l * NSEC;
}

static int are_right(gettime *clock, long ahead)
{
#define IS_RIGHT(id, kernels, ...) is_right(clock, CLOCK_##id, CLOCK_##kernels, __VA_ARGS__)
	return IS_RIGHT(REALTIME, REALTIME, ahead, SLACK) &&
	       IS_RIGHT(REALTIME_COARSE, REALTIME, ahead, COARSE_SLACK) &&
	       IS_RIGHT(MONOTONIC, MONOTONIC, 0, SLACK) &&
	       IS_RIGHT(MONOTONIC_RAW, MONOTONIC_RAW, 0, SLACK) &&
	       IS_RIGHT(MONOTONIC_COARSE, MONOTONIC, 0, COARSE_SLACK) &&
	       IS_RIGHT(BOOTTIME, BOOTTIME, 0, SLACK);
}

/* Until a moment that comes soon. That it fails is another matter. */
static int waits_until(gettime *clock)
{
	struct timespec begin, until, end;

	if (clock(CLOCK_REALTIME, &until) || clock(CLOCK_MONOTONIC, &begin))
		return 1;
	until.tv_nsec += 5 * MSEC;
	until.tv_sec += until.tv_nsec / NSEC;
	until.tv_nsec %= NSEC;
	if (call6(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, (long)&until, 0, 0, 0))
		return 1;
	if (clock(CLOCK_MONOTONIC, &end) || ns(&end) - ns(&begin) > COARSE_SLACK)
		return 0;
	return clock(CLOCK_REALTIME, &end) || ns(&end) >= ns(&until);
}

/* Decimal digits, from behind. */
static char *digits_of(char *end, long number)
{
	*--end = 0;
	do
		*--end = (char)('0' + number % 10);
	while (number /= 10);
	return end;
}

/* Sets REALTIME, of the whole tree. Returns the status of that, or -1. */
static int set_clock(const char *uvdso, char **envp)
{
	char text[24];
	const char *argv[] = {uvdso, "clock", "--offset", "realtime=+2000d", NULL, NULL};
	long self = call(SYS_getpid, 0, 0, 0), child;
	int status = -1;

	if (self <= 0)
		return -1;
	argv[4] = digits_of(text + sizeof(text), self);
	child = call6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (child == 0) {
		call(SYS_execve, (long)uvdso, (long)argv, (long)envp);
		call(SYS_exit, 97, 0, 0);
	}
	if (child < 0)
		return -1;
	for (int turn = 0; turn < 3; turn++)
		if (call6(SYS_wait4, child, (long)&status, __WALL, 0, 0, 0) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return -1;
}

/* Afterwards it shows the one or the other, as it was told. */
static int judge_setting(gettime *clock, long seconds, int set)
{
	struct timespec ts;
	long ahead;

	if (clock(CLOCK_REALTIME, &ts))
		return 42;
	ahead = ts.tv_sec - seconds;
	if (set == 0 && (ahead < DAYS * 86400l - 60 || ahead > DAYS * 86400l + 60))
		return 43;
	if (set && !(ahead > -60 && ahead < 60) &&
	    !(ahead > DAYS * 86400l - 60 && ahead < DAYS * 86400l + 60))
		return 43;
	return set == 2 ? 48 : 42;
}

/* Long enough for some updates, and two looks of the watchdog. */
#define ROUNDS 12

static int judge(const char *image, long seconds)
{
	static const struct timespec pause = {0, 4 * MSEC};
	gettime *clock = image ? find(image) : NULL;
	struct timespec ts, one, two;
	long ahead;

	/* A clock that makes a system call, which is denied, is not a wrong clock. */
	if (!clock || (clock(CLOCK_REALTIME, &ts) && clock(CLOCK_REALTIME, &ts)) ||
	    (clock(CLOCK_MONOTONIC, &one) && clock(CLOCK_MONOTONIC, &one)))
		return clock ? 42 : 43;
	if (ts.tv_sec < seconds - 60 || ts.tv_sec > seconds + 60)
		return 43;
	ahead = how_far(seconds);
	for (int round = 0; round < ROUNDS; round++) {
		for (int turn = 0; turn < 100; turn++) {
			if (clock(CLOCK_MONOTONIC, &two))
				continue;
			if (ns(&two) < ns(&one))
				return 43;
			one = two;
		}
		if (!are_right(clock, ahead))
			return 43;
		call(SYS_nanosleep, (long)&pause, 0, 0);
	}
	for (int fd = 3; fd < 64; fd++)
		if (call(SYS_fcntl, fd, F_GETFD, 0) >= 0)
			return 44;
	/* That has ended, of whatever kind (wait(2), __WALL): attendants may be hidden
	 * children. */
	if (call6(SYS_wait4, -1, 0, WNOHANG | __WALL, 0, 0, 0) > 0)
		return 46;
	return 42;
}

__attribute__((used, noreturn)) static void begin(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1, **end = envp;
	const char *image = NULL, *digits = argv[1];
	long seconds = 0, status;
	struct timex timex;

	while (*end)
		end++;
	for (const Elf64_auxv_t *v = (const void *)(end + 1); v->a_type != AT_NULL; v++)
		if (v->a_type == AT_SYSINFO_EHDR)
			image = (const char *)v->a_un.a_val;
	while (*digits)
		seconds = seconds * 10 + (*digits++ - '0');
	status = judge(image, seconds);
	/* Looks at the kernel's clock, but where it is followed it is a call that sets it. */
	for (unsigned char *byte = (void *)&timex; byte < (unsigned char *)(&timex + 1); byte++)
		*byte = 0;
	call(SYS_adjtimex, (long)&timex, 0, 0);
	if (stack[0] > 2 && status == 42 && argv[2][0] == '/') {
		gettime *clock = find(image);

		/* Where it is not followed a wait is by the machine's clock. */
		status = !how_far(seconds) && !waits_until(clock)
				 ? 43
				 : judge_setting(clock, seconds, set_clock(argv[2], envp));
	} else if (stack[0] > 2 && status == 42) {
		argv[2] = NULL;
		call(SYS_execve, (long)argv[0], (long)argv, (long)envp);
		status = 45;
	}
	call(SYS_exit_group, status, 0, 0);
	call(SYS_exit, status, 0, 0);
	__builtin_trap();
}
