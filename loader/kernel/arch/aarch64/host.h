/*
 * aarch64/host.h - what the kernel's part must know of this machine.
 */
#ifndef KERNEL_ARCH_HOST
#define KERNEL_ARCH_HOST

#include <elf.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_AARCH64
#define HOST_NAME    "aarch64"

/*
 * Where to draw the page's place from. The kernel puts its own below the stack at the end of
 * 48 bits; nothing in the lower half is in anybody's way, and an emulator on x86-64, whose
 * addresses have 47 bits, can do it, too. 2^28.5 pages. (Kernels with 39 bits, which some
 * telephones have, cannot.)
 */
#define HOST_PLACE_LOW  0x7e8000000000ull
#define HOST_PLACE_HIGH 0x7fe000000000ull

/* The kernel's region for position-independent programs: from 2/3 of the address space
 * upwards (ELF_ET_DYN_BASE and mmap_rnd_bits), and the end of that space. */
#define HOST_PIE_LOW   0xaaaaaaaaa000ul
#define HOST_PIE_PAGES (1ul << 28)
#define HOST_USER_TOP  0x1000000000000ul

/* No alternatives yet. */
#define HOST_NOP 0

/* The bytes of `svc #0; ret` (jump.h). */
#define HOST_SYSCALL_RET       "\x01\x00\x00\xd4\xc0\x03\x5f\xd6"
#define HOST_SYSCALL_RET_ALIGN 4

/*
 * A signal handler returns to the trampoline of the page that the kernel mapped, wherever
 * the vector points (arch/arm64/kernel/signal.c, setup_return(): unless the program asks
 * for a place of its own, which glibc does not). So that page must stay.
 */
#define HOST_KERNEL_VDSO_STAYS 1

/* What a fresh program finds in FPCR: round to nearest, nothing is trapped. */
#define HOST_FP_CONTROL 0

/* The thread register is cleared by the jump itself. */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	(void)jump;
	(void)at;
}

#endif
