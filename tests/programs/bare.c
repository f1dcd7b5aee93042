/*
 * bare.c - what the very first instruction of a program finds, before any C library has
 * touched it: "key value" lines that must be the same however it was started.
 */
#include <asm/prctl.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <stddef.h>
#include <sys/syscall.h>

struct entry {
	unsigned long sp, rdx, rbp, flags;
	unsigned int mxcsr, fcw;
};

__asm__("	.globl _start\n"
	"_start:\n"
	"	mov	%rsp, %rax\n"
	"	pushfq\n"
	"	pop	%rcx\n"
	"	and	$-16, %rsp\n"
	"	sub	$48, %rsp\n"
	"	mov	%rax, 0(%rsp)\n"
	"	mov	%rdx, 8(%rsp)\n"
	"	mov	%rbp, 16(%rsp)\n"
	"	mov	%rcx, 24(%rsp)\n"
	"	stmxcsr	32(%rsp)\n"
	"	movl	$0, 36(%rsp)\n"
	"	fnstcw	36(%rsp)\n"
	"	mov	%rsp, %rdi\n"
	"	call	report\n");

static long call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static void say(const char *key, unsigned long value)
{
	char line[64];
	size_t at = 0;

	while (*key)
		line[at++] = *key++;
	line[at++] = ' ';
	for (int shift = 60; shift >= 0; shift -= 4)
		line[at++] = "0123456789abcdef"[value >> shift & 15];
	line[at++] = '\n';
	call(SYS_write, 1, (long)line, (long)at, 0);
}

__attribute__((used, noreturn)) static void report(const struct entry *entry)
{
	static struct rseq area __attribute__((aligned(32)));
	unsigned long value = 1, size = 0;

	say("sp-misaligned", entry->sp % 16);
	say("argc", *(const unsigned long *)entry->sp);
	say("rdx", entry->rdx);
	say("rbp", entry->rbp);
	say("direction-flag", entry->flags & 0x400);
	say("mxcsr", entry->mxcsr);
	say("fcw", entry->fcw);
	call(SYS_arch_prctl, ARCH_GET_FS, (long)&value, 0, 0);
	say("fs", value);
	call(SYS_arch_prctl, ARCH_GET_GS, (long)&value, 0, 0);
	say("gs", value);
	call(SYS_get_robust_list, 0, (long)&value, (long)&size, 0);
	say("robust-list", value);
	value = 1;
	call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&value, 0, 0);
	say("tid-address", value);
	say("rseq", (unsigned long)call(SYS_rseq, (long)&area, 32, 0, 0x53053053));
	call(SYS_exit_group, 0, 0, 0, 0);
	__builtin_unreachable();
}
