/*
 * probe.h - what probe.c needs of a machine: what the registers hold at the first instruction,
 * and system calls. There is no C library.
 *
 * The registers go to a variable, and everything else happens on a stack of our own, so that
 * the first stack stays as it was found.
 */
#ifndef PROBE_H
#define PROBE_H

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

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

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

/* No call here has a sixth argument. */
static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	(void)f;
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return ret;
}

#else
#	error "which registers has this machine?"
#endif

#endif
