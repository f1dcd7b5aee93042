/*
 * aarch64/machine.h - what the vDSO needs from this machine: its counter, its way into the
 * kernel, its pause.
 *
 * What a port supplies, and what each item must promise, is listed at the top of
 * vdso-src/gettime.c and, for random numbers, of vdso-src/getrandom.c.
 */
#ifndef VDSO_ARCH_MACHINE_H
#define VDSO_ARCH_MACHINE_H

#include <vdso/types.h>

/* The prefix is __kernel_, and there is no time() and no getcpu(). */
#define VDSO_PREFIX(name) __kernel_##name
#define VDSO_WEAK_ALIASES 0
#define VDSO_EXPORTS_TIME 0

/*
 * One turn of a spin loop. YIELD (Arm ARM, C6.2) tells hypervisors and emulators; most cores
 * treat it as a no-operation. The ISBs make it last: a reader gives up after a number of turns,
 * and must not do so before a running writer has had time to finish.
 */
static inline __attribute__((always_inline)) void arch_relax(void)
{
	__asm__ volatile("yield\n\tisb\n\tisb\n\tisb\n\tisb" : : : "memory");
}

/* course: begin 12-machines */
/* asm-generic/unistd.h */
#define ARCH_NR_GETTIMEOFDAY  169
#define ARCH_NR_CLOCK_GETTIME 113
#define ARCH_NR_CLOCK_GETRES  114
#define ARCH_NR_GETRANDOM     278

/*
 * The virtual counter of the generic timer. The CPU may read the register too early, and no
 * memory barrier prevents that, because the register is not memory (Arm ARM, D13.8). ISB does:
 * what follows it is fetched anew when the branches before it are decided, and those of a
 * reader need what it has loaded: number and mode.
 *
 * Nor may the read come too late, after the reader's second look at the sequence counter: the
 * count would be from after an update and the base from before it. So a load follows whose
 * address depends on the count, and the fence before the second look (vdso_read_retry()) waits
 * for all loads. The load is from the stack, which is always mapped.
 */
static inline __attribute__((always_inline)) u64 arch_counter(void)
{
	u64 now, nothing;

	__asm__ volatile("isb\n\t"
			 "mrs %0, cntvct_el0\n\t"
			 "eor %1, %0, %0\n\t"
			 "ldr xzr, [sp, %1]"
			 : "=r"(now), "=&r"(nothing)
			 :
			 : "memory");
	return now;
}

/* A system call with two arguments. Returns what the kernel returns: 0.. or -errno. */
static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

/* The same with three. */
static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
/* course: end 12-machines */

#endif
