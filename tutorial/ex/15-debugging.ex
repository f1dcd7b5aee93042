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
red: a handler of SIGSYS does not save it
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
right: an-end-for-each: each call has its end behind it, and x32 is a range of numbers
	region:
	#define END        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
	#define END_FOR(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (n), 0, 1), END
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
			END,
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			END_FOR(SYS_clock_gettime), END_FOR(SYS_clock_gettime + X32_BIT),
			END_FOR(SYS_gettimeofday), END_FOR(SYS_gettimeofday + X32_BIT),
			END_FOR(SYS_time), END_FOR(SYS_time + X32_BIT),
			END_FOR(SYS_getcpu), END_FOR(SYS_getcpu + X32_BIT),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
right: the-numbers-of-i386: the calls of 32-bit programs have an own list, and the others are allowed
	region:
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_STMT(BPF_MISC | BPF_TAX, 0),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 6, 0),
			BPF_STMT(BPF_MISC | BPF_TXA, 0),
			KILL_FOR(13, 11),  /* time */
			KILL_FOR(78, 10),  /* gettimeofday */
			KILL_FOR(265, 9), /* clock_gettime */
			KILL_FOR(318, 8), /* getcpu */
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 403, 7, 6), /* clock_gettime64 */
			BPF_STMT(BPF_MISC | BPF_TXA, 0),
			BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
			KILL_FOR(SYS_clock_gettime, 4),
			KILL_FOR(SYS_gettimeofday, 3),
			KILL_FOR(SYS_time, 2),
			KILL_FOR(SYS_getcpu, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		};
right: x32-not-at-all: nothing of x32 is let through, and SECCOMP_RET_KILL_PROCESS comes first
	region:
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 5, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getcpu, 4, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_time, 3, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 2, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		};
mutant: an-error: the calls fail, instead of being the end
	says: the call has failed, and nobody has ended
	s/SECCOMP_RET_KILL_PROCESS/SECCOMP_RET_ERRNO | 1/
mutant: one-thread: only the thread that asks is ended
	says: a process that has lost a thread hangs
	s/SECCOMP_RET_KILL_PROCESS/SECCOMP_RET_KILL_THREAD/
mutant: any-machine: the number is compared, whatever machine it is of
	says: A filter must look at the machine first
	s/AUDIT_ARCH_X86_64, 0, 7/AUDIT_ARCH_X86_64, 0, 0/
mutant: x32-is-another-machine: the bit of x32 stays in the number
	says: its numbers have bit 30 set
	s/\t\tBPF_STMT\(BPF_ALU[^\n]*\n//; s/AUDIT_ARCH_X86_64, 0, 7/AUDIT_ARCH_X86_64, 0, 6/
mutant: one-too-short: a jump ends at the instruction before the one that is meant
	says: A jump passes over as many instructions
	s/SYS_clock_gettime, 4/SYS_clock_gettime, 3/
mutant: other-machines-allowed: what is not x86-64 is let through
	says: A filter must look at the machine first
	s/AUDIT_ARCH_X86_64, 0, 7/AUDIT_ARCH_X86_64, 0, 6/
mutant: a-signal: the call is a SIGSYS that a program can catch, and go on
	says: a signal that can be caught
	s/SECCOMP_RET_KILL_PROCESS/SECCOMP_RET_TRAP/
mutant: one-too-far: each jump of the four goes one too far, the last of them out of the filter
	says: the kernel has refused the filter
	says: each jump ends inside
	s/(KILL_FOR\(\w+, )(\d)/$1.($2+1)/ge
mutant: half-of-x32: of x32 clock_gettime is in the list, and none of the others
	says: the number is 96 there, gettimeofday
	says: its numbers have bit 30 set
	s/BPF_STMT\(BPF_ALU[^\n]*/KILL_FOR(SYS_clock_gettime + X32_BIT, 5),/
mutant: one-forgotten: getcpu is not in the list
	says: getcpu(2) is the end
	says: Is the number of this one compared
	s/\t\tKILL_FOR\(SYS_getcpu, 1\),\n//; s/(KILL_FOR\(\w+, )(\d)/$1.($2-1)/ge; s/64, 0, 7/64, 0, 6/
stub:
		/* TODO: the end for the four calls, on any machine; all others are allowed. */
		struct sock_filter code[] = {
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
