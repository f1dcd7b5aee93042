/*
 * sigreturn.S - where a signal handler returns to on aarch64.
 *
 * The kernel calls a handler with this address in the link register. This is not a function:
 * nobody calls it, and it does not return. The system call restores every register from the
 * signal frame that sp points to, and the program continues where it was interrupted.
 *
 * The two instructions must not change: gdb recognises the pair by its bits.
 */

/*
 * Debuggers and unwinders of exceptions must get past this without executing it. The unwind
 * data below tells them where in the frame (struct rt_sigframe: siginfo_t, then ucontext_t,
 * asm/ucontext.h) each register of the interrupted code is:
 *  - "signal frame" says that the code above was interrupted anywhere, perhaps at its first
 *    instruction, and not after a call as elsewhere;
 *  - they look one byte before a return address, to be sure to find the call. Here nobody
 *    called, so the unwind data begins one instruction early, at a nop;
 *  - the size of the frame varies: its start is known, and the saved sp is its end. So the
 *    rules are expressions on sp, not distances from the caller's frame;
 *  - x30 is a register like the others here and must be restored, too. The address at which to
 *    continue is "register" 96, which does not exist and which libgcc has for this purpose.
 */

/* Offsets in the frame: x0, sp, pc, and v0 (struct fpsimd_context comes first). */
#define FRAME_X0 312
#define FRAME_SP 560
#define FRAME_PC 568
#define FRAME_V0 608

/* DWARF 4: DW_CFA_def_cfa_expression, DW_CFA_expression, DW_OP_breg31, DW_OP_deref. */
#define SAVED(reg, at) .cfi_escape 0x10, reg, 3, 0x8f, (at) % 128 + 128, (at) / 128

	.text
	.balign 16
	.cfi_startproc
	.cfi_signal_frame
	.cfi_return_column 96
	.cfi_escape 0x0f, 4, 0x8f, FRAME_SP % 128 + 128, FRAME_SP / 128, 0x06
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	SAVED(\n, FRAME_X0 + 8 * \n)
	.endr
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	SAVED(\n, FRAME_X0 + 8 * \n)
	.endr
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15 /* those that a function must preserve */
	SAVED(64 + \n, FRAME_V0 + 16 * \n)
	.endr
	SAVED(96, FRAME_PC)
	nop
	.globl __kernel_rt_sigreturn
	.type __kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
	mov	x8, #139		/* rt_sigreturn */
	svc	#0
	.cfi_endproc
	.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

	.section .note.GNU-stack, "", %progbits
