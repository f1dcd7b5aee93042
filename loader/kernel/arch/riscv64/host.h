/*
 * riscv64/host.h - what the kernel's part must know of this machine.
 */
#ifndef KERNEL_ARCH_HOST
#define KERNEL_ARCH_HOST

#include <elf.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_RISCV
#define HOST_NAME    "riscv64"

/*
 * Where to draw the page's place from. Addresses have 39 bits on small CPUs, sign included:
 * 256 GiB for a program. These 2^24.9 pages are in reach of all; the kernel draws one of
 * 2^24 at most there (mmap_rnd_bits, vm/sysctl).
 */
#define HOST_PLACE_LOW  0x2000000000ull
#define HOST_PLACE_HIGH 0x3f00000000ull

/* The kernel's region for position-independent programs, with 39 bits: from 2/3 of the
 * address space upwards (ELF_ET_DYN_BASE); and where no address space can be longer. */
#define HOST_PIE_LOW   0x2aaaaaa000ul
#define HOST_PIE_PAGES (1ul << 24)
#define HOST_USER_TOP  0x100000000000000ul

/* No alternatives yet. */
#define HOST_NOP 0

/* The bytes of `ecall; ret` (jump.h), ret in its short form. */
#define HOST_SYSCALL_RET       "\x73\x00\x00\x00\x82\x80"
#define HOST_SYSCALL_RET_ALIGN 2

/*
 * A signal handler returns to the trampoline of the page that the kernel mapped, wherever
 * the vector points (arch/riscv/kernel/signal.c, setup_rt_frame()). So that page must stay.
 */
#define HOST_KERNEL_VDSO_STAYS 1

/* What a fresh program finds in fcsr: round to nearest, no flags. */
#define HOST_FP_CONTROL 0

/* The thread pointer is cleared by the jump itself. */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	(void)jump;
	(void)at;
}

#endif
