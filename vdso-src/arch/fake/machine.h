/*
 * fake/machine.h - a machine made for tests: nothing happens on it by itself.
 *
 * It is a port like the others (the list is at the top of vdso-src/gettime.c), but every item
 * is a function of the test. The test decides what the counter shows and what a system call
 * returns, and sees what the vDSO asks for. It can also do what no real machine lets it do:
 * the vDSO calls fake_load() before each load of shared memory, and there the test may play
 * the writer. What takes luck and millions of tries on real machines is then a list of cases:
 * a writer between the first load and the second, between the second and the third, and so on.
 *
 * The real writer can be had on it as well (tests/time/update.c), with a reader, or a long
 * wait, between any two of its stores.
 *
 * Loads on this machine always happen in the order of the source, so it cannot show that a
 * barrier is missing.
 */
#ifndef VDSO_ARCH_MACHINE_H
#define VDSO_ARCH_MACHINE_H

#ifdef VDSO_ONCE_H
#	error "include machine.h before vdso/once.h, which looks for VDSO_LOAD_HOOK"
#endif
#include <vdso/types.h>

/* What the test supplies. */
u64 fake_counter(void);
void fake_relax(void);
long fake_syscall2(long nr, long a, long b);
long fake_syscall3(long nr, long a, long b, long c);
u32 fake_cpu_and_node(void);
void fake_load(const volatile void *address);
void fake_store(const volatile void *address);

#define VDSO_LOAD_HOOK(p)  fake_load(p)
#define VDSO_STORE_HOOK(p) fake_store(p)

/* Names that no C library has: vDSO and C library are in the same program here. */
#define VDSO_PREFIX(name) fake_##name
#define VDSO_WEAK_ALIASES 0
#define VDSO_EXPORTS_TIME 1
#define VDSO_TIME32       0

/* A turn takes as long as the test likes, so few will do. */
#define ARCH_COARSE_WAITS 512

/* Numbers that no kernel has, so that a real system call would be noticed. */
#define ARCH_NR_GETTIMEOFDAY  100001
#define ARCH_NR_CLOCK_GETTIME 100002
#define ARCH_NR_CLOCK_GETRES  100003
#define ARCH_NR_GETRANDOM     100004

static inline __attribute__((always_inline)) u64 arch_counter(void)
{
	return fake_counter();
}

static inline __attribute__((always_inline)) void arch_relax(void)
{
	fake_relax();
}

static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
{
	return fake_syscall2(nr, a, b);
}

static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
{
	return fake_syscall3(nr, a, b, c);
}

/* Not split as on x86-64, so that a constant in place of these macros is noticed. */
static inline __attribute__((always_inline)) u32 arch_cpu_and_node(void)
{
	return fake_cpu_and_node();
}
#define ARCH_CPU_MASK   0xffffu
#define ARCH_NODE_SHIFT 16

#endif
