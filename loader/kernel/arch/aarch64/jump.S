/*
 * jump.S - see arch/jump.h. aarch64.
 *
 * Copied to another address before it runs: everything in it is relative.
 * x19: struct jump, x20: the next call of its list.
 */
#include "kernel/arch/jump.h"

	.section .rodata
	.global jump_code_start
	.hidden jump_code_start
	.balign 16
jump_code_start:
	mov	x19, x0
	add	x20, x0, #JUMP_CALLS

.Lnext:
	ldr	x8, [x20, #CALL_NR]
	cmp	x8, #CALL_END
	b.eq	.Lgo
	cmp	x8, #CALL_COPY_STACK
	b.eq	.Lcopy
	ldp	x0, x1, [x20, #CALL_ARGS]
	ldp	x2, x3, [x20, #CALL_ARGS + 16]
	ldp	x4, x5, [x20, #CALL_ARGS + 32]
	svc	#0
	ldr	x9, [x20, #CALL_SKIP]
	add	x20, x20, #CALL_SIZE
	cmn	x0, #4095		/* an error: do what would be left out */
	b.hs	.Lnext
	add	x20, x20, x9, lsl #6	/* times CALL_SIZE */
	b	.Lnext

.Lcopy:
	ldr	x0, [x19, #JUMP_STACK_TO]
	ldr	x1, [x19, #JUMP_STACK_FROM]
	ldr	x2, [x19, #JUMP_STACK_SIZE]
	add	x20, x20, #CALL_SIZE
	cbz	x2, .Lnext
.Lbyte:
	ldrb	w3, [x1], #1
	strb	w3, [x0], #1
	subs	x2, x2, #1
	b.ne	.Lbyte
	b	.Lnext

	/* As the kernel starts a program: everything zero but sp. x0 is a function to call
	   at exit otherwise; tpidr_el0 would be the old thread's. */
.Lgo:
	msr	fpcr, xzr
	msr	fpsr, xzr
	msr	tpidr_el0, xzr
	msr	nzcv, xzr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().2d, #0
	.endr
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	ldr	x9, [x19, #JUMP_SP]
	mov	sp, x9
	ldr	x17, [x19, #JUMP_ENTRY]	/* where the landing's br goes */
	ldr	x16, [x19, #JUMP_LANDING]
	ldr	x0, [x19, #JUMP_SELF]
	ldr	x1, [x19, #JUMP_SELF_SIZE]
	mov	x8, #215		/* munmap(self, self_size), which leaves zero in x0 */
	.irp n, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 18
	mov	x\n, xzr
	.endr
	.irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, xzr
	.endr
	br	x16
	.org	jump_code_start + JUMP_CODE_SIZE

	/* One register must hold the entry: x17, which calls between modules may use. */
	.global landing_code_start
	.hidden landing_code_start
landing_code_start:
	svc	#0
	mov	x1, xzr
	mov	x8, xzr
	mov	x16, xzr
	br	x17
	.org	landing_code_start + LANDING_SIZE

	.section .note.GNU-stack, "", %progbits
