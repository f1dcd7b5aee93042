/*
 * sigreturn.S - where a signal handler returns to on riscv64.
 *
 * arch/aarch64/sigreturn.S explains what it is and what its unwind data must say. Here
 * "register" 64 is the address at which to continue, and pc is the first of the saved registers
 * (asm/ptrace.h), in the place of the zero register, which is not saved.
 */

/* Offsets in the frame: pc, x1 to x31; f0 to f31. */
#define FRAME_PC 304
#define FRAME_F0 560

/* DWARF 4: DW_CFA_def_cfa_expression, DW_CFA_expression, DW_OP_breg2 (sp), DW_OP_deref. */
#define SAVED(reg, at) .cfi_escape 0x10, reg, 3, 0x72, (at) % 128 + 128, (at) / 128
#define FRAME_SP (FRAME_PC + 8 * 2)

	.text
	.option norelax /* gcc 10 does not pass -mno-relax on */
	.balign 16
	.cfi_startproc
	.cfi_signal_frame
	.cfi_return_column 64
	.cfi_escape 0x0f, 4, 0x72, FRAME_SP % 128 + 128, FRAME_SP / 128, 0x06
	.irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
	SAVED(\n, FRAME_PC + 8 * \n)
	.endr
	.irp n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	SAVED(\n, FRAME_PC + 8 * \n)
	.endr
	.irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27 /* fs0 to fs11, which a function must preserve */
	SAVED(32 + \n, FRAME_F0 + 8 * \n)
	.endr
	SAVED(64, FRAME_PC)
	.option norvc
	nop
	.globl __vdso_rt_sigreturn
	.type __vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
	li	a7, 139			/* rt_sigreturn */
	ecall
	.cfi_endproc
	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn

	.section .note.GNU-stack, "", @progbits
