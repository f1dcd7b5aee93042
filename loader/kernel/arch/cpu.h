/*
 * cpu.h - what this machine can do: its counter, and the instructions that it has.
 */
#ifndef KERNEL_ARCH_CPU
#define KERNEL_ARCH_CPU

#include <vdso/types.h>

/*
 * True if user code may turn counter reads into time: it counts at one rate on all
 * CPUs, whatever they do, and the kernel itself keeps time with it. The kernel has
 * watched the counter since boot and knows more of its faults than we can find out.
 *
 * Otherwise *why becomes a sentence of static storage that says what is missing.
 */
bool counter_usable(const char **why);

/* The bits that the counter has. */
u64 counter_mask(void);

/* Does this CPU have one of VDSO_CPU_* (vdso/alternative.h)? An unknown one: no. */
bool cpu_has(unsigned feature);

#endif
