/*
 * 04-auxv.c - a program without a C library walks over its own first stack, and tells the time.
 *
 * The walk is that of loader/libc/auxv.c.
 */
#include "bare.h"
#include "libc/auxv.h"
#include "libc/vdso_elf.h"

static void say_list(const char *name, const void *begin, const void *end, const char *what)
{
	say("  ");
	say_address(begin);
	say(name);
	say_number((uint64_t)((const uintptr_t *)end - (const uintptr_t *)begin), 10, 1);
	say(what);
}

int bare_main(const void *sp)
{
	const uintptr_t *argv = (const uintptr_t *)sp + 1;
	const uintptr_t *envp = argv + *(const uintptr_t *)sp + 1;
	const ElfW(auxv_t) *vector = vdso_auxv_from_stack(sp), *entry = vector;
	const void *ehdr = vdso_auxv_ehdr(vector);
	int (*gettime)(clockid_t, struct timespec *);
	struct vdso_elf elf;
	struct timespec ts;

	while (entry->a_type != AT_NULL)
		entry++;
	say("The first stack of this program, which has no C library:\n");
	say_list("  argc      ", sp, argv, " word\n");
	say_list("  argv      ", argv, envp, " words, with the NULL\n");
	say_list("  envp      ", envp, vector, " words, with the NULL\n");
	say_list("  vector    ", vector, entry, " words, and AT_NULL\n");
	if (!ehdr) {
		say("No entry AT_SYSINFO_EHDR: this program was started without a vDSO.\n");
		return 0;
	}
	say("  AT_SYSINFO_EHDR says  ");
	say_address(ehdr);
	say("\n");
	if (vdso_elf_open(&elf, ehdr, 0)) {
		say("There is no vDSO at that address.\n");
		return 1;
	}
	*(const void **)&gettime = vdso_elf_symbol(&elf, "__vdso_clock_gettime", "LINUX_2.6");
	if (!gettime || gettime(CLOCK_REALTIME, &ts)) {
		say("It has no clock.\n");
		return 1;
	}
	say("  its clock says        ");
	say_time(&ts);
	say("\n");
	return 0;
}
