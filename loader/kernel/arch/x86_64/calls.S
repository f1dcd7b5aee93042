/*
 * calls.S - see arch/calls.h. x86-64.
 *
 * Copied to another address before it runs. rbx: the next call. At the breakpoint it is the one
 * that did not return what was expected, and rax what it did; or it is the end of the list.
 */
#include "kernel/arch/calls.h"

	.section .rodata
	.global calls_code_start
	.hidden calls_code_start
	.balign 16
calls_code_start:
	mov	LISTED_NR(%rbx), %rax
	cmp	$LISTED_END, %rax
	je	.Lstop
	mov	LISTED_ARGS(%rbx), %rdi
	mov	LISTED_ARGS + 8(%rbx), %rsi
	mov	LISTED_ARGS + 16(%rbx), %rdx
	mov	LISTED_ARGS + 24(%rbx), %r10
	mov	LISTED_ARGS + 32(%rbx), %r8
	mov	LISTED_ARGS + 40(%rbx), %r9
	cmp	$LISTED_CLEAR, %rax
	je	.Lclear
	syscall
	cmp	LISTED_RESULT(%rbx), %rax
	jne	.Lstop
.Lnext:
	add	$LISTED_SIZE, %rbx
	jmp	calls_code_start
.Lclear:
	mov	%rdx, %rcx
	xor	%eax, %eax
	rep stosb
	jmp	.Lnext
.Lstop:
	int3
	.org	calls_code_start + CALLS_CODE_SIZE, 0xcc

	.section .note.GNU-stack, "", @progbits
