# A seccomp filter that kills for the clock calls, and that the vDSO lives under.
title: Debugging and hiding
tier: deep
minutes: 40
needs: x86_64
file: tests/programs/clock_filter.h
tests: run/filter
red: clock_gettime(2) is the end
red: gettimeofday(2) is the end
red: time(2) is the end
red: getcpu(2) is the end
red: not the thread alone ends, but the process
red: a program that is executed is under it, too
red: the numbers of 32-bit programs are no way around
red: the numbers of x32 are no way around
red: where the vDSO asks the kernel, the filter sees it
hint:
	What does the filter know of a call? `struct seccomp_data` has it all. Which of it must it look
	at first, so that the number means anything? What becomes of a call about which it says nothing?
hint:
	seccomp(2) has the struct and a whole filter as an example. BPF_LD | BPF_W | BPF_ABS loads a word
	of it, BPF_JUMP compares what was loaded, and its last two numbers say how many instructions to
	pass over if it is equal, and if it is not. <linux/seccomp.h> has what can be returned.
hint:
	Load the machine, and go to the last instruction if it is not x86-64. Load the number, and take
	the bit of x32 out of it. For each of the four calls: equal, go to the last instruction; not
	equal, to the next. Behind the four: allowed. Last of all: the end, of the whole process.
mutant: an-error: the calls fail, instead of being the end
	s/SECCOMP_RET_KILL_PROCESS/SECCOMP_RET_ERRNO | 1/
mutant: one-thread: only the thread that asks is ended
	s/SECCOMP_RET_KILL_PROCESS/SECCOMP_RET_KILL_THREAD/
mutant: any-machine: the number is compared, whatever machine it is of
	s/AUDIT_ARCH_X86_64, 0, 7/AUDIT_ARCH_X86_64, 0, 0/
mutant: x32-is-another-machine: the bit of x32 stays in the number
	s/\t\tBPF_STMT\(BPF_ALU[^\n]*\n//; s/AUDIT_ARCH_X86_64, 0, 7/AUDIT_ARCH_X86_64, 0, 6/
stub:
	/* TODO: the end for the four calls, on any machine; all others are allowed. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
