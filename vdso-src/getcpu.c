/*
 * getcpu.c - which CPU and which NUMA node is this?
 *
 * This needs no data page: the kernel has put the answer into a register of the CPU that user
 * code may read. Like any answer to this question, it can be out of date when the caller looks
 * at it.
 *
 * The third argument used to be a cache and has been ignored since Linux 2.6.24.
 */
#include "vdso.h"

EXPORT(long, getcpu, (u32 * cpu, u32 *node, void *cache))
{
	u32 both = arch_cpu_and_node();

	(void)cache;
	/* course: begin 00-setup */
	if (cpu)
		*cpu = both & ARCH_CPU_MASK;
	/* course: end 00-setup */
	if (node)
		*node = both >> ARCH_NODE_SHIFT;
	return 0;
}
