/*
 * jump.S - see arch/jump.h. x86-64.
 *
 * Copied to another address before it runs: everything in it is relative.
 * rbx: struct jump, rbp: the next call of its list.
 */
#include "kernel/arch/jump.h"

	.section .rodata
	.global jump_code_start
	.hidden jump_code_start
	.balign 16
jump_code_start:
	mov	%rdi, %rbx
	lea	JUMP_CALLS(%rbx), %rbp
	cld

.Lnext:
	mov	CALL_NR(%rbp), %rax
	cmp	$CALL_END, %rax
	je	.Lgo
	cmp	$CALL_COPY_STACK, %rax
	je	.Lcopy
	mov	CALL_ARGS(%rbp), %rdi
	mov	CALL_ARGS + 8(%rbp), %rsi
	mov	CALL_ARGS + 16(%rbp), %rdx
	mov	CALL_ARGS + 24(%rbp), %r10
	mov	CALL_ARGS + 32(%rbp), %r8
	mov	CALL_ARGS + 40(%rbp), %r9
	syscall
	mov	CALL_SKIP(%rbp), %rcx
	add	$CALL_SIZE, %rbp
	cmp	$-4095, %rax		/* an error: do what would be left out */
	jae	.Lnext
	shl	$6, %rcx		/* times CALL_SIZE */
	add	%rcx, %rbp
	jmp	.Lnext

.Lcopy:
	mov	JUMP_STACK_TO(%rbx), %rdi
	mov	JUMP_STACK_FROM(%rbx), %rsi
	mov	JUMP_STACK_SIZE(%rbx), %rcx
	rep movsb
	add	$CALL_SIZE, %rbp
	jmp	.Lnext

	/* The frame's registers are those of munmap(self, self_size), at the landing. */
.Lgo:
	mov	JUMP_SP(%rbx), %rsp
	push	JUMP_ENTRY(%rbx)	/* where the landing's ret goes; rsp is then as it must be */
	mov	JUMP_FRAME(%rbx), %rsp
	mov	$15, %eax		/* rt_sigreturn */
	syscall
	.org	jump_code_start + JUMP_CODE_SIZE

	/* mov, not xor: the flags stay as they are in the frame. */
	.global landing_code_start
	.hidden landing_code_start
landing_code_start:
	syscall
	mov	$0, %edi
	mov	$0, %esi
	mov	$0, %ecx
	mov	$0, %r11d
	ret
	.org	landing_code_start + LANDING_SIZE

	.section .note.GNU-stack, "", @progbits
