/*
 * jump.S - see jump.h. i386.
 *
 * Copied to another address before it runs: everything in it is relative.
 * esp: struct jump (nothing is pushed, and no signal comes), ebp: the next call of its list.
 * So a call has five arguments at most; the sixth would be in ebp. Of each field of 64 bits
 * the lower half is used.
 */
#include "kernel/arch/jump.h"

	.section .rodata
	.global exec_jump_start, exec_jump_end
	.hidden exec_jump_start
	.hidden exec_jump_end
	.balign 16
exec_jump_start:
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

	/* The state that the ABI promises: floating point as after reset, edx zero (it is a
	   function to call at exit otherwise), a clean frame pointer. And no thread block. */
.Lgo:
	fninit
	ldmxcsr	JUMP_FP_CONTROL(%esp)
	xor	%eax, %eax
	mov	%eax, %gs
	mov	%eax, %fs
	mov	JUMP_ENTRY(%esp), %edx
	mov	JUMP_SYSCALL_RET(%esp), %esi
	mov	JUMP_SELF(%esp), %ebx
	mov	JUMP_SELF_SIZE(%esp), %ecx
	mov	JUMP_SP(%esp), %esp
	xor	%ebp, %ebp
	xor	%edi, %edi
	test	%esi, %esi
	jz	.Lstay
	push	%edx			/* where its ret goes; esp is then as it must be */
	xor	%edx, %edx
	mov	$91, %eax		/* munmap(self, self_size) */
	jmp	*%esi
.Lstay:
	push	%edx
	xor	%edx, %edx
	ret
exec_jump_end:

	.section .note.GNU-stack, "", @progbits
