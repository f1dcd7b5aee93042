/*
 * aarch64/regs.h - the registers of a system call, as ptrace(2) shows them: what
 * ptrace/traced.c needs to know of this machine (syscall(2), "Architecture calling
 * conventions").
 *
 * qemu-user has no ptrace(2): what runs this is a real kernel of that machine.
 *
 *   regs_for_call()      pc to the instruction, number and arguments in their places
 *   regs_result()        what the call returned, or -errno
 *   regs_sp()            the stack pointer
 *   regs_nr(), regs_arg(), regs_pc()
 *                        at the beginning of a call: its number, its first argument, and
 *                        where the instruction ends
 *   REGS_AUDIT_ARCH      what seccomp(2) calls this machine
 *   traced_instruction   the bytes of a system call instruction, and of what its address
 *   TRACED_ALIGN         is a multiple
 */
#ifndef KERNEL_ARCH_REGS_H
#define KERNEL_ARCH_REGS_H

#include <linux/audit.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

static const unsigned char traced_instruction[] = {0x01, 0x00, 0x00, 0xd4}; /* svc #0 */
#define TRACED_ALIGN 4

static inline void regs_for_call(struct user_regs_struct *regs, uintptr_t instruction, long nr,
				 const long arg[6])
{
	regs->pc = instruction;
	regs->regs[8] = (unsigned long)nr;
	for (int i = 0; i < 6; i++)
		regs->regs[i] = (unsigned long)arg[i];
}

static inline long regs_result(const struct user_regs_struct *regs)
{
	return (long)regs->regs[0];
}

static inline uintptr_t regs_sp(const struct user_regs_struct *regs)
{
	return regs->sp;
}

#define REGS_AUDIT_ARCH AUDIT_ARCH_AARCH64

static inline long regs_nr(const struct user_regs_struct *regs)
{
	return (long)regs->regs[8];
}

static inline long regs_arg(pid_t pid, const struct user_regs_struct *regs)
{
	(void)pid;
	return (long)(int)regs->regs[0]; /* clock ids are ints */
}

static inline uintptr_t regs_pc(const struct user_regs_struct *regs)
{
	return regs->pc;
}

#endif
