/*
 * x86_64/regs.h - the registers of a system call, as ptrace(2) shows them: what
 * ptrace/traced.c needs to know of this machine (syscall(2), "Architecture calling
 * conventions").
 *
 *   regs_for_call()      pc to the instruction, number and arguments in their places
 *   regs_result()        what the call returned, or -errno
 *   regs_sp()            the stack pointer; regs_set_sp() sets it
 *   regs_nr(), regs_arg(), regs_pc()
 *                        at the beginning of a call: its number, its first argument, and
 *                        where the instruction ends
 *   regs_for_row()       pc to the code of calls.S, and the list to where it looks for it
 *   regs_row()           and how far it has come in that list, at its breakpoint
 *   regs_set_result()    as if a call had returned it
 *   regs_read(), regs_write(), regs_arg_at(), regs_set_arg()
 *                        of any program that runs here, is_32 if it is of the smaller machine
 *                        (REGS_AUDIT_ARCH_32): its registers, and its arguments from 0 on
 *   REGS_SKIP_TAKES_NR   a call that is skipped (stub.h) leaves no number in the register in
 *                        which the program keeps it; regs_set_nr() puts it back
 *   REGS_KEEPS_FIRST_ARG at the beginning of a call the kernel has taken its first argument
 *                        already: regs_set_arg() does not change it
 *   REGS_AUDIT_ARCH      what seccomp(2) calls this machine
 *   traced_instruction   the bytes of a system call instruction, and of what its address
 *   TRACED_ALIGN         is a multiple
 */
#ifndef KERNEL_ARCH_REGS_H
#define KERNEL_ARCH_REGS_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

static const unsigned char traced_instruction[] = {0x0f, 0x05}; /* syscall */
#define TRACED_ALIGN 1

static inline void regs_for_call(struct user_regs_struct *regs, uintptr_t instruction, long nr,
				 const long arg[6])
{
	regs->rip = instruction;
	regs->rax = (unsigned long)nr;
	/* It is not returning from another call: there is nothing to restart. */
	regs->orig_rax = ~0ul;
	regs->rdi = (unsigned long)arg[0];
	regs->rsi = (unsigned long)arg[1];
	regs->rdx = (unsigned long)arg[2];
	regs->r10 = (unsigned long)arg[3];
	regs->r8 = (unsigned long)arg[4];
	regs->r9 = (unsigned long)arg[5];
}

static inline long regs_result(const struct user_regs_struct *regs)
{
	return (long)regs->rax;
}

static inline uintptr_t regs_sp(const struct user_regs_struct *regs)
{
	return regs->rsp;
}

static inline void regs_set_sp(struct user_regs_struct *regs, uintptr_t sp)
{
	regs->rsp = sp;
}

static inline void regs_for_row(struct user_regs_struct *regs, uintptr_t code, uintptr_t list)
{
	regs->rip = code;
	regs->orig_rax = ~0ul;
	regs->rbx = list;
}

static inline uintptr_t regs_row(const struct user_regs_struct *regs)
{
	return regs->rbx;
}

static inline void regs_set_result(struct user_regs_struct *regs, long result)
{
	regs->rax = (unsigned long)result;
}

#define REGS_AUDIT_ARCH AUDIT_ARCH_X86_64

static inline long regs_nr(const struct user_regs_struct *regs)
{
	return (long)regs->orig_rax;
}

static inline long regs_arg(pid_t pid, const struct user_regs_struct *regs)
{
	(void)pid;
	return (long)(int)regs->rdi; /* clock ids are ints */
}

static inline uintptr_t regs_pc(const struct user_regs_struct *regs)
{
	return regs->rip;
}

#define REGS_AUDIT_ARCH_32   AUDIT_ARCH_I386
#define REGS_SKIP_TAKES_NR   0
#define REGS_KEEPS_FIRST_ARG 0

/* By these requests a 32-bit program has long registers, too (PTRACE_GETREGSET: short ones). */
static inline long regs_read(pid_t pid, struct user_regs_struct *regs)
{
	return ptrace(PTRACE_GETREGS, pid, NULL, regs);
}

static inline long regs_write(pid_t pid, const struct user_regs_struct *regs)
{
	return ptrace(PTRACE_SETREGS, pid, NULL, (void *)regs);
}

static inline unsigned long long *regs_place_of(struct user_regs_struct *regs, bool is_32,
						unsigned arg)
{
	unsigned long long *const place[2][6] = {
		{&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9},
		{&regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi, &regs->rbp},
	};

	return place[is_32][arg];
}

static inline uintptr_t regs_arg_at(struct user_regs_struct *regs, bool is_32, unsigned arg)
{
	return *regs_place_of(regs, is_32, arg);
}

static inline void regs_set_arg(struct user_regs_struct *regs, bool is_32, unsigned arg,
				uintptr_t value)
{
	*regs_place_of(regs, is_32, arg) = value;
}

/* regs_for_call() for a program of 32 bits. */
static inline void regs_for_call_32(struct user_regs_struct *regs, uintptr_t instruction,
				    long nr, const long arg[6])
{
	regs->rip = instruction;
	regs->rax = (unsigned long)nr;
	regs->orig_rax = ~0ul;
	for (unsigned i = 0; i < 6; i++)
		regs_set_arg(regs, true, i, (uint32_t)arg[i]);
}

static inline void regs_set_nr(struct user_regs_struct *regs, long nr)
{
	regs->orig_rax = (unsigned long)nr;
}

#endif
