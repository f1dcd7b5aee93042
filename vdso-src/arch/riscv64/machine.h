/*
 * riscv64/machine.h - what the vDSO needs from this machine: its counter, its way into the
 * kernel, its pause.
 *
 * What a port supplies, and what each item must promise, is listed at the top of
 * vdso-src/gettime.c and, for random numbers, of vdso-src/getrandom.c.
 */
#ifndef VDSO_ARCH_MACHINE_H
#define VDSO_ARCH_MACHINE_H

#include <vdso/types.h>

/* No weak names, no time(). getcpu() is a system call: see calls.S. */
#define VDSO_PREFIX(name) __vdso_##name
#define VDSO_WEAK_ALIASES 0
#define VDSO_EXPORTS_TIME 0

/*
 * One turn of a spin loop: PAUSE, which older cores execute at once, as a fence. So there are
 * several: a reader gives up after a number of turns, and must not do so before a running
 * writer has had time to finish.
 */
static inline __attribute__((always_inline)) void arch_relax(void)
{
	/* +r: without a known count the compiler does not unroll the loop. */
	for (u32 i = 16; i > 0; i--)
		__asm__ volatile(".4byte 0x0100000f" : "+r"(i) : : "memory");
}

/* course: begin 12b-riscv64 */
/* asm-generic/unistd.h */
#define ARCH_NR_GETTIMEOFDAY  169
#define ARCH_NR_CLOCK_GETTIME 113
#define ARCH_NR_CLOCK_GETRES  114
#define ARCH_NR_GETRANDOM     278

/*
 * The time CSR. Reading it counts as device input, which has no fixed order with loads unless
 * a FENCE names both (unprivileged ISA, "CSR Access Ordering"): first the loads before it (r),
 * then the counter (i), then the loads after it. Where firmware answers the read, the read
 * traps, and next to that the fences cost nothing.
 */
static inline __attribute__((always_inline)) u64 arch_counter(void)
{
	u64 now;

	__asm__ volatile("fence r, i\n\t"
			 "rdtime %0\n\t"
			 "fence i, r"
			 : "=r"(now)
			 :
			 : "memory");
	return now;
}

/* A system call with two arguments. Returns what the kernel returns: 0.. or -errno. */
static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1) : "memory");
	return a0;
}

/* The same with three. */
static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return a0;
}
/* course: end 12b-riscv64 */

#endif
