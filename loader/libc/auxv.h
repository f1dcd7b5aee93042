/*
 * auxv.h - the auxiliary vector: what the kernel tells a new program.
 *
 * A program that has just been started knows nothing: not where it lies, not how
 * large a page is, not where its vDSO is. The kernel leaves the answers on the new
 * stack, after the arguments and the environment, as pairs of a type and a value:
 *
 *	sp ->	argc
 *		argv[0] ... argv[argc - 1], NULL
 *		envp[0] ... NULL
 *		AT_SYSINFO_EHDR, address of the vDSO's ELF header
 *		AT_PAGESZ, 4096
 *		...
 *		AT_NULL, 0
 *
 * The layout is that of the psABI of each machine ("Process Initialization", the
 * initial process stack); the types are those of getauxval(3) and <elf.h>.
 *
 * auxv.h and auxv.c stand alone: no state, no allocation, no calls. Each function may
 * be used from any thread and any signal handler, and before the C library has set
 * anything up.
 */
#ifndef LIBC_AUXV_H
#define LIBC_AUXV_H

#include <elf.h>
#include <link.h>

/*
 * The first entry of a type, or NULL when the vector has none. type is AT_*; AT_NULL
 * is the end and is never found. The vector remains the caller's; the entry is part of it.
 *
 * An entry that a debugger or an emulator has crossed out (valgrind does so with the
 * kernel's vDSO) has the type AT_IGNORE: it is an entry like any other, and the walk
 * continues after it.
 */
const ElfW(auxv_t) * vdso_auxv_find(const ElfW(auxv_t) * auxv, unsigned long type);

/*
 * The vector on an initial stack. sp is the stack pointer as it was at the program's
 * first instruction: the address of argc. No error can be
 * reported: passing anything but an initial stack is the caller's mistake.
 */
const ElfW(auxv_t) * vdso_auxv_from_stack(const void *sp);

/*
 * The address of the vDSO's ELF header (AT_SYSINFO_EHDR), or NULL when there is none:
 * a kernel started with vdso=0, an emulator without a vDSO, valgrind. NULL is a
 * normal answer, and vdso_elf_open() takes it.
 */
const void *vdso_auxv_ehdr(const ElfW(auxv_t) * auxv);

#endif
