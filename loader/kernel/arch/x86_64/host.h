/*
 * x86_64/host.h - what the kernel's part must know of this machine.
 *
 * A port of the loader is a folder with three files: this one; cpu.c, which answers cpu.h;
 * and jump.S, the last steps of jump.h. vdso-src/arch/README.md lists them.
 */
#ifndef KERNEL_ARCH_HOST
#define KERNEL_ARCH_HOST

#include <asm/prctl.h>
#include <elf.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_X86_64
#define HOST_NAME    "x86_64"

/*
 * Where to draw the page's place from: the region in which the kernel itself puts
 * libraries, stacks of threads and its vDSO, below the highest place that the stack of a
 * process can reach. 2^28.5 pages; the kernel draws one of 2^28 (mmap_rnd_bits, vm/sysctl).
 * Elsewhere the page would be in somebody's way: the sanitizers lay claim to most of the
 * lower addresses, and programs and their heaps grow above 0x550000000000.
 */
#define HOST_PLACE_LOW  0x7e8000000000ull
#define HOST_PLACE_HIGH 0x7fe000000000ull

/* The kernel's region for position-independent programs: 2^28 pages from 2/3 of the
 * address space upwards (ELF_ET_DYN_BASE and mmap_rnd_bits), and the end of that space. */
#define HOST_PIE_LOW   0x555555554000ul
#define HOST_PIE_PAGES (1ul << 28)
#define HOST_USER_TOP  0x7ffffffff000ul

/* What pads an alternative that is shorter than the place for it. */
#define HOST_NOP 0x90

/* The bytes of `syscall; ret` (jump.h). */
#define HOST_SYSCALL_RET       "\x0f\x05\xc3"
#define HOST_SYSCALL_RET_ALIGN 1

/* Signal handlers return through the C library's own code here (SA_RESTORER). */
#define HOST_KERNEL_VDSO_STAYS 0

/* What a fresh program finds in MXCSR (System V ABI AMD64, 3.4.1). */
#define HOST_FP_CONTROL 0x1f80

/* The registers of the old thread that only the kernel can clear. */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	jump_add_call(jump, at, 0, SYS_arch_prctl, ARCH_SET_GS, 0, 0, 0);
	jump_add_call(jump, at, 0, SYS_arch_prctl, ARCH_SET_FS, 0, 0, 0);
}

#endif
