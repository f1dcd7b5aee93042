/*
 * bare.c - what the very first instruction of a program finds, before any C library has
 * touched it: "key value" lines that must be the same however it was started.
 */
#ifdef __x86_64__
#	include <asm/prctl.h>
#endif
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "bare_call.h"

#if defined(__x86_64__)

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

#elif defined(__aarch64__)

struct entry {
	unsigned long sp, x0, x29, x30, fpcr, fpsr, tpidr;
};

__asm__("	.globl _start\n"
	"_start:\n"
	"	mov	x9, sp\n"
	"	stp	x9, x0, [sp, #-64]!\n"
	"	stp	x29, x30, [sp, #16]\n"
	"	mrs	x9, fpcr\n"
	"	mrs	x10, fpsr\n"
	"	stp	x9, x10, [sp, #32]\n"
	"	mrs	x9, tpidr_el0\n"
	"	str	x9, [sp, #48]\n"
	"	mov	x0, sp\n"
	"	bl	report\n");

#else

struct entry {
	unsigned long sp, a0, ra, tp, fcsr;
};

__asm__("	.globl _start\n"
	"_start:\n"
	"	mv	t0, sp\n"
	"	andi	sp, sp, -16\n"
	"	addi	sp, sp, -48\n"
	"	sd	t0, 0(sp)\n"
	"	sd	a0, 8(sp)\n"
	"	sd	ra, 16(sp)\n"
	"	sd	tp, 24(sp)\n"
	"	frcsr	t0\n"
	"	sd	t0, 32(sp)\n" BARE_GP "	mv	a0, sp\n"
	"	call	report\n");

#endif

static long call(long nr, long a, long b, long c, long d)
{
	return call6(nr, a, b, c, d, 0, 0);
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
#if defined(__x86_64__)
	say("rdx", entry->rdx);
	say("rbp", entry->rbp);
	say("direction-flag", entry->flags & 0x400);
	say("mxcsr", entry->mxcsr);
	say("fcw", entry->fcw);
	call(SYS_arch_prctl, ARCH_GET_FS, (long)&value, 0, 0);
	say("fs", value);
	call(SYS_arch_prctl, ARCH_GET_GS, (long)&value, 0, 0);
	say("gs", value);
#elif defined(__aarch64__)
	say("x0", entry->x0);
	say("x29", entry->x29);
	say("x30", entry->x30);
	say("fpcr", entry->fpcr);
	say("fpsr", entry->fpsr);
	say("tpidr", entry->tpidr);
#else
	say("a0", entry->a0);
	say("ra", entry->ra);
	say("tp", entry->tp);
	say("fcsr", entry->fcsr);
#endif
	call(SYS_get_robust_list, 0, (long)&value, (long)&size, 0);
	say("robust-list", value);
	value = 1;
	call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&value, 0, 0);
	say("tid-address", value);
	say("rseq", (unsigned long)call(SYS_rseq, (long)&area, 32, 0, 0x53053053));
	call(SYS_exit_group, 0, 0, 0, 0);
	__builtin_unreachable();
}
