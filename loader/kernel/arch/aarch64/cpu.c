/*
 * cpu.c - see cpu.h. aarch64.
 *
 * The generic timer counts at one rate on all CPUs by definition (Arm ARM, D11), and Linux
 * lets user code read it unless a CPU has a fault that makes it useless; then another
 * clocksource, or none, is what the kernel's page uses, too.
 */
#include "kernel/clocksource.h"
#include "kernel/cpu.h"

bool counter_usable(const char **why)
{
	if (clocksource_is("arch_sys_counter"))
		return true;
	/*
	 * No kernel of this machine has a tsc: we are emulated on an x86-64 (qemu-user), and
	 * the emulator makes the counter from its own kernel's CLOCK_MONOTONIC.
	 */
	if (clocksource_is("tsc"))
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
