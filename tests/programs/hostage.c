/*
 * hostage.c - a program that needs nothing of its host: no C library, and hardly a system call.
 *
 *	hostage SECONDS          42 if the vDSO's REALTIME is within a minute of that and goes
 * on hostage SECONDS again    the same by another exec of itself
 *
 * 43 if its clock is wrong, 44 if a descriptor is open that it was not started with.
 */
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
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

static int judge(const char *image, long seconds)
{
	gettime *clock = image ? find(image) : NULL;
	struct timespec ts, one, two;

	/* A clock that makes a system call, which is denied, is not a wrong clock. */
	if (!clock || (clock(CLOCK_REALTIME, &ts) && clock(CLOCK_REALTIME, &ts)) ||
	    (clock(CLOCK_MONOTONIC, &one) && clock(CLOCK_MONOTONIC, &one)))
		return clock ? 42 : 43;
	if (ts.tv_sec < seconds - 60 || ts.tv_sec > seconds + 60)
		return 43;
	for (int turn = 0; turn < 100000; turn++) {
		if (clock(CLOCK_MONOTONIC, &two))
			continue;
		if (two.tv_sec < one.tv_sec)
			return 43;
		if (two.tv_sec == one.tv_sec && two.tv_nsec < one.tv_nsec)
			return 43;
		one = two;
	}
	for (int fd = 3; fd < 64; fd++)
		if (call(SYS_fcntl, fd, F_GETFD, 0) >= 0)
			return 44;
	return 42;
}

__attribute__((used, noreturn)) static void begin(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1, **end = envp;
	const char *image = NULL, *digits = argv[1];
	long seconds = 0, status;

	while (*end)
		end++;
	for (const Elf64_auxv_t *v = (const void *)(end + 1); v->a_type != AT_NULL; v++)
		if (v->a_type == AT_SYSINFO_EHDR)
			image = (const char *)v->a_un.a_val;
	while (*digits)
		seconds = seconds * 10 + (*digits++ - '0');
	status = judge(image, seconds);
	if (stack[0] > 2 && status == 42) {
		argv[2] = NULL;
		call(SYS_execve, (long)argv[0], (long)argv, (long)envp);
		status = 45;
	}
	call(SYS_exit_group, status, 0, 0);
	call(SYS_exit, status, 0, 0);
	__builtin_trap();
}
