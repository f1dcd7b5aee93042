/*
 * cpu.h - what a port says of its CPU: the counter, and the instructions that it has.
 *
 * Each machine answers in arch/ARCH/cpu.c. Whether the counter is used is decided in
 * time/counter.c, which also asks the kernel.
 */
#ifndef KERNEL_ARCH_CPU_H
#define KERNEL_ARCH_CPU_H

#include <vdso/types.h>

/*
 * The names of the kernel's clocksources that read the same counter as user code does, the
 * usual one first; NULL ends the list.
 */
extern const char *const cpu_clocksources[];

/* Those that stand on the same counter, with what a hypervisor says of it. */
extern const char *const cpu_clocksources_above[];

/*
 * Why this CPU's counter is useless, whatever the kernel thinks of it: a sentence in static
 * storage. NULL if nothing speaks against it.
 */
const char *cpu_counter_fault(void);

/* The same where the kernel does not vouch for the counter: what the CPU does not promise. */
const char *cpu_counter_doubt(void);

/* The bits that the counter has. */
u64 cpu_counter_mask(void);

/* Does this CPU have one of VDSO_CPU_* (vdso/alternative.h)? An unknown one: no. */
bool cpu_has(unsigned feature);

#endif
