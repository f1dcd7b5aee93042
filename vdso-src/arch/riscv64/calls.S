/*
 * calls.S - three functions that are plain system calls on riscv64.
 *
 * getcpu: no register that user code may read has the number of the CPU. flush_icache: only the
 * kernel can make new instructions visible to other CPUs. hwprobe: the kernel's vDSO answers
 * the most common question from a table in its data pages, but our timekeeper could only fill
 * that table with this same call. The arguments are already where the kernel expects them, and
 * the result is where the caller does.
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
	.option norelax /* gcc 10 does not pass -mno-relax on */
	SYSTEM_CALL __vdso_getcpu, 168
	SYSTEM_CALL __vdso_flush_icache, 259
	SYSTEM_CALL __vdso_riscv_hwprobe, 258

	.section .note.GNU-stack, "", @progbits
