/*
 * cpu.c - see arch/cpu.h. x86-64.
 */
#include <cpuid.h>
#include <vdso/alternative.h>

#include "kernel/arch/cpu.h"

/* CPUID bits: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. */
#define LEAF_BASIC        1
#define EDX_TSC           (1u << 4)
#define LEAF_FEATURES     7
#define ECX_RDPID         (1u << 22)
#define LEAF_EXTENDED     0x80000001
#define EDX_RDTSCP        (1u << 27)
#define LEAF_POWER        0x80000007
#define EDX_INVARIANT_TSC (1u << 8)

const char *const cpu_clocksources[] = {"tsc", NULL};

/* Hyper-V has another one, which asks the hypervisor each time: "..._msr". */
const char *const cpu_clocksources_above[] = {"kvm-clock", "hyperv_clocksource_tsc_page", "xen",
					      NULL};

const char *cpu_counter_fault(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(LEAF_BASIC, &a, &b, &c, &d) || !(d & EDX_TSC))
		return "the CPU has no time stamp counter";
	return NULL;
}

const char *cpu_counter_doubt(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(LEAF_POWER, &a, &b, &c, &d) || !(d & EDX_INVARIANT_TSC))
		return "the CPU does not promise an invariant time stamp counter";
	return NULL;
}

u64 cpu_counter_mask(void)
{
	return ~0ull;
}

/*
 * Do RDTSCP and RDPID tell the CPU's number? A 64-bit kernel puts it where they find it, and
 * into the limit of this segment. A 32-bit kernel does not, and the segment there ends where
 * memory does.
 */
static bool has_number(void)
{
#ifdef __x86_64__
	return true; /* valgrind does not know the instruction below */
#else
	unsigned limit = 0;

	__asm__("lsl %1, %0" : "+r"(limit) : "r"(0x7b) : "cc");
	return limit != ~0u;
#endif
}

bool cpu_has(unsigned feature)
{
	unsigned a, b, c, d;

	switch (feature) {
	case VDSO_CPU_RDTSCP:
		return __get_cpuid(LEAF_EXTENDED, &a, &b, &c, &d) && d & EDX_RDTSCP &&
		       has_number();
	case VDSO_CPU_RDPID:
		return __get_cpuid_count(LEAF_FEATURES, 0, &a, &b, &c, &d) && c & ECX_RDPID &&
		       has_number();
	case VDSO_CPU_AVX2:
		/* This test of the compilers' also asks XGETBV whether the kernel saves the
		 * registers. */
		return __builtin_cpu_supports("avx2");
	default:
		return false;
	}
}
