/*
 * i386/regs.h - the registers of a stopped process, for ptrace/traced.c. What each function
 * promises is at the top of x86_64/regs.h.
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

#define REGS_AUDIT_ARCH AUDIT_ARCH_I386

/*
 * INT 0x80. The kernel's vDSO has one on every processor, because system calls are restarted
 * with it.
 */
static const unsigned char traced_instruction[] = {0xcd, 0x80};
#define TRACED_ALIGN 1

/* The number goes into the register where a program would put it, not into orig_eax: there
 * the kernel keeps it for restarting, and -1 means that there is nothing to restart. */
static inline void regs_for_call(struct user_regs_struct *regs, uintptr_t instruction, long nr,
				 const long arg[6])
{
	regs->orig_eax = -1;
	regs->eip = (long)instruction;
	regs->eax = nr;
	regs->ebx = arg[0];
	regs->ecx = arg[1];
	regs->edx = arg[2];
	regs->esi = arg[3];
	regs->edi = arg[4];
	regs->ebp = arg[5];
}

static inline long regs_result(const struct user_regs_struct *regs)
{
	return regs->eax;
}

static inline long regs_nr(const struct user_regs_struct *regs)
{
	return regs->orig_eax;
}

static inline long regs_arg(pid_t pid, const struct user_regs_struct *regs)
{
	(void)pid;
	return regs->ebx;
}

static inline uintptr_t regs_pc(const struct user_regs_struct *regs)
{
	return (uintptr_t)regs->eip;
}

static inline uintptr_t regs_sp(const struct user_regs_struct *regs)
{
	return (uintptr_t)regs->esp;
}

#define REGS_SKIP_TAKES_NR   0
#define REGS_KEEPS_FIRST_ARG 0

static inline long regs_read(pid_t pid, struct user_regs_struct *regs)
{
	return ptrace(PTRACE_GETREGS, pid, NULL, regs);
}

static inline long regs_write(pid_t pid, const struct user_regs_struct *regs)
{
	return ptrace(PTRACE_SETREGS, pid, NULL, (void *)regs);
}

static inline long *regs_place_of(struct user_regs_struct *regs, unsigned arg)
{
	long *const place[] = {&regs->ebx, &regs->ecx, &regs->edx,
			       &regs->esi, &regs->edi, &regs->ebp};

	return place[arg];
}

static inline uintptr_t regs_arg_at(struct user_regs_struct *regs, bool is_32, unsigned arg)
{
	(void)is_32;
	return (uintptr_t)*regs_place_of(regs, arg);
}

static inline void regs_set_arg(struct user_regs_struct *regs, bool is_32, unsigned arg,
				uintptr_t value)
{
	(void)is_32;
	*regs_place_of(regs, arg) = (long)value;
}

static inline void regs_set_result(struct user_regs_struct *regs, long result)
{
	regs->eax = result;
}

static inline void regs_set_nr(struct user_regs_struct *regs, long nr)
{
	regs->orig_eax = nr;
}

#endif
