/*
 * 00-setup.c - goes to each CPU that it may use, and asks the vDSO where it is.
 *
 * To be run on the vDSO whose getcpu() is to be seen: the C library has another way.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/auxv.h>

#include "libc/vdso_elf.h"

int main(void)
{
	long (*getcpu)(unsigned *, unsigned *, void *);
	unsigned cpu = 0, node = 0, wrong = 0;
	cpu_set_t all, one;
	struct vdso_elf elf;

	if (vdso_elf_open(&elf, (const void *)getauxval(AT_SYSINFO_EHDR), 0)) {
		fprintf(stderr, "00-setup: this program was started without a vDSO\n");
		return 1;
	}
	*(const void **)&getcpu = vdso_elf_symbol(&elf, "__vdso_getcpu", "LINUX_2.6");
	if (!getcpu || sched_getaffinity(0, sizeof(all), &all)) {
		perror("00-setup");
		return 1;
	}
	for (int i = 0, shown = 0; i < CPU_SETSIZE && shown < 8; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		getcpu(&cpu, &node, NULL);
		printf("  gone to CPU %d: your getcpu() says CPU %u, node %u\n", i, cpu, node);
		wrong += (int)cpu != i;
		shown++;
	}
	return wrong != 0;
}
