/*
 * cpu.c - see arch/cpu.h. riscv64.
 *
 * The time CSR counts at one rate on all harts by definition (unprivileged ISA, Zicntr).
 */
#include "kernel/arch/cpu.h"

/*
 * No kernel of this machine has a tsc. Where there is one we are emulated on x86-64
 * (qemu-user), and the emulator answers with the counter of the real CPU, which the kernel
 * of that machine trusts.
 */
const char *const cpu_clocksources[] = {"riscv_clocksource", "tsc", NULL};

const char *const cpu_clocksources_above[] = {NULL};

const char *cpu_counter_fault(void)
{
	return NULL;
}

const char *cpu_counter_doubt(void)
{
	return NULL;
}

u64 cpu_counter_mask(void)
{
	return ~0ull;
}

bool cpu_has(unsigned feature)
{
	(void)feature;
	return false;
}
