/*
 * i386/host.h - what the kernel's part must know of this machine: 32-bit programs under an
 * x86-64 kernel. (A kernel of 32 bits would do, too, but for getcpu(): there the CPU's number
 * lies behind another selector, and CPUs without SSE2 are not asked for.)
 */
#ifndef KERNEL_ARCH_HOST
#define KERNEL_ARCH_HOST

#include <asm/ldt.h>
#include <elf.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_386
#define HOST_NAME    "i386"

/*
 * Programs may have all of the 4 GiB, less two pages, or 3 GiB: under a 32-bit kernel, or when
 * personality(2) says ADDR_LIMIT_3GB. Where the stack is tells which.
 */
static inline uintptr_t host_top(void)
{
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);

	return stack < 0xc0000000u ? 0xc0000000u : 0xffffe000u;
}

/*
 * Where to draw the page's place from: where the kernel puts libraries and its vDSO, from
 * 130 MB below the end on, which it leaves to the stack. 2^16 pages, as many as the kernel
 * can be told to draw from (mmap_rnd_compat_bits, vm/sysctl; usually it is 2^8).
 */
#define HOST_PLACE_HIGH (host_top() - 0x8200000u)
#define HOST_PLACE_LOW  (HOST_PLACE_HIGH - 0x10010000u)

/* The kernel's region for position-independent programs: from 1/3 of the address space and
 * 16 MB upwards, as many pages as above usually, and the end of that space. */
#define HOST_PIE_LOW   0x56555000u
#define HOST_PIE_PAGES (1u << 8)
#define HOST_USER_TOP  host_top()

/* What pads an alternative that is shorter than the place for it. */
#define HOST_NOP 0x90

/* The bytes of `int $0x80; ret` (jump.h): __kernel_vsyscall is just that. */
#define HOST_SYSCALL_RET       "\xcd\x80\xc3"
#define HOST_SYSCALL_RET_ALIGN 1

/*
 * A signal handler returns to the trampoline of the page that the kernel mapped, wherever
 * the vector points (arch/x86/kernel/signal_32.c: unless the program asks for a place of its
 * own, which glibc does only where it sees no vDSO at all). So that page must stay.
 */
#define HOST_KERNEL_VDSO_STAYS 1

/*
 * The vector also says where the entry of the image is: __kernel_vsyscall, to be called. Ours
 * is slow (vsyscall.S says why): on a virtual machine a system call of 224 ns took 4750. With
 * --keep-kernel-vdso that entry stays the kernel's.
 */
#define HOST_ENTRY_TYPE AT_SYSINFO

/* What a fresh program finds in MXCSR. */
#define HOST_FP_CONTROL 0x1f80

/*
 * The thread block of the old program is a segment, one of three that a thread can have
 * (set_thread_area(2)). glibc asks for any free one and would be out of them after three
 * programs. This gives it back: a descriptor with nothing but these two bits is an empty
 * one. It lies in the last entry of the list, where the list never gets to. The register
 * itself is cleared by the jump.
 */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	struct user_desc *desc = (void *)&jump->call[JUMP_CALLS_MAX - 1];
	unsigned short gs;

	__asm__("mov %%gs, %0" : "=r"(gs));
	*desc = (struct user_desc){
		.entry_number = gs >> 3,
		.read_exec_only = 1,
		.seg_not_present = 1,
	};
	jump_add_call(jump, at, 0, SYS_set_thread_area, (uintptr_t)desc, 0, 0, 0);
}

#endif
