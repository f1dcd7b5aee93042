/*
 * x86_64/machine.h - what the vDSO needs from this machine: its counter, its way into the
 * kernel, its pause, its CPU number.
 *
 * What a port supplies, and what each item must promise, is listed at the top of
 * vdso-src/gettime.c and, for random numbers, of vdso-src/getrandom.c.
 */
#ifndef VDSO_ARCH_MACHINE_H
#define VDSO_ARCH_MACHINE_H

#include <vdso/alternative.h>
#include <vdso/types.h>

/* On x86-64 each function is exported twice: as __vdso_x, and as x, which is weak. */
#define VDSO_PREFIX(name) __vdso_##name
#define VDSO_WEAK_ALIASES 1
#define VDSO_EXPORTS_TIME 1
#define VDSO_TIME32       0

/* asm/unistd_64.h */
#define ARCH_NR_GETTIMEOFDAY  96
#define ARCH_NR_CLOCK_GETTIME 228
#define ARCH_NR_CLOCK_GETRES  229
#define ARCH_NR_GETRANDOM     318

/*
 * The time stamp counter, read neither too early nor too late. RDTSC alone may run before the
 * loads that precede it (Intel SDM volume 2, RDTSC); a reader would then combine an early count
 * with a late base. LFENCE waits until everything before it has completed; on AMD only if the
 * kernel has made it serialising, which Linux does at boot. RDTSCP waits by itself and is a
 * little faster.
 */
static inline __attribute__((always_inline)) u64 arch_counter(void)
{
	u64 low, high; /* the upper halves of both registers become zero */

	/* ecx: RDTSCP puts the CPU's number there. */
	__asm__ volatile(VDSO_REPLACEABLE("lfence\n\trdtsc") /* 5 bytes */
			 VDSO_OR_WITH(VDSO_CPU_RDTSCP, "rdtscp")
			 : "=a"(low), "=d"(high)
			 :
			 : "ecx", "memory");
	return high << 32 | low;
}

/* Tells the core that this is a spin loop (SDM volume 2, PAUSE). */
static inline __attribute__((always_inline)) void arch_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* A system call with two arguments. Returns what the kernel returns: 0.. or -errno. */
static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
{
	long ret;

	/* SYSCALL itself overwrites rcx and r11 (SDM volume 2, SYSCALL). */
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The same with three. */
static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/*
 * CPU and NUMA node in one number, node << 12 | cpu. Linux puts it where three instructions can
 * read it: LSL, as the limit of a segment that exists only for this (0x7b is its selector);
 * RDTSCP, from the register TSC_AUX; and RDPID, from the same register without reading the
 * counter (Intel SDM volume 2).
 *
 * Every CPU has LSL, but valgrind dies of it and qemu-user gives a wrong answer; both support
 * RDTSCP and report that they lack RDPID. Hence this order.
 */
static inline __attribute__((always_inline)) u32 arch_cpu_and_node(void)
{
	u32 both;

	__asm__ volatile(VDSO_REPLACEABLE("mov $0x7b, %%eax\n\tlsl %%eax, %%eax") /* 8 bytes */
			 VDSO_OR_WITH(VDSO_CPU_RDTSCP, "rdtscp\n\tmov %%ecx, %%eax")
				 VDSO_OR_WITH(VDSO_CPU_RDPID, "rdpid %%rax")
			 : "=a"(both)
			 :
			 : "ecx", "edx", "cc");
	return both;
}
#define ARCH_CPU_MASK   0xfffu
#define ARCH_NODE_SHIFT 12

#endif
