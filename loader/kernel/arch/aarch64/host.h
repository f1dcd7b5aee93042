/*
 * aarch64/host.h - what the kernel's part must know of this machine.
 */
#ifndef KERNEL_ARCH_HOST_H
#define KERNEL_ARCH_HOST_H

#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_AARCH64
#define HOST_CLASS   ELFCLASS64
#define HOST_NAME    "aarch64"

/*
 * The end of a program's addresses, which the kernel was built with: 48 bits, 47 or 36 with
 * pages of 16 KiB, 42 with 64 KiB, 39 on small boards and telephones. Where the stack is tells
 * which. (With 52 bits it is below 2^48 as well.) It is not asked for the address of a
 * variable: the tracer's stack is another one. Emulators put it lower, and have room there.
 */
static inline uint64_t host_top(void)
{
	return 1ull << (64 - __builtin_clzl(getauxval(AT_RANDOM) | 1ul << 35));
}

/*
 * Where the vDSO may be placed. The kernel puts its own below the stack at the end of
 * 48 bits; nothing else uses this part of the lower half, and a kernel with 47 bits or an
 * emulator on x86-64 can use it, too. 2^28.5 pages of 4 KiB. With fewer bits it is a quarter of
 * all, between programs, with their heaps, and libraries.
 */
#define HOST_PLACE_SMALL (host_top() < 1ull << 47)
#define HOST_PLACE_LOW   (HOST_PLACE_SMALL ? host_top() / 16 * 11 : 0x7e8000000000ull)
#define HOST_PLACE_HIGH  (HOST_PLACE_SMALL ? host_top() / 16 * 15 : 0x7fe000000000ull)

/* The kernel's region for position-independent programs: from 2/3 of the address space
 * upwards (ELF_ET_DYN_BASE and mmap_rnd_bits), and the end of that space. */
#define HOST_PIE_LOW  (host_top() / 3 * 2)
#define HOST_PIE_SPAN (host_top() / 256)
#define HOST_USER_TOP 0x1000000000000ul

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
