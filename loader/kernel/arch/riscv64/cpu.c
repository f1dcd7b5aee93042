/*
 * cpu.c - see cpu.h. riscv64.
 *
 * The time CSR counts at one rate on all harts by definition (unprivileged ISA, Zicntr).
 */
#include "kernel/time/clocksource.h"
#include "kernel/arch/cpu.h"

bool counter_usable(const char **why)
{
	if (clocksource_is("riscv_clocksource"))
		return true;
	/*
	 * No kernel of this machine has a tsc: we are emulated on an x86-64 (qemu-user), and
	 * the emulator answers with the counter of the real CPU, which its kernel trusts.
	 */
	if (clocksource_is("tsc"))
		return true;
	*why = "the kernel's clocksource is not riscv_clocksource (see " CLOCKSOURCE_PATH ")";
	return false;
}

u64 counter_mask(void)
{
	return ~0ull;
}

bool cpu_has(unsigned feature)
{
	(void)feature;
	return false;
}
