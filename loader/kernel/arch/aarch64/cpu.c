/*
 * cpu.c - see arch/cpu.h. aarch64.
 *
 * The generic timer counts at one rate on all CPUs by definition (Arm ARM, D11), and Linux
 * lets user code read it unless a CPU has a fault that makes it useless. Then the kernel uses
 * another clocksource for its own vDSO, too, or none.
 *
 * Under an emulator on another machine the counter is not trusted. That of qemu-user 7.2 is
 * its own kernel's CLOCK_REALTIME in whole microseconds: it jumps with that clock, and was
 * found outside of two system calls in four of five reads.
 */
#include "kernel/arch/cpu.h"

const char *const cpu_clocksources[] = {"arch_sys_counter", NULL};

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
	/* At least 56 bits (Arm ARM, D11.1.2); nothing tells how many there are. 56 last for
	 * two years at 1 GHz. */
	return ~0ull >> 8;
}

bool cpu_has(unsigned feature)
{
	(void)feature;
	return false;
}
