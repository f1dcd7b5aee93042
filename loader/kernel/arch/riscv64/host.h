/*
 * riscv64/host.h - what the kernel's part must know of this machine.
 */
#ifndef KERNEL_ARCH_HOST_H
#define KERNEL_ARCH_HOST_H

#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_RISCV
#define HOST_CLASS   ELFCLASS64
#define HOST_NAME    "riscv64"

/*
 * Where the vDSO may be placed. Addresses have 39 bits on small CPUs, sign included:
 * 256 GiB for a program. All can reach these 2^24.9 pages; the kernel draws one of 2^24 at most
 * there (mmap_rnd_bits, vm/sysctl).
 */
#define HOST_PLACE_LOW  0x2000000000ull
#define HOST_PLACE_HIGH 0x3f00000000ull

/* The kernel's region for position-independent programs, with 39 bits: from 2/3 of the
 * address space upwards (ELF_ET_DYN_BASE); and where no address space can be longer. */
#define HOST_PIE_LOW  0x2aaaaaa000ul
#define HOST_PIE_SPAN (1ul << 36)
#define HOST_USER_TOP 0x100000000000000ul

/* The heap begins up to this far after a program's data, at random. */
#define HOST_BRK_RANDOM (1ul << 30)

/* In a program without PT_GNU_STACK everything is executable. */
#define HOST_OLD_PROGRAMS_EXEC 0

/* No alternatives yet. */
#define HOST_NOP 0

/*
 * A signal handler returns to the trampoline of the vDSO that the kernel mapped, wherever the
 * vector points (arch/riscv/kernel/signal.c, setup_rt_frame()). So that vDSO must stay.
 */
#define HOST_KERNEL_VDSO_STAYS 1

/* So there is no place for a calls.S (arch/calls.h). */
#define HOST_CALLS 0

/* mmap(2), and the unit that its offset is in. */
#define HOST_SYS_MMAP  SYS_mmap
#define HOST_MMAP_UNIT 1

/* There is no system call for time(2) alone. */
#define HOST_SYS_TIME -1

/* The vector says nothing of the image's entry. */
#define HOST_ENTRY_TYPE AT_NULL

/* The thread pointer is cleared by the jump itself. */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	(void)jump;
	(void)at;
}

/* The jump clears all registers by itself. */
struct host_frame {
	char none;
};

static inline uintptr_t host_fill_frame(struct host_frame *frame, const struct jump *jump,
					const sigset_t *mask)
{
	(void)frame;
	(void)jump;
	(void)mask;
	return 0;
}

#endif
