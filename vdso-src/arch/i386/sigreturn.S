/*
 * sigreturn.S - where a signal handler returns to on i386.
 *
 * To run a handler, the kernel saves all registers on the stack and makes it look as if
 * somebody had called the handler. The handler then "returns" to one of these, whose system
 * call restores the registers. There are two, because there are two layouts:
 *
 *	__kernel_sigreturn		sigaction(2) without SA_SIGINFO
 *	__kernel_rt_sigreturn		sigaction(2) with SA_SIGINFO
 *
 * The kernel itself uses those of its own vDSO, or sa_restorer. The code must not change by a
 * byte: where there is no unwind data, gdb, libgcc and others recognise a signal frame by
 * exactly these instructions.
 */

/*
 * At the first instruction, the handler's `ret` has popped the return address, and esp points to
 *
 *	sigreturn		signal number, struct sigcontext
 *	rt_sigreturn		signal number, siginfo *, ucontext *, siginfo (128 bytes), ucontext
 *
 * That is for the kernel. Everything else here is for unwinders of the stack: debuggers, and
 * exceptions thrown in a handler. "S" in the augmentation (.cfi_signal_frame) tells them that
 * the address found is that of the next instruction to run, not one after a call.
 */

/*
 * struct sigcontext (asm/sigcontext.h, struct sigcontext_32), and DWARF's numbers for the
 * registers (System V ABI, i386, 2.4.2).
 */
#define SC_EDI 16
#define SC_ESI 20
#define SC_EBP 24
#define SC_ESP 28
#define SC_EBX 32
#define SC_EDX 36
#define SC_ECX 40
#define SC_EAX 44
#define SC_EIP 56

#define EAX 0
#define ECX 1
#define EDX 2
#define EBX 3
#define ESP 4
#define EBP 5
#define ESI 6
#define EDI 7
#define EIP 8

#define NR_SIGRETURN    119
#define NR_RT_SIGRETURN 173

/*
 * SIGCONTEXT(at) says in .eh_frame that struct sigcontext begins at esp + at. The assembler has
 * no directive for "saved at an address computed from a register", so these are the bytes:
 *
 *	0x10 register 3 (0x74 offset)		DW_CFA_expression: DW_OP_breg4, esp + offset
 *	0x0f 4 (0x74 offset 0x06)		DW_CFA_def_cfa_expression: likewise, DW_OP_deref
 *
 * An offset is written in two groups of seven bits, the low one first (SLEB128). The CFA of the
 * interrupted function is its stack pointer.
 */
/* course: begin 14-signals.context */
#define AT(offset) 0x74, ((offset) & 0x7f) | 0x80, (offset) >> 7
#define SAVED(register, offset) .cfi_escape 0x10, register, 3, AT(offset)
#define SIGCONTEXT(at)                                      \
	.cfi_escape 0x0f, 4, AT(at + SC_ESP), 0x06;          \
	SAVED(EAX, at + SC_EAX);  SAVED(ECX, at + SC_ECX);   \
	SAVED(EDX, at + SC_EDX);  SAVED(EBX, at + SC_EBX);   \
	SAVED(EBP, at + SC_EBP);  SAVED(ESI, at + SC_ESI);   \
	SAVED(EDI, at + SC_EDI);  SAVED(EIP, at + SC_EIP)
/* course: end 14-signals.context */

	.text
	/* course: begin 14-signals */
	.balign 16
	.globl __kernel_sigreturn
	.type __kernel_sigreturn, @function
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column EIP
	SIGCONTEXT(4)			/* after the signal number */
	/*
	 * Unwinders look for the function of a return address one byte before it, since a
	 * call that never returns may be the last instruction of a function. So that byte
	 * must belong to this function.
	 */
	nop
__kernel_sigreturn:
	popl	%eax			/* the signal number: now sigcontext is on top */
	SIGCONTEXT(0)
	movl	$NR_SIGRETURN, %eax
	int	$0x80
	.cfi_endproc
	.size __kernel_sigreturn, . - __kernel_sigreturn

	.balign 16
	.globl __kernel_rt_sigreturn
	.type __kernel_rt_sigreturn, @function
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column EIP
	/* Three words, siginfo, and ucontext's flags, link and stack_t (12 bytes). */
	SIGCONTEXT(3 * 4 + 128 + 20)
	nop
__kernel_rt_sigreturn:
	movl	$NR_RT_SIGRETURN, %eax
	int	$0x80
	.cfi_endproc
	.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn
	/* course: end 14-signals */

	.section .note.GNU-stack, "", @progbits
