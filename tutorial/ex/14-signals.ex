# The unwind data of the two trampolines of i386: what every debugger and every C++ runtime reads.
title: Signals, trampolines, unwinding
tier: deep
minutes: 35
needs: i386 i686-linux-gnu-gcc
file: vdso-src/arch/i386/sigreturn.S
tests: machines/trampolines
build: i386-course
red: the unwind data of both begins one byte before the label
red: both are marked as signal frames
red: rt_sigreturn: the way out leads to the interrupted instruction and its stack
red: rt_sigreturn: every register is found
red: sigreturn: the way out leads to the same place, with every register
red: sigreturn: from the instructions after its pop, too
red: rt_sigreturn: from each of its instructions
red: from both the backtrace goes on to main()
hint:
	The kernel jumped into the handler. On which instruction of the trampoline does the handler's ret
	land, and what does the byte before that belong to? What lies at the stack pointer there, word by
	word? And who says that the address which an unwinder finds is no return address?
hint:
	The comment above lists what lies on the stack for each of the two. The first field of ucontext
	that is a sigcontext comes after flags, link and a stack_t: sigaltstack(2) has the last one, and
	on i386 every field is four bytes. What you have written, as unwinders read it:
	readelf --debug-dump=frames-interp work/.trees/14-signals/build/i386/vdso/arch/i386/sigreturn.o
	The directives are in the manual of the assembler: info as, "CFI directives".
hint:
	Begin each function one instruction early, at one that does nothing: that byte gets the unwind
	data, and the label comes after it. Mark the function as a signal frame. Then say where sigcontext
	begins, counted from the stack pointer: what lies below it, in bytes. A pop changes that
	number in the middle of a function, and what you say there holds from there on.
mutant: too-late: the unwind data begins at the label
	s/\tnop\n__kernel_sigreturn:\n/__kernel_sigreturn:\n/
mutant: not-marked: nothing says that the code above was interrupted and has not called
	s/\t\.cfi_signal_frame\n//g
mutant: pop-forgotten: after the pop the registers are looked for where they were before it
	s/\tSIGCONTEXT\(0\)\n//
mutant: one-pointer-short: two pointers are counted where the signal number is a third word
	s/3 \* 4 \+ 128/2 * 4 + 128/
stub:
		.balign 16
		.globl __kernel_sigreturn
		.type __kernel_sigreturn, @function
		/*
		 * TODO: .cfi_startproc by itself means a function that was called just now: the return
		 * address at esp, the caller's registers where they are. Nobody calls these two. Say
		 * what is true of them; SIGCONTEXT() does most of it. The instructions themselves must
		 * stay as they are.
		 */
		.cfi_startproc
	__kernel_sigreturn:
		popl	%eax			/* the signal number: now sigcontext is on top */
		movl	$NR_SIGRETURN, %eax
		int	$0x80
		.cfi_endproc
		.size __kernel_sigreturn, . - __kernel_sigreturn

		.balign 16
		.globl __kernel_rt_sigreturn
		.type __kernel_rt_sigreturn, @function
		/* TODO: the same for this one, which has siginfo and ucontext on its stack. */
		.cfi_startproc
	__kernel_rt_sigreturn:
		movl	$NR_RT_SIGRETURN, %eax
		int	$0x80
		.cfi_endproc
		.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn
