/*
 * regs.h - the registers of a process that stands still, for traced.c. i386.
 */
#ifndef KERNEL_ARCH_REGS
#define KERNEL_ARCH_REGS

#include <linux/audit.h>
#include <stdint.h>
#include <sys/user.h>

#define REGS_AUDIT_ARCH AUDIT_ARCH_I386

/*
 * INT 0x80. The kernel's vDSO has one on every processor: it is what a system call is
 * restarted with.
 */
static const unsigned char traced_instruction[] = {0xcd, 0x80};

/* The number goes to the register that a program would put it into, not to orig_eax: that
 * is where the kernel keeps it, for restarting; -1 there means that nothing is. */
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

static inline long regs_arg(const struct user_regs_struct *regs)
{
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

#endif
