/*
 * probe.h - what probe.c needs of a machine: what the registers hold at the first instruction.
 *
 * The registers go to a variable, and everything else happens on a stack of our own, so that
 * the first stack stays as it was found.
 */
#ifndef PROBE_H
#define PROBE_H

#include "bare_call.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#define OWN_STACK 65536
static char own_stack[OWN_STACK] __attribute__((aligned(64), used));

#if defined(__x86_64__)

/* In the order in which _start saves them. */
#	define REGISTERS                                                                  \
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", \
			"r12", "r13", "r14", "r15", "cs", "ss", "ds", "es", "fs", "gs",    \
			"flags"
#	define REGISTERS_COUNT 22
unsigned long entry_registers[REGISTERS_COUNT] __attribute__((used));
unsigned char entry_fp[512] __attribute__((aligned(64), used));

/* clang-format off */
__asm__("	.pushsection .text\n"
	"	.macro	save n, reg\n"
	"	mov	%\\reg, entry_registers + 8 * \\n(%rip)\n"
	"	.endm\n"
	"	.macro	save_segment n, reg\n"
	"	mov	%\\reg, %eax\n"
	"	save	\\n, rax\n"
	"	.endm\n"
	"	.globl _start\n"
	"_start:\n"
	"	save	0, rax\n"
	"	save	1, rbx\n"
	"	save	2, rcx\n"
	"	save	3, rdx\n"
	"	save	4, rsi\n"
	"	save	5, rdi\n"
	"	save	6, rbp\n"
	"	save	7, r8\n"
	"	save	8, r9\n"
	"	save	9, r10\n"
	"	save	10, r11\n"
	"	save	11, r12\n"
	"	save	12, r13\n"
	"	save	13, r14\n"
	"	save	14, r15\n"
	"	save_segment 15, cs\n"
	"	save_segment 16, ss\n"
	"	save_segment 17, ds\n"
	"	save_segment 18, es\n"
	"	save_segment 19, fs\n"
	"	save_segment 20, gs\n"
	"	fxsave64 entry_fp(%rip)\n"
	"	mov	%rsp, %rdi\n"
	"	lea	own_stack + " TEXT(OWN_STACK) "(%rip), %rsp\n"
	"	pushfq\n"
	"	pop	%rax\n"
	"	save	21, rax\n"
	"	call	probe\n"
	"	.popsection\n");
/* clang-format on */

#elif defined(__i386__)

#	define REGISTERS                                                                      \
		"eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "cs", "ss", "ds", "es", "fs", \
			"gs", "flags"
#	define REGISTERS_COUNT 14
unsigned long entry_registers[REGISTERS_COUNT] __attribute__((used));
unsigned char entry_fp[512] __attribute__((aligned(64), used));

/* clang-format off */
__asm__("	.pushsection .text\n"
	"	.macro	save n, reg\n"
	"	mov	%\\reg, entry_registers + 4 * \\n\n"
	"	.endm\n"
	"	.macro	save_segment n, reg\n"
	"	mov	%\\reg, %eax\n"
	"	save	\\n, eax\n"
	"	.endm\n"
	"	.globl _start\n"
	"_start:\n"
	"	save	0, eax\n"
	"	save	1, ebx\n"
	"	save	2, ecx\n"
	"	save	3, edx\n"
	"	save	4, esi\n"
	"	save	5, edi\n"
	"	save	6, ebp\n"
	"	save_segment 7, cs\n"
	"	save_segment 8, ss\n"
	"	save_segment 9, ds\n"
	"	save_segment 10, es\n"
	"	save_segment 11, fs\n"
	"	save_segment 12, gs\n"
	"	fxsave	entry_fp\n"
	"	mov	%esp, %ecx\n"
	"	mov	$own_stack + " TEXT(OWN_STACK) ", %esp\n"
	"	pushf\n"
	"	pop	%eax\n"
	"	save	13, eax\n"
	"	sub	$12, %esp\n"
	"	push	%ecx\n"
	"	call	probe\n"
	"	.popsection\n");
/* clang-format on */

#elif defined(__aarch64__)

#	define REGISTERS                                                                     \
		"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",     \
			"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", \
			"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",        \
			"flags", "fpcr", "fpsr", "tpidr"
#	define REGISTERS_COUNT 35
#	define VECTORS_COUNT   31
unsigned long entry_registers[REGISTERS_COUNT] __attribute__((used));
unsigned char entry_fp[VECTORS_COUNT * 16] __attribute__((aligned(64), used));

/* An address takes a register: so x30 waits in v31, which is not looked at. */
/* clang-format off */
__asm__("	.pushsection .text\n"
	"	.globl _start\n"
	"_start:\n"
	"	fmov	d31, x30\n"
	"	adrp	x30, entry_registers\n"
	"	add	x30, x30, :lo12:entry_registers\n"
	"	.irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28\n"
	"	str	x\\n, [x30, 8 * \\n]\n"
	"	.endr\n"
	"	.irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29\n"
	"	str	x\\n, [x30, 8 * \\n]\n"
	"	.endr\n"
	"	str	d31, [x30, 8 * 30]\n"
	"	mrs	x0, nzcv\n"
	"	mrs	x1, fpcr\n"
	"	stp	x0, x1, [x30, 8 * 31]\n"
	"	mrs	x0, fpsr\n"
	"	mrs	x1, tpidr_el0\n"
	"	stp	x0, x1, [x30, 8 * 33]\n"
	"	adrp	x30, entry_fp\n"
	"	add	x30, x30, :lo12:entry_fp\n"
	"	.irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30\n"
	"	str	q\\n, [x30, 16 * \\n]\n"
	"	.endr\n"
	"	.irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29\n"
	"	str	q\\n, [x30, 16 * \\n]\n"
	"	.endr\n"
	"	mov	x0, sp\n"
	"	adrp	x1, own_stack + " TEXT(OWN_STACK) "\n"
	"	add	sp, x1, :lo12:own_stack + " TEXT(OWN_STACK) "\n"
	"	bl	probe\n"
	"	.popsection\n");
/* clang-format on */

#elif defined(__riscv)

#	define REGISTERS                                                                     \
		"ra", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", \
			"a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",     \
			"s10", "s11", "t3", "t4", "t5", "t6", "fcsr"
#	define REGISTERS_COUNT 31
#	define VECTORS_COUNT   31
unsigned long entry_registers[REGISTERS_COUNT] __attribute__((used));
unsigned char entry_fp[VECTORS_COUNT * 16] __attribute__((aligned(64), used));

/* An address takes a register: so ra waits in f31, which is not looked at. */
/* clang-format off */
__asm__("	.pushsection .text\n"
	"	.option	push\n"
	"	.option	norelax\n"
	"	.globl _start\n"
	"_start:\n"
	"	fmv.d.x	f31, ra\n"
	"	lla	ra, entry_registers\n"
	"	sd	gp, 8(ra)\n"
	"	sd	tp, 16(ra)\n"
	"	.irp n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18\n"
	"	sd	x\\n, 8 * (\\n - 2)(ra)\n"
	"	.endr\n"
	"	.irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	sd	x\\n, 8 * (\\n - 2)(ra)\n"
	"	.endr\n"
	"	fsd	f31, 0(ra)\n"
	"	frcsr	t0\n"
	"	sd	t0, 8 * 30(ra)\n"
	"	lla	ra, entry_fp\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	fsd	f\\n, 16 * \\n(ra)\n"
	"	.endr\n"
	"	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
	"	fsd	f\\n, 16 * \\n(ra)\n"
	"	.endr\n"
	"	mv	a0, sp\n"
	"	lla	sp, own_stack + " TEXT(OWN_STACK) "\n"
	BARE_GP
	"	call	probe\n"
	"	.option	pop\n"
	"	.popsection\n");
/* clang-format on */

#else
#	error "which registers has this machine?"
#endif

#endif
