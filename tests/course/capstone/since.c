#if defined(__ASSEMBLER__)
/*
 * long ns_since(const struct timespec *then) - nanoseconds of CLOCK_MONOTONIC since then;
 * without it clock_gettime(2) and a difference.
 */
/* clang-format off */
#define VDSO_OWN_VERSIONS MINE_1 { global: __vdso_ns_since; ns_since; };
/* clang-format on */

#elif !__STDC_HOSTED__
#	include "vdso.h"

struct moment {
	s64 sec, nsec;
};

VDSO_EXPORTED int VDSO_PREFIX(clock_gettime)(s32 clock, struct moment *now);

EXPORT(long, ns_since, (const struct moment *then))
{
	struct moment now;

	if (VDSO_PREFIX(clock_gettime)(VDSO_CLOCK_MONOTONIC, &now))
		return -1;
	return (now.sec - then->sec) * NSEC_PER_SEC + now.nsec - then->nsec;
}

#else
#	include <dlfcn.h>
#	include <stdio.h>
#	include <sys/syscall.h>
#	include <time.h>
#	include <unistd.h>

typedef long ns_since_fn(const struct timespec *then);

void *find(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);

	return vdso ? dlvsym(vdso, "__vdso_ns_since", "MINE_1") : NULL;
}

static long by_libc(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000000000 + now.tv_nsec - then->tv_nsec;
}

bool is_right(void *function)
{
	ns_since_fn *ns_since = (ns_since_fn *)function;
	struct timespec then = {.tv_sec = 1};
	long before = by_libc(&then), now = ns_since(&then), after = by_libc(&then);

	if (now < before || now > after)
		printf("%ld is not from %ld to %ld\n", now, before, after);
	return now >= before && now <= after;
}

void show(void *function)
{
	struct timespec then = {0};

	printf("%ld ns\n", function ? ((ns_since_fn *)function)(&then) : by_libc(&then));
}

void ask_vdso(void *function, long calls)
{
	ns_since_fn *ns_since = (ns_since_fn *)function;
	struct timespec then = {0};

	while (calls-- > 0)
		ns_since(&then);
}

void ask_libc(long calls)
{
	struct timespec then = {0};

	while (calls-- > 0)
		by_libc(&then);
}

void ask_kernel(long calls)
{
	struct timespec now;

	while (calls-- > 0)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
}
#endif
