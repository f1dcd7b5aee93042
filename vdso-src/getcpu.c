/*
 * getcpu.c - which CPU and which NUMA node is this?
 *
 * No data page: the answer is in a register of the CPU itself, which the kernel
 * has loaded and user code may read. It can be out of date by the time the
 * caller looks at it, as every answer to this question.
 *
 * The third argument was a cache once, and is ignored since Linux 2.6.24.
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
