/*
 * vsyscall.S - __kernel_vsyscall: the way into the kernel, as a function. i386.
 *
 * Here the vDSO began, in 2002. INT 0x80 works on every processor, SYSENTER was faster on
 * some, and a C library could not know. So the kernel gave it an address to call, in the
 * vector as AT_SYSINFO. glibc keeps it in its thread block and makes every system call
 * with `call *%gs:0x10`: number in eax, arguments in ebx, ecx, edx, esi, edi and ebp, the
 * result in eax, and every other register as it was.
 *
 * Ours is INT 0x80, because it is the only instruction with which the kernel comes back to
 * where it was called from. After SYSENTER (and after SYSCALL, which AMD has in its place)
 * it returns to one fixed address in a vDSO, and the vDSO that it means is its own: the
 * program would go on there, on a page that is not ours and need not be mapped.
 *
 * The price: an interrupt is slow, and on a virtual machine, where the host may look at each,
 * it can be twenty times as slow as SYSCALL.
 *
 * Restarting is the other half of it. When a signal interrupts a system call that shall be
 * made again afterwards, the kernel puts the instruction pointer back by two bytes, the
 * length of INT 0x80 as well as that of SYSENTER. So the kernel's page needs an INT 0x80
 * before that fixed address, for SYSENTER to be restarted with; here it is simply the same
 * instruction once more.
 *
 * Nothing is pushed: at every instruction the caller's frame is where it was at the first,
 * and a debugger that steps through never loses it. The return address lies on the stack
 * of the caller. A child that shares it must not return before its parent does: that is
 * why C libraries make vfork(2) and clone(2) with an INT 0x80 of their own.
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
