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
right: over-the-usual: .cfi_startproc with what it says by itself, and SIGCONTEXT() over it
	s/\.cfi_startproc simple/.cfi_startproc/g; s/\t\.cfi_return_column EIP\n//g
right: counted-out: the numbers as they come out, and the mark behind them
	s/\t\.cfi_signal_frame\n//g; s/(\tSIGCONTEXT\(4\))[^\n]*\n/$1\n\t.cfi_signal_frame\n/; s/\tSIGCONTEXT\(3 \* 4 \+ 128 \+ 20\)\n/\tSIGCONTEXT(160)\n\t.cfi_signal_frame\n/
right: row-by-row: two nops, and registers said one by one
	s/\tSIGCONTEXT\(0\)\n/\t.cfi_escape 0x0f, 4, AT(SC_ESP), 0x06\n\tSAVED(EIP, SC_EIP)\n\tSAVED(EBP, SC_EBP)\n\tSAVED(EDI, SC_EDI)\n\tSAVED(ESI, SC_ESI)\n\tSAVED(EBX, SC_EBX)\n\tSAVED(EDX, SC_EDX)\n\tSAVED(ECX, SC_ECX)\n\tSAVED(EAX, SC_EAX)\n/; s/\tnop\n/\tnop\n\tnop\n/g
mutant: too-late: the unwind data begins at the label
	says: expected  that unwind data covers the byte before the label
	s/\tnop\n__kernel_sigreturn:\n/__kernel_sigreturn:\n/
mutant: not-marked: nothing says that the code above was interrupted and has not called
	says: expected  an S in the augmentation
	s/\t\.cfi_signal_frame\n//g
mutant: pop-forgotten: after the pop the registers are looked for where they were before it
	says: The pop has moved the stack pointer
	s/\tSIGCONTEXT\(0\)\n//
mutant: one-pointer-short: two pointers are counted where the signal number is a third word
	says: 4 bytes below the word
	s/3 \* 4 \+ 128/2 * 4 + 128/
mutant: row-at-the-label: the registers are described behind the nop, so the byte before the label has none of it
	says: no rule for the CFA at the byte before the label
	s/(\tSIGCONTEXT\(3 \* 4 \+ 128 \+ 20\)\n)\tnop\n/\tnop\n$1/; s/(\tSIGCONTEXT\(4\)[^\n]*\n)(.*?)\tnop\n/$2\tnop\n$1/s
mutant: from-the-handler: the return address is counted, which the handler's ret has taken off
	says: 4 bytes above
	s/SIGCONTEXT\(4\)/SIGCONTEXT(8)/; s/3 \* 4 \+ 128/4 * 4 + 128/
mutant: stack-t-forgotten: ucontext is taken to begin with sigcontext
	says: 20 bytes below
	s/128 \+ 20/128/
mutant: usual-at-the-label: behind the nop, too, and before it what .cfi_startproc says by itself
	says: takes it for a return address
	s/\.cfi_startproc simple/.cfi_startproc/g; s/\t\.cfi_return_column EIP\n//g; s/(\tSIGCONTEXT\(3 \* 4 \+ 128 \+ 20\)\n)\tnop\n/\tnop\n$1/; s/(\tSIGCONTEXT\(4\)[^\n]*\n)(.*?)\tnop\n/$2\tnop\n$1/s
mutant: one-of-two: only the first trampoline is marked
	says: of __kernel_rt_sigreturn's unwind data
	s/(.*)\t\.cfi_signal_frame\n/$1/s
mutant: place-alone: it is said where the code goes on and where its stack is, and no more
	says: nothing: the unwind data does not say where it is
	s/SIGCONTEXT\((.*?)\)(?=[\t\n])/.cfi_escape 0x0f, 4, AT($1 + SC_ESP), 0x06\n\tSAVED(EIP, $1 + SC_EIP)/g
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
