#if defined(__ASSEMBLER__)
/* unsigned cpu_and_node(void): node << 16 | cpu. Who has no such function calls getcpu(2). */
/* clang-format off */
#define VDSO_OWN_VERSIONS WHERE { global: *cpu_and_node; };
/* clang-format on */

#elif !__STDC_HOSTED__
#	include "vdso.h"

EXPORT(u32, cpu_and_node, (void))
{
	u32 both = arch_cpu_and_node();

	return both >> ARCH_NODE_SHIFT << 16 | (both & ARCH_CPU_MASK);
}

#else
#	include <dlfcn.h>
#	include <sched.h>
#	include <stdio.h>
#	include <sys/syscall.h>
#	include <unistd.h>

void *find(void)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);

	return vdso ? dlvsym(vdso, "__vdso_cpu_and_node", "WHERE") : NULL;
}

static unsigned by_kernel(void)
{
	unsigned cpu = 0, node = 0;

	syscall(SYS_getcpu, &cpu, &node, NULL);
	return node << 16 | cpu;
}

bool is_right(void *function)
{
	unsigned before, now, after;

	do {
		before = by_kernel();
		now = ((unsigned (*)(void))function)();
		after = by_kernel();
	} while (before != after);
	if (now != before)
		printf("%u, and it is %u\n", now, before);
	return now == before;
}

void show(void *function)
{
	printf("%#x\n", function ? ((unsigned (*)(void))function)() : by_kernel());
}

void ask_vdso(void *function, long calls)
{
	while (calls-- > 0)
		((unsigned (*)(void))function)();
}

void ask_libc(long calls)
{
	while (calls-- > 0)
		sched_getcpu();
}

void ask_kernel(long calls)
{
	while (calls-- > 0)
		by_kernel();
}
#endif
