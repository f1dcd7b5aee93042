/*
 * demo.h - what the demo's programs share: two vDSOs, ours and the kernel's.
 *
 * The same resolver reads both. All that it is given is the address of an ELF header:
 * ours from uvdso_ehdr(), the kernel's from the auxiliary vector.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "uvdso.h"

struct vdsos {
	struct uvdso *booted;
	struct vdso_elf ours, kernel;
	int kernel_error; /* of vdso_elf_open(): the kernel may have none */
};

/* Boots ours and opens both. Ends the program, with a message, if ours fails. */
__attribute__((unused)) static void vdsos_open(struct vdsos *vdsos, const char *who)
{
	char why[256];
	int err;

	if (uvdso_boot(&vdsos->booted, NULL, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", who, why);
		exit(1);
	}
	err = vdso_elf_open(&vdsos->ours, uvdso_ehdr(vdsos->booted), 0);
	if (err) {
		fprintf(stderr, "%s: our vDSO: %s\n", who, vdso_elf_error(err));
		uvdso_shutdown(vdsos->booted);
		exit(1);
	}
	vdsos->kernel_error =
		vdso_elf_open(&vdsos->kernel, (const void *)getauxval(AT_SYSINFO_EHDR), 0);
}

#endif
