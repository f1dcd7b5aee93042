/*
 * aarch64/host.h - what the kernel's part must know of this machine.
 */
#ifndef KERNEL_ARCH_HOST_H
#define KERNEL_ARCH_HOST_H

#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_AARCH64
#define HOST_CLASS   ELFCLASS64
#define HOST_NAME    "aarch64"

/*
 * Where the vDSO may be placed. The kernel puts its own below the stack at the end of
 * 48 bits; nothing else uses this part of the lower half, and an emulator on x86-64, whose
 * addresses have 47 bits, can use it, too. 2^28.5 pages. (Kernels with 39 bits, which some
 * telephones have, cannot.)
 */
#define HOST_PLACE_LOW  0x7e8000000000ull
#define HOST_PLACE_HIGH 0x7fe000000000ull

/* The kernel's region for position-independent programs: from 2/3 of the address space
 * upwards (ELF_ET_DYN_BASE and mmap_rnd_bits), and the end of that space. */
#define HOST_PIE_LOW   0xaaaaaaaaa000ul
#define HOST_PIE_PAGES (1ul << 28)
#define HOST_USER_TOP  0x1000000000000ul

/* The heap begins up to this far after a program's data, at random. */
#define HOST_BRK_RANDOM (1ul << 30)

/* In a program without PT_GNU_STACK everything is executable. */
#define HOST_OLD_PROGRAMS_EXEC 0

/* No alternatives yet. */
#define HOST_NOP 0

/*
 * A signal handler returns to the trampoline of the vDSO that the kernel mapped, wherever the
 * vector points (arch/arm64/kernel/signal.c, setup_return(): unless the program asks
 * for a place of its own, which glibc does not). So that vDSO must stay.
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

/* The thread register is cleared by the jump itself. */
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
