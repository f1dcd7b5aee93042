/*
 * jump.S - see jump.h. x86-64.
 *
 * Copied to another address before it runs: everything in it is relative.
 * rbx: struct jump, rbp: the next call of its list.
 */
#include "kernel/arch/jump.h"

	.section .rodata
	.global exec_jump_start, exec_jump_end
	.hidden exec_jump_start
	.hidden exec_jump_end
	.balign 16
exec_jump_start:
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

	/* The state that the ABI promises: floating point as after reset, rdx zero (it
	   is a function to call at exit otherwise), a clean frame pointer. */
.Lgo:
	fninit
	ldmxcsr	JUMP_FP_CONTROL(%rbx)
	mov	JUMP_SP(%rbx), %rsp
	mov	JUMP_ENTRY(%rbx), %r8
	mov	JUMP_SYSCALL_RET(%rbx), %r9
	mov	JUMP_SELF(%rbx), %rdi
	mov	JUMP_SELF_SIZE(%rbx), %rsi
	xor	%edx, %edx
	xor	%ecx, %ecx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%r10d, %r10d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	test	%r9, %r9
	jz	.Lstay
	push	%r8			/* where its ret goes; rsp is then as it must be */
	xor	%r8d, %r8d
	mov	$11, %eax		/* munmap(self, self_size) */
	jmp	*%r9
.Lstay:
	jmp	*%r8
exec_jump_end:

	.section .note.GNU-stack, "", @progbits
