/*
 * cpu.c - see cpu.h. x86-64.
 */
#include <cpuid.h>
#include <vdso/alternative.h>

#include "kernel/time/clocksource.h"
#include "kernel/arch/cpu.h"

/* CPUID bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. */
#define LEAF_FEATURES     7
#define ECX_RDPID         (1u << 22)
#define LEAF_EXTENDED     0x80000001
#define EDX_RDTSCP        (1u << 27)
#define LEAF_POWER        0x80000007
#define EDX_INVARIANT_TSC (1u << 8)

bool counter_usable(const char **why)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(LEAF_POWER, &a, &b, &c, &d) || !(d & EDX_INVARIANT_TSC)) {
		*why = "the CPU does not promise an invariant time stamp counter";
		return false;
	}
	if (!clocksource_is("tsc")) {
		*why = "the kernel's clocksource is not tsc (see " CLOCKSOURCE_PATH ")";
		return false;
	}
	return true;
}

u64 counter_mask(void)
{
	return ~0ull;
}

bool cpu_has(unsigned feature)
{
	unsigned a, b, c, d;

	switch (feature) {
	case VDSO_CPU_RDTSCP:
		return __get_cpuid(LEAF_EXTENDED, &a, &b, &c, &d) && d & EDX_RDTSCP;
	case VDSO_CPU_RDPID:
		return __get_cpuid_count(LEAF_FEATURES, 0, &a, &b, &c, &d) && c & ECX_RDPID;
	case VDSO_CPU_AVX2:
		/* The compilers' own test also asks XGETBV whether the kernel plays along. */
		return __builtin_cpu_supports("avx2");
	default:
		return false;
	}
}
