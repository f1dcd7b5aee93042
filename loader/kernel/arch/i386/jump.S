/*
 * jump.S - see arch/jump.h. i386.
 *
 * Copied to another address before it runs: everything in it is relative.
 * esp: struct jump (nothing is pushed, and no signal comes), ebp: the next call of its list.
 * So a call has five arguments at most; the sixth would be in ebp. Of each field of 64 bits
 * the lower half is used.
 */
#include "kernel/arch/jump.h"

	.section .rodata
	.global jump_code_start
	.hidden jump_code_start
	.balign 16
jump_code_start:
	mov	4(%esp), %esp
	lea	JUMP_CALLS(%esp), %ebp
	cld

.Lnext:
	mov	CALL_NR(%ebp), %eax
	cmp	$CALL_END, %eax
	je	.Lgo
	cmp	$CALL_COPY_STACK, %eax
	je	.Lcopy
	mov	CALL_ARGS(%ebp), %ebx
	mov	CALL_ARGS + 8(%ebp), %ecx
	mov	CALL_ARGS + 16(%ebp), %edx
	mov	CALL_ARGS + 24(%ebp), %esi
	mov	CALL_ARGS + 32(%ebp), %edi
	int	$0x80
	mov	CALL_SKIP(%ebp), %ecx
	add	$CALL_SIZE, %ebp
	cmp	$-4095, %eax		/* an error: do what would be left out */
	jae	.Lnext
	shl	$6, %ecx		/* times CALL_SIZE */
	add	%ecx, %ebp
	jmp	.Lnext

.Lcopy:
	mov	JUMP_STACK_TO(%esp), %edi
	mov	JUMP_STACK_FROM(%esp), %esi
	mov	JUMP_STACK_SIZE(%esp), %ecx
	rep movsb
	add	$CALL_SIZE, %ebp
	jmp	.Lnext

	/* The frame's registers are those of munmap(self, self_size), at the landing. */
.Lgo:
	mov	%esp, %eax
	mov	JUMP_SP(%eax), %esp
	push	JUMP_ENTRY(%eax)	/* where the landing's ret goes; esp is then as it must be */
	mov	JUMP_FRAME(%eax), %esp
	mov	$173, %eax		/* rt_sigreturn */
	int	$0x80
	.org	jump_code_start + JUMP_CODE_SIZE

	/* mov, not xor: the flags stay as they are in the frame. */
	.global landing_code_start
	.hidden landing_code_start
landing_code_start:
	int	$0x80
	mov	$0, %ebx
	mov	$0, %ecx
	ret
	.org	landing_code_start + LANDING_SIZE

	.section .note.GNU-stack, "", @progbits
