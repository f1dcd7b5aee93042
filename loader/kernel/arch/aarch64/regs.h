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

#include <elf.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
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

#define REGS_SKIP_TAKES_NR   0
#define REGS_KEEPS_FIRST_ARG 0

static inline long regs_read(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec iov = {regs, sizeof(*regs)};

	return ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov);
}

static inline long regs_write(pid_t pid, const struct user_regs_struct *regs)
{
	struct iovec iov = {(void *)regs, sizeof(*regs)};

	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov);
}

static inline uintptr_t regs_arg_at(struct user_regs_struct *regs, bool is_32, unsigned arg)
{
	(void)is_32;
	return regs->regs[arg];
}

static inline void regs_set_arg(struct user_regs_struct *regs, bool is_32, unsigned arg,
				uintptr_t value)
{
	(void)is_32;
	regs->regs[arg] = value;
}

static inline void regs_set_result(struct user_regs_struct *regs, long result)
{
	regs->regs[0] = (unsigned long)result;
}

static inline void regs_set_nr(struct user_regs_struct *regs, long nr)
{
	regs->regs[8] = (unsigned long)nr;
}

#endif
