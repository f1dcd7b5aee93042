/*
 * bare_call.h - system calls without a C library, on every machine.
 *
 *	call6()         a system call; returns what the kernel does, 0.. or -errno
 *	BARE_ENTRY(f)   the program's first instruction: f gets the stack pointer
 */
#ifndef BARE_CALL_H
#define BARE_CALL_H

#if defined(__x86_64__)

#	define BARE_ENTRY(function)        \
		__asm__("	.globl _start\n"  \
			"_start:\n"         \
			"	mov	%rsp, %rdi\n" \
			"	and	$-16, %rsp\n" \
			"	call	" #function "\n")

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

#elif defined(__aarch64__)

#	define BARE_ENTRY(function)       \
		__asm__("	.globl _start\n" \
			"_start:\n"        \
			"	mov	x0, sp\n"    \
			"	bl	" #function "\n")

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#elif defined(__riscv)

/* The linker shortens addresses to distances from gp, which nobody else sets here. */
#	define BARE_GP                        \
		"	.option	push\n"              \
		"	.option	norelax\n"           \
		"	lla	gp, __global_pointer$\n" \
		"	.option	pop\n"
#	define BARE_ENTRY(function)                       \
		__asm__("	.globl _start\n"                 \
			"_start:\n" BARE_GP "	mv	a0, sp\n" \
			"	andi	sp, sp, -16\n"              \
			"	call	" #function "\n")

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}

#else
#	error "how does this machine make a system call?"
#endif

#endif
