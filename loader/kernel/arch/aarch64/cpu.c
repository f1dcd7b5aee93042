/*
 * cpu.c - see cpu.h. aarch64.
 *
 * The generic timer counts at one rate on all CPUs by definition (Arm ARM, D11), and Linux
 * lets user code read it unless a CPU has a fault that makes it useless; then another
 * clocksource, or none, is what the kernel's page uses, too.
 *
 * An emulator on another machine is no reason to believe in its counter. That of qemu-user
 * 7.2 is its own kernel's CLOCK_REALTIME, in whole microseconds: it jumps with that clock,
 * and was found outside of two system calls in four of five reads.
 */
#include "kernel/time/clocksource.h"
#include "kernel/arch/cpu.h"

bool counter_usable(const char **why)
{
	if (clocksource_is("arch_sys_counter"))
		return true;
	*why = "the kernel's clocksource is not arch_sys_counter (see " CLOCKSOURCE_PATH ")";
	return false;
}

u64 counter_mask(void)
{
	/* At least 56 bits (Arm ARM, D11.1.2). How many it has nobody says; these are enough
	 * for two years at 1 GHz. */
	return ~0ull >> 8;
}

bool cpu_has(unsigned feature)
{
	(void)feature;
	return false;
}
