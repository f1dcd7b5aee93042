/*
 * i386/machine.h - what the vDSO needs from this machine: its counter, its way into the
 * kernel, its pause, its CPU number.
 *
 * The processors are those of x86_64/machine.h with registers of 32 bits, under the same 64-bit
 * kernel or a 32-bit one. Only the differences are explained here.
 */
#ifndef VDSO_ARCH_MACHINE_H
#define VDSO_ARCH_MACHINE_H

#include <vdso/alternative.h>
#include <vdso/types.h>

#define VDSO_PREFIX(name) __vdso_##name
#define VDSO_WEAK_ALIASES 0
#define VDSO_EXPORTS_TIME 1

/*
 * long has 32 bits, and so has the time of the old functions: after January 2038 comes 1901.
 * clock_gettime64 is clock_gettime with 64 bits.
 */
#define VDSO_TIME32 1

/* asm/unistd_32.h. All use 32-bit times, except the one with 64 in its name. */
#define ARCH_NR_GETTIMEOFDAY    78
#define ARCH_NR_CLOCK_GETTIME   265
#define ARCH_NR_GETCPU          318
#define ARCH_NR_CLOCK_GETRES    266
#define ARCH_NR_CLOCK_GETTIME64 403 /* Linux 5.1 */

static inline __attribute__((always_inline)) u64 arch_counter(void)
{
	u64 both; /* "A": edx:eax, which is where the instructions leave it */

	__asm__ volatile(VDSO_REPLACEABLE("lfence\n\trdtsc") /* 5 bytes */
			 VDSO_OR_WITH(VDSO_CPU_RDTSCP, "rdtscp")
			 : "=A"(both)
			 :
			 : "ecx", "memory");
	return both;
}

static inline __attribute__((always_inline)) void arch_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* By INT 0x80, which is slow; vsyscall.S says why not SYSENTER. It changes eax only. */
static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(nr), "b"(a), "c"(b) : "memory");
	return ret;
}

/*
 * As on x86-64; a 64-bit kernel has the selector 0x7b for 32-bit programs, too. A 32-bit kernel
 * has its data segment there, which ends where memory does, and is asked. (It sets no TSC_AUX
 * either, so the loader puts neither of the others in.)
 */
static inline __attribute__((always_inline)) u32 arch_cpu_and_node(void)
{
	u32 both;

	__asm__ volatile(VDSO_REPLACEABLE("mov $0x7b, %%eax\n\tlsl %%eax, %%eax") /* 8 bytes */
			 VDSO_OR_WITH(VDSO_CPU_RDTSCP, "rdtscp\n\tmov %%ecx, %%eax")
				 VDSO_OR_WITH(VDSO_CPU_RDPID, "rdpid %%eax")
			 : "=a"(both)
			 :
			 : "ecx", "edx", "cc");
	if (both == ~0u) {
		u32 cpu = 0, node = 0;

		arch_syscall2(ARCH_NR_GETCPU, (long)&cpu, (long)&node);
		both = node << 12 | cpu;
	}
	return both;
}
#define ARCH_CPU_MASK   0xfffu
#define ARCH_NODE_SHIFT 12

#endif
