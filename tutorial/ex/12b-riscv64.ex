# The same for riscv64.
title: riscv64, the counter and the way into the kernel
tier: deep
minutes: 20
needs: qemu-riscv64 riscv64-linux-gnu-gcc
file: vdso-src/arch/riscv64/machine.h
tests: machines/port-riscv64
build: riscv64-course
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
	What is the same as on arm64, and what only has another name? Which of the two ways to order
	the counter is one that this machine has an instruction for?
hint:
	syscall(2) has the registers. The counter is the CSR time, and rdtime reads it. The manual of the
	instruction set says what kind of access that is, and FENCE has letters for kinds: r and w are
	memory.
hint:
	To read a CSR of time counts as input: the letter i. So one fence before it that lets the loads
	above finish first, one after it that lets the counter finish before the loads below begin, and all
	three in one statement.
right: all-before-all: both fences name every kind of access
	s/fence r, i/fence iorw, iorw/; s/fence i, r/fence iorw, iorw/
right: the-csr-by-name: csrr, in statements of their own
	s/\t__asm__ volatile\("fence r, i.*?\);\n/\t__asm__ volatile("fence ir, ir" : : : "memory");\n\t__asm__ volatile("csrr %0, time" : "=r"(now) : : "memory");\n\t__asm__ volatile("fence ir, ir" : : : "memory");\n/s
mutant: memory-only: the fence orders memory, and the counter is none
	says: expected  a fence r, i, and no load between it and the counter
	says: reading the counter counts as input
	s/fence r, i/fence r, r/
mutant: fence-above-alone: nothing keeps the loads below behind the counter
	says: expected  a fence i, r
	s/rdtime %0\\n\\t"\n\s*"fence i, r"/rdtime %0"/
mutant: cycles: the cycles of this CPU are read, and not the time
	says: and of no other
	s/rdtime %0/rdcycle %0/
mutant: writes-unseen: the compiler is not told that a system call writes to memory
	says: That memory changes is something that it has to be told
	s/(ecall" : "\+r"\(a0\) : "r"\(a7\), "r"\(a1\)) : "memory"/$1/
mutant: three-unseen: of the call with three arguments the compiler is not told
	says: (three arguments)
	s/(ecall" : "\+r"\(a0\) : "r"\(a7\), "r"\(a1\), "r"\(a2\)) : "memory"/$1/
mutant: once-for-two: between two fences is a read that may be moved, or made once for two
	s/__asm__ volatile\("fence r, i.*?\);\n/__asm__ volatile("fence r, i" : : : "memory");\n\t__asm__("rdtime %0" : "=r"(now));\n\t__asm__ volatile("fence i, r" : : : "memory");\n/s
stub:
	/*
	 * TODO: the numbers of these four system calls, as this machine has them.
	 */
	#define ARCH_NR_GETTIMEOFDAY  (-1)
	#define ARCH_NR_CLOCK_GETTIME (-1)
	#define ARCH_NR_CLOCK_GETRES  (-1)
	#define ARCH_NR_GETRANDOM     (-1)

	/*
	 * TODO: the counter, which rdtime reads. It must not be read before the loads that precede
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
