/*
 * clock_filter.h - a seccomp(2) filter that kills a process for clock_gettime, gettimeofday,
 * time and getcpu, and for no other system call. Whoever still tells the time under it reads
 * it from a vDSO.
 */
#ifndef CLOCK_FILTER_H
#define CLOCK_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__aarch64__)
#	define THIS_MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#	define THIS_MACHINE AUDIT_ARCH_RISCV64
#endif

/* The numbers of x32, which has 64-bit registers and 32-bit pointers, are those with this bit.
 */
#define X32_BIT 0x40000000u

/* course: begin 15-debugging.jump */
/* If the number is this one, go to the last instruction, else to the next. */
#define KILL_FOR(nr, left) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), (left), 0)
/* course: end 15-debugging.jump */

static int forbid_clock_calls(void)
{
#ifdef __x86_64__
	/* course: begin 15-debugging */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		/* Other machines have other numbers: no way around. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
		KILL_FOR(SYS_clock_gettime, 4),
		KILL_FOR(SYS_gettimeofday, 3),
		KILL_FOR(SYS_time, 2),
		KILL_FOR(SYS_getcpu, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	/* course: end 15-debugging */
#else /* neither x32 nor time(2) */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL_FOR(SYS_clock_gettime, 3),
		KILL_FOR(SYS_gettimeofday, 2),
		KILL_FOR(SYS_getcpu, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
#endif
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	/* Without it only root may filter; with it nobody gains rights by an exec. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif
