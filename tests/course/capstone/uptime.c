#if defined(__ASSEMBLER__)
/*
 * long tenths(void);
 *
 * Tenths of a second since the machine was started, CLOCK_BOOTTIME. clock_gettime(2) says the
 * same.
 */
/* clang-format off */
#define VDSO_OWN_VERSIONS TENTHS_1.0 { global: __vdso_tenths; tenths; local: *; };
/* clang-format on */

#elif !__STDC_HOSTED__
#	include "vdso.h"
#	include <vdso/cycles.h>
#	include <vdso/seqcount.h>

static long of_kernel(long sec, long nsec)
{
	long now[2];
	long ret = arch_syscall2(ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_BOOTTIME, (long)now);

	return ret ? ret : (now[0] + sec) * 10 + (now[1] + nsec) / 100000000;
}

static long tenths_of(const struct vdso_data *vd, const struct vdso_data *offsets)
{
	long sec = 0, nsec = 0;
	u64 now, ns;
	u32 seq;
	int tries = 100;

	if (offsets) {
		sec = offsets->offset[VDSO_CLOCK_BOOTTIME].sec;
		nsec = (long)offsets->offset[VDSO_CLOCK_BOOTTIME].nsec;
	}
	do {
		seq = vdso_read_begin(vd);
		if (vd->clock_mode != VDSO_CLOCKMODE_COUNTER || --tries == 0)
			return of_kernel(sec, nsec);
		now = arch_counter() - vd->cycle_last;
		if (now > vd->max_cycles)
			now = 0;
		ns = vdso_cycles_to_snsec(now, vd->mult,
					  vd->basetime[VDSO_CLOCK_BOOTTIME].nsec) >>
		     vd->shift;
		ns += vd->basetime[VDSO_CLOCK_BOOTTIME].sec * NSEC_PER_SEC;
	} while (seq & 1 || vdso_read_retry(vd, seq));
	return (long)((ns + (u64)(sec * NSEC_PER_SEC + nsec)) / 100000000);
}

EXPORT(long, tenths, (void))
{
	const struct vdso_data *vd = vdso_data;

	if (vd->clock_mode != VDSO_CLOCKMODE_TIMENS)
		return tenths_of(vd, 0);
	__asm__("" : "+r"(vd)); /* compilers know how large vdso_data is */
	return tenths_of((const void *)((const char *)vd + VDSO_STRIDE), vdso_data);
}

#else
#	include <dlfcn.h>
#	include <stdio.h>
#	include <sys/syscall.h>
#	include <time.h>
#	include <unistd.h>

void *find(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);

	return vdso ? dlvsym(vdso, "tenths", "TENTHS_1.0") : NULL;
}

static long by_libc(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 10 + ts.tv_nsec / 100000000;
}

bool is_right(void *function)
{
	long before = by_libc(), now = ((long (*)(void))function)(), after = by_libc();

	if (before <= now && now <= after)
		return true;
	printf("%ld, and not from %ld to %ld\n", now, before, after);
	return false;
}

void show(void *function)
{
	printf("%ld\n", function ? ((long (*)(void))function)() : by_libc());
}

void ask_vdso(void *function, long calls)
{
	for (long (*tenths)(void) = function; calls > 0; calls--)
		tenths();
}

void ask_libc(long calls)
{
	for (; calls > 0; calls--)
		by_libc();
}

void ask_kernel(long calls)
{
	for (long now[2]; calls > 0; calls--)
		syscall(SYS_clock_gettime, CLOCK_BOOTTIME, now);
}
#endif
