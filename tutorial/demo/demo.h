/*
 * demo.h - what the demo's programs share: two pages, ours and the kernel's.
 *
 * Both are found and read by the same resolver. All that it is told is the address of
 * an ELF header: ours from uvdso_ehdr(), the kernel's from the auxiliary vector.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "libc/vdso_elf.h"
#include "uvdso.h"

#define VERSION "LINUX_2.6"

struct pages {
	struct uvdso *booted;
	struct vdso_elf ours, kernel;
	int kernel_error; /* of vdso_elf_open(): there may be no kernel's page */
};

/* Boots ours, opens both. Ends the program, with a message, if ours cannot be had. */
__attribute__((unused)) static void pages_open(struct pages *pages, const char *who)
{
	char why[256];
	int err;

	if (uvdso_boot(&pages->booted, NULL, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", who, why);
		exit(1);
	}
	err = vdso_elf_open(&pages->ours, uvdso_ehdr(pages->booted), 0);
	if (err) {
		fprintf(stderr, "%s: our page: %s\n", who, vdso_elf_error(err));
		uvdso_shutdown(pages->booted);
		exit(1);
	}
	pages->kernel_error =
		vdso_elf_open(&pages->kernel, (const void *)getauxval(AT_SYSINFO_EHDR), 0);
}

#endif
