/*
 * x86_64/host.h - what the kernel's part must know of this machine.
 *
 * A port of the loader is a directory with five files: this one; cpu.c, which answers
 * arch/cpu.h; jump.S, the last steps of arch/jump.h; regs.h and stub.h.
 * vdso-src/arch/README.md lists them.
 */
#ifndef KERNEL_ARCH_HOST_H
#define KERNEL_ARCH_HOST_H

#include <asm/prctl.h>
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "kernel/arch/jump.h"

#define HOST_MACHINE EM_X86_64
#define HOST_CLASS   ELFCLASS64
#define HOST_NAME    "x86_64"

/*
 * Where the vDSO may be placed: the region in which the kernel itself puts libraries, stacks
 * of threads and its vDSO, below the highest place that the stack of a process can reach.
 * 2^28.5 pages; the kernel draws one of 2^28 (mmap_rnd_bits, vm/sysctl). Elsewhere it could
 * be in the way: the sanitizers claim most of the lower addresses, and programs and their
 * heaps grow above 0x550000000000.
 */
#define HOST_PLACE_LOW  0x7e8000000000ull
#define HOST_PLACE_HIGH 0x7fe000000000ull

/* The kernel's region for position-independent programs: 2^28 pages from 2/3 of the
 * address space upwards (ELF_ET_DYN_BASE and mmap_rnd_bits), and the end of that space. */
#define HOST_PIE_LOW  0x555555554000ul
#define HOST_PIE_SPAN (1ul << 40)
#define HOST_USER_TOP 0x7ffffffff000ul

/* The heap begins up to this far after a program's data, at random. */
#define HOST_BRK_RANDOM (1ul << 30)

/* In a program without PT_GNU_STACK everything is executable. */
#define HOST_OLD_PROGRAMS_EXEC 0

/* What pads an alternative that is shorter than the place for it. */
#define HOST_NOP 0x90

/* Signal handlers return through the C library's own code here (SA_RESTORER). */
#define HOST_KERNEL_VDSO_STAYS 0

/* There is a calls.S (arch/calls.h), as a fresh program's kernel vDSO is about to go. */
#define HOST_CALLS 1

/* mmap(2), and the unit that its offset is in. */
#define HOST_SYS_MMAP  SYS_mmap
#define HOST_MMAP_UNIT 1

/* time(2), which has a system call of its own here. */
#define HOST_SYS_TIME SYS_time

/* The vector says nothing of the image's entry. */
#define HOST_ENTRY_TYPE AT_NULL

/* The registers of the old thread that only the kernel can clear. */
static inline void host_forget_thread(struct jump *jump, size_t *at)
{
	jump_add_call(jump, at, 0, SYS_arch_prctl, ARCH_SET_GS, 0, 0, 0);
	jump_add_call(jump, at, 0, SYS_arch_prctl, ARCH_SET_FS, 0, 0, 0);
	/* ARCH_SHSTK_DISABLE, of Linux 6.6: it has no frame for rt_sigreturn(2). */
	jump_add_call(jump, at, 0, SYS_arch_prctl, 0x5002, 1, 0, 0);
}

/* What rt_sigreturn(2) makes registers of. */
struct host_frame {
	ucontext_t context;
};

/*
 * A frame with the registers of a fresh program: all zero, but those that munmap(2) takes, at
 * the landing. Mask is as the kernel has it.
 */
static inline void host_fill_frame_to(struct host_frame *frame, uintptr_t landing, uintptr_t sp,
				      uintptr_t gone, size_t size, const void *mask)
{
	unsigned short cs, ss;
	ucontext_t *context = &frame->context;
	greg_t *reg = context->uc_mcontext.gregs;

	__asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
	*frame = (struct host_frame){0};
	context->uc_flags = 6; /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS: take ss from here */
	context->uc_stack.ss_flags = SS_DISABLE;
	memcpy(&context->uc_sigmask, mask, sizeof(uint64_t));
	reg[REG_RAX] = SYS_munmap;
	reg[REG_RDI] = (greg_t)gone;
	reg[REG_RSI] = (greg_t)size;
	reg[REG_RIP] = (greg_t)landing;
	reg[REG_RSP] = (greg_t)sp;
	reg[REG_EFL] = 0x202; /* interrupts, and the bit that is always 1 */
	reg[REG_CSGSFS] = (greg_t)((uint64_t)cs | (uint64_t)ss << 48);
}

/* The frame of the jump. Returns where the stack pointer must be. */
static inline uintptr_t host_fill_frame(struct host_frame *frame, const struct jump *jump,
					const sigset_t *mask)
{
	host_fill_frame_to(frame, jump->landing, jump->sp - sizeof(uint64_t), jump->self,
			   jump->self_size, mask);
	return (uintptr_t)&frame->context;
}

#endif
