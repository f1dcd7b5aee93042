/*
 * own.c - a function of your own, in three parts: what it promises, its code, and a program
 * that calls it.
 *
 * Three tools read this file, and each sees one part: the linker script the version node, the
 * compiler of the image the function, and the compiler of a program the caller, which knows a
 * name and a version and nothing else of us. `make own` builds such an image and the program.
 * The image that everybody gets has nothing of it.
 */
/* course: begin 16-measuring */
#if defined(__ASSEMBLER__)
/*
 * long coarse_ns(void)
 *	What CLOCK_MONOTONIC_COARSE shows, in nanoseconds, for programs that note times often
 *	and need no exact ones. It never goes back. Where the data page has no answer,
 *	clock_gettime(2) gives it.
 */
/* clang-format off */
#define VDSO_OWN_VERSIONS         \
	UVDSO_1 {                 \
	global:                   \
		__vdso_coarse_ns; \
		coarse_ns;        \
	};
/* clang-format on */

#elif !__STDC_HOSTED__
/* In the image. */
#	include "vdso.h"
#	include <vdso/once.h>
#	include <vdso/seqcount.h>

struct answer {
	s64 sec, nsec;
};

VDSO_EXPORTED int VDSO_PREFIX(clock_gettime)(s32 clock, struct answer *answer);

EXPORT(long, coarse_ns, (void))
{
	const struct vdso_data *vd = vdso_data;
	u32 seq = vdso_read_begin(vd);
	struct answer now;

	now.sec = (s64)read_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE].sec);
	now.nsec = (s64)read_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE].nsec);
	/*
	 * An odd number: an update, an offset to add, or nobody keeps the data page. The
	 * function that knows all of that is in the same image, and makes a system call where
	 * it must.
	 */
	if (unlikely(seq & 1 || vdso_read_retry(vd, seq)))
		VDSO_PREFIX(clock_gettime)(VDSO_CLOCK_MONOTONIC_COARSE, &now);
	return (long)(now.sec * NSEC_PER_SEC + now.nsec);
}

#else
/* A program. */
#	include <dlfcn.h>
#	include <stdio.h>
#	include <sys/syscall.h>
#	include <time.h>
#	include <unistd.h>

typedef long coarse_ns_fn(void);

void *find(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);

	return vdso ? dlvsym(vdso, "__vdso_coarse_ns", "UVDSO_1") : NULL;
}

static long by_libc(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* A clock cannot be asked twice for the same moment, but it can be asked before and after. */
bool is_right(void *function)
{
	coarse_ns_fn *coarse_ns = (coarse_ns_fn *)function;
	long before = by_libc(), now = coarse_ns(), after = by_libc();

	if (before <= now && now <= after)
		return true;
	printf("coarse_ns() says %ld; clock_gettime() before %ld, after %ld\n", now, before,
	       after);
	return false;
}

void show(void *function)
{
	long now = function ? ((coarse_ns_fn *)function)() : by_libc();

	printf("%ld.%09ld s\n", now / 1000000000, now % 1000000000);
}

void ask_vdso(void *function, long calls)
{
	coarse_ns_fn *coarse_ns = (coarse_ns_fn *)function;

	while (calls-- > 0)
		coarse_ns();
}

void ask_libc(long calls)
{
	while (calls-- > 0)
		by_libc();
}

void ask_kernel(long calls)
{
	struct timespec ts;

	while (calls-- > 0)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &ts);
}
#endif
/* course: end 16-measuring */
