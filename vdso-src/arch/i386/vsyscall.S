/*
 * vsyscall.S - __kernel_vsyscall: the way into the kernel, as a function. i386.
 *
 * The vDSO began here, in 2002. INT 0x80 works on every processor, SYSENTER was faster on some,
 * and a C library could not know which to use. So the kernel gave it an address to call,
 * AT_SYSINFO in the auxiliary vector. glibc keeps it in its thread block and makes every system
 * call with `call *%gs:0x10`: number in eax, arguments in ebx, ecx, edx, esi, edi and ebp,
 * result in eax, all other registers preserved.
 *
 * Ours is INT 0x80, the only instruction after which the kernel returns to where it was called.
 * After SYSENTER (and SYSCALL, AMD's counterpart) it returns to a fixed address in a vDSO, its
 * own: the program would continue there, in a vDSO that is not ours and may not be mapped. The
 * price: an interrupt is slow, and in a virtual machine, where the host may intercept each, it
 * can take twenty times as long as SYSCALL.
 */

/*
 * Restarting: when a signal interrupts a system call that is to be made again, the kernel moves
 * the instruction pointer back by two bytes, the length of both INT 0x80 and SYSENTER. The
 * kernel's vDSO therefore needs an INT 0x80 before that fixed address, so that SYSENTER can be
 * restarted; here it is the same instruction again.
 *
 * Nothing is pushed: the caller's frame is in the same place at every instruction, and a
 * debugger that steps through never loses it. The return address is on the caller's stack. A
 * child that shares the stack must not return before its parent does, which is why C libraries
 * make vfork(2) and clone(2) with an INT 0x80 of their own.
 */
	.text
	.balign 16
	.globl __kernel_vsyscall
	.type __kernel_vsyscall, @function
__kernel_vsyscall:
	.cfi_startproc
	int	$0x80
	ret
	.cfi_endproc
	.size __kernel_vsyscall, . - __kernel_vsyscall

	.section .note.GNU-stack, "", @progbits
