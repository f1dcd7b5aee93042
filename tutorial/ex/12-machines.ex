# What one machine has of its own: its counter, and its way into the kernel.
title: 32-bit and other machines
tier: deep
minutes: 40
needs: qemu-aarch64 aarch64-linux-gnu-gcc
file: vdso-src/arch/aarch64/machine.h
tests: machines/port-aarch64
build: aarch64-course
red: the numbers of the system calls are those of this machine
red: number and arguments arrive, and the kernel's answer comes back
red: what the kernel refuses comes back as a negative errno
red: what the kernel writes into the caller's memory is seen after the call
red: the counter is the whole register, and counts at its rate
red: the image goes on from its base as the counter does
red: what the data page does not know the image asks the kernel
red: the counter is not read before the loads above it
red: nor after those below it
red: and the compiler moves nothing past it
hint:
	In which registers does the number go, in which the arguments, and where does the result come
	back? Which registers does the kernel leave alone, and what else may have changed after the call?
	And the counter: is its register memory? Do the fences that order memory order it, then?
hint:
	syscall(2) has the table of registers for every machine, under "Architecture calling conventions".
	The numbers are in asm-generic/unistd.h, and echo SYS_gettimeofday | aarch64-linux-gnu-gcc -E
	-P -include sys/syscall.h - | tail -n 1 prints one. vdso-src/arch/x86_64/machine.h shows how the same is
	written for another machine. For the counter, look for ISB in the manual of the architecture, or
	at what the kernel does: the chapter names the function.
hint:
	A system call: local register variables, one for each register that the ABI names; one asm
	statement that is volatile, has the result as its in-out operand and the others as inputs, and says
	that memory changes. The counter: in one statement an isb, the mrs, and then something that waits
	for its result: an address that is made of the count, but always the same, and a load from it. That
	statement also says that memory matters to it.
right: two-isb: what holds the loads below back is a second isb
	s/\\n\\t"\n\s*"eor %1, %0, %0\\n\\t"\n\s*"ldr xzr, \[sp, %1\]"\n\s*: "=r"\(now\), "=&r"\(nothing\)/\\n\\t"\n\t\t\t "isb"\n\t\t\t : "=r"(now)/; s/u64 now, nothing;/u64 now;/
right: three-statements: statements of their own, each of which says that memory matters
	s/\tu64 now, nothing;.*?\treturn now;/\tu64 now;\n\n\t__asm__ volatile("isb" : : : "memory");\n\t__asm__ volatile("mrs %0, cntvct_el0" : "=r"(now) : : "memory");\n\t__asm__ volatile("isb" : : : "memory");\n\treturn now;/s
right: one-call: a call with two arguments is one with three, and the result has a name of its own
	region:
	@keep /define ARCH_NR_GETTIMEOFDAY/ .. /define ARCH_NR_GETRANDOM/
	
	@keep /u64 arch_counter/ .. /^}/
	
	static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
	{
		register long x0 __asm__("x0") = a;
		register long x1 __asm__("x1") = b;
		register long x2 __asm__("x2") = c;
		register long number __asm__("x8") = nr;
		register long answer __asm__("x0");
	
		__asm__ volatile("svc 0"
				 : "=r"(answer)
				 : "r"(number), "r"(x0), "r"(x1), "r"(x2)
				 : "memory", "cc");
		return answer;
	}
	
	static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
	{
		return arch_syscall3(nr, a, b, 0);
	}
mutant: no-isb: nothing holds the counter's read back
	says: expected  an isb, and no load between it and the counter
	says: An isb lets nothing begin before the branches on them
	s/"isb\\n\\t"\n\s*//
mutant: x86-numbers: the numbers are those of x86-64
	says: a wrong number is another system call
	s/GETTIMEOFDAY  169/GETTIMEOFDAY  96/; s/CLOCK_GETTIME 113/CLOCK_GETTIME 228/; s/CLOCK_GETRES  114/CLOCK_GETRES  229/; s/GETRANDOM     278/GETRANDOM     318/
mutant: writes-unseen: the compiler is not told that a system call writes to memory
	says: That memory changes is something that it has to be told
	s/(svc #0" : "\+r"\(x0\) : "r"\(x8\), "r"\(x1\)) : "memory"/$1/
mutant: three-unseen: of the call with three arguments the compiler is not told
	says: That memory changes is something that it has to be told
	says: (three arguments)
	s/(svc #0" : "\+r"\(x0\) : "r"\(x8\), "r"\(x1\), "r"\(x2\)) : "memory"/$1/
mutant: nothing-waits: the loads below need not wait for the counter
	says: let one wait for the register
	s/\\n\\t"\n\s*"eor %1, %0, %0\\n\\t"\n\s*"ldr xzr, \[sp, %1\]"\n\s*: "=r"\(now\), "=&r"\(nothing\)/"\n: "=r"(now)/; s/u64 now, nothing;/u64 now;/
mutant: not-volatile: the counter's statement may be moved, or made once for two
	says: the statement is not volatile
	s/__asm__ volatile\("isb(.*?)\n\s*:\n\s*: "memory"\);/__asm__("isb$1);/s
mutant: number-elsewhere: the number goes where riscv64 has it
	says: no such system call
	s/__asm__\("x8"\)/__asm__("x7")/g
mutant: half-an-address: the second argument is kept in 32 bits
	says: the address has not arrived as it was
	s/register long x1 __asm__\("x1"\) = b;/register long x1 __asm__("x1") = (u32)b;/g
mutant: errno-made: what is below 0 becomes -1, as in a C library
	says: got       -1
	s/return x0;/return x0 < 0 ? -1 : x0;/g
mutant: half-a-counter: the count is kept in 32 bits
	says: all bits of the register
	s/return now;/return (u32)now;/
stub:
	/*
	 * TODO: the numbers of these four system calls, as this machine has them.
	 */
	#define ARCH_NR_GETTIMEOFDAY  (-1)
	#define ARCH_NR_CLOCK_GETTIME (-1)
	#define ARCH_NR_CLOCK_GETRES  (-1)
	#define ARCH_NR_GETRANDOM     (-1)

	/*
	 * TODO: the counter, cntvct_el0. It must not be read before the loads that precede
	 * it in the source, nor after those that follow.
	 */
	static inline __attribute__((always_inline)) u64 arch_counter(void)
	{
		return 0;
	}

	/*
	 * TODO: a system call with two arguments, and one with three. They return what the kernel
	 * returns: 0.. or -errno.
	 */
	static inline __attribute__((always_inline)) long arch_syscall2(long nr, long a, long b)
	{
		long enosys = -38;

		(void)nr;
		(void)a;
		/* As far as the compiler knows, the answer comes from elsewhere. */
		__asm__("" : "+r"(enosys) : "r"(b) : "memory");
		return enosys;
	}

	static inline __attribute__((always_inline)) long arch_syscall3(long nr, long a, long b, long c)
	{
		(void)c;
		return arch_syscall2(nr, a, b);
	}
