/*
 * jump.S - see arch/jump.h. riscv64.
 *
 * Copied to another address before it runs: everything in it is relative.
 * s1: struct jump, s2: the next call of its list.
 */
#include "kernel/arch/jump.h"

	.option norelax
	.section .rodata
	.global jump_code_start
	.hidden jump_code_start
	.balign 16
jump_code_start:
	mv	s1, a0
	addi	s2, a0, JUMP_CALLS

.Lnext:
	ld	a7, CALL_NR(s2)
	li	t0, CALL_END
	beq	a7, t0, .Lgo
	li	t0, CALL_COPY_STACK
	beq	a7, t0, .Lcopy
	ld	a0, CALL_ARGS(s2)
	ld	a1, CALL_ARGS + 8(s2)
	ld	a2, CALL_ARGS + 16(s2)
	ld	a3, CALL_ARGS + 24(s2)
	ld	a4, CALL_ARGS + 32(s2)
	ld	a5, CALL_ARGS + 40(s2)
	ecall
	ld	t1, CALL_SKIP(s2)
	addi	s2, s2, CALL_SIZE
	li	t0, -4095		/* an error: do what would be left out */
	bgeu	a0, t0, .Lnext
	slli	t1, t1, 6		/* times CALL_SIZE */
	add	s2, s2, t1
	j	.Lnext

.Lcopy:
	ld	a0, JUMP_STACK_TO(s1)
	ld	a1, JUMP_STACK_FROM(s1)
	ld	a2, JUMP_STACK_SIZE(s1)
	addi	s2, s2, CALL_SIZE
.Lbyte:
	beqz	a2, .Lnext
	lbu	t0, 0(a1)
	sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	j	.Lbyte

	/* As the kernel starts a program: everything zero but sp. a0 is a function to call
	   at exit otherwise; tp would be the old thread's. */
.Lgo:
	fscsr	zero
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	fmv.d.x	f\n, zero
	.endr
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fmv.d.x	f\n, zero
	.endr
	ld	sp, JUMP_SP(s1)
	ld	t1, JUMP_ENTRY(s1)	/* where the landing's jr goes */
	ld	t2, JUMP_LANDING(s1)
	ld	a0, JUMP_SELF(s1)
	ld	a1, JUMP_SELF_SIZE(s1)
	li	a7, 215			/* munmap(self, self_size), which leaves zero in a0 */
	.irp reg, ra, gp, tp, t0, t3, t4, t5, t6, a2, a3, a4, a5, a6
	li	\reg, 0
	.endr
	.irp reg, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
	li	\reg, 0
	.endr
	jr	t2
	.org	jump_code_start + JUMP_CODE_SIZE

	/* One register must hold the entry. */
	.global landing_code_start
	.hidden landing_code_start
landing_code_start:
	ecall
	li	a1, 0
	li	a7, 0
	li	t2, 0
	jr	t1
	.org	landing_code_start + LANDING_SIZE

	.section .note.GNU-stack, "", @progbits
