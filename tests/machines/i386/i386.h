/*
 * i386.h - what the 32-bit test programs share: our page as they find it, and registers.
 */
#ifndef I386_H
#define I386_H

#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"
#include "libc/vdso_elf.h"

static struct vdso_elf page;

__attribute__((unused)) static uintptr_t function(const char *name)
{
	const void *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
	uintptr_t address;

	if (!page.base && vdso_elf_open(&page, ehdr, 0))
		bail_out("there is no vDSO that can be read");
	address = (uintptr_t)vdso_elf_symbol(&page, name, "LINUX_2.5");
	if (!address)
		bail_out("the vDSO has no %s", name);
	return address;
}

/* sigaction(2) as the kernel takes it: the C library would decide about the restorer. */
#define SA_HAS_RESTORER 0x04000000
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	uintptr_t restorer;
	unsigned long mask[2];
};

/* restorer 0: none is said. */
__attribute__((unused)) static void handle(int signal, void *handler, unsigned long flags,
					   uintptr_t restorer)
{
	struct kernel_sigaction action = {
		.handler = handler,
		.flags = flags | (restorer ? SA_HAS_RESTORER : 0),
		.restorer = restorer,
		.mask = {0, 0},
	};

	if (syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(action.mask)))
		bail_out("rt_sigaction");
}

#endif
