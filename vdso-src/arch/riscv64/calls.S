/*
 * calls.S - three functions that are system calls on riscv64, and nothing else.
 *
 * No register that user code may read has the CPU's number; instructions become visible to
 * other CPUs with the kernel's help only. And of what the CPUs can do the kernel's own page
 * answers the commonest question from a table in its data; our timekeeper, which would have
 * to fill that table, knows no more than this same call tells. So the calls are made: the
 * arguments are where the kernel expects them, and the result is where the caller does.
 */
	.macro SYSTEM_CALL name, nr
	.balign 4
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	li	a7, \nr
	ecall
	ret
	.cfi_endproc
	.size \name, . - \name
	.endm

	.text
	SYSTEM_CALL __vdso_getcpu, 168
	SYSTEM_CALL __vdso_flush_icache, 259
	SYSTEM_CALL __vdso_riscv_hwprobe, 258

	.section .note.GNU-stack, "", @progbits
