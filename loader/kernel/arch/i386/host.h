/*
 * i386/host.h - what the kernel's part must know of this machine: 32-bit programs under an
 * x86-64 kernel. (A 32-bit kernel would do, too, but for getcpu(): there another selector
 * has the CPU's number; and CPUs without SSE2 are not supported.)
 */
#ifndef KERNEL_ARCH_HOST_H
#define KERNEL_ARCH_HOST_H

#include <asm/ldt.h>
#include <elf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_386
#define HOST_CLASS   ELFCLASS32
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
 * Where the vDSO may be placed: where the kernel puts libraries and its vDSO, from
 * 130 MB below the end on, which it leaves to the stack. 2^16 pages, as many as the kernel
 * can be told to draw from (mmap_rnd_compat_bits, vm/sysctl; usually it is 2^8).
 */
#define HOST_PLACE_HIGH (host_top() - 0x8200000u)
#define HOST_PLACE_LOW  (HOST_PLACE_HIGH - 0x10010000u)

/* The kernel's region for position-independent programs: from 1/3 of the address space plus
 * 16 MB upwards, usually 2^8 pages; and the end of that space. */
#define HOST_PIE_LOW  0x56555000u
#define HOST_PIE_SPAN (1u << 20)
#define HOST_USER_TOP host_top()

/* The heap begins up to this far after a program's data, at random. */
#define HOST_BRK_RANDOM (32ul << 20)

/* In a program without PT_GNU_STACK everything is executable. */
#define HOST_OLD_PROGRAMS_EXEC 1

/* What pads an alternative that is shorter than the place for it. */
#define HOST_NOP 0x90

/*
 * A signal handler returns to the trampoline of the vDSO that the kernel mapped, wherever the
 * vector points (arch/x86/kernel/signal_32.c: unless the program asks for a place of its
 * own, which glibc does only where it sees no vDSO at all). So that vDSO must stay.
 */
#define HOST_KERNEL_VDSO_STAYS 1

/* So there is no place for a calls.S (arch/calls.h). */
#define HOST_CALLS 0

/*
 * The vector also says where the entry of the image is: __kernel_vsyscall, which programs call.
 * Ours is slow (vsyscall.S says why): on a virtual machine a system call of 224 ns took 4750.
 * With --keep-kernel-vdso that entry stays the kernel's.
 */
#define HOST_ENTRY_TYPE AT_SYSINFO

/* mmap(2), and the unit that its offset is in. */
#define HOST_SYS_MMAP  SYS_mmap2
#define HOST_MMAP_UNIT 4096

/* time(2), which has a system call of its own here. */
#define HOST_SYS_TIME SYS_time

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

/* What rt_sigreturn(2) makes registers of: what a handler is given, and what it returns with.
 */
struct host_frame {
	uint32_t sig, info_at, context_at;
	unsigned char info[128];
	ucontext_t context;
};

/* As x86_64/host.h: the frame of the jump. Returns where the stack pointer must be. */
static inline uintptr_t host_fill_frame(struct host_frame *frame, const struct jump *jump,
					const sigset_t *mask)
{
	unsigned short cs, ss, ds, es;
	ucontext_t *context = &frame->context;
	greg_t *reg = context->uc_mcontext.gregs;

	__asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
	__asm__("mov %%ds, %0; mov %%es, %1" : "=r"(ds), "=r"(es));
	*frame = (struct host_frame){0};
	context->uc_stack.ss_flags = SS_DISABLE;
	context->uc_sigmask = *mask;
	reg[REG_EAX] = SYS_munmap;
	reg[REG_EBX] = (greg_t)jump->self;
	reg[REG_ECX] = (greg_t)jump->self_size;
	reg[REG_EIP] = (greg_t)jump->landing;
	reg[REG_ESP] = (greg_t)(jump->sp - sizeof(uint32_t));
	reg[REG_EFL] = 0x202; /* interrupts, and the bit that is always 1 */
	reg[REG_CS] = cs;
	reg[REG_SS] = ss;
	reg[REG_DS] = ds;
	reg[REG_ES] = es;
	return (uintptr_t)frame;
}

#endif
