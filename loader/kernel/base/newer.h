/*
 * newer.h - what the headers of Debian 11 (glibc 2.31, Linux 5.10) do not have yet.
 *
 * Numbers are those of the kernel, the same on every machine that we have. What the kernel
 * itself lacks, each caller finds out by asking.
 */
#ifndef KERNEL_BASE_NEWER_H
#define KERNEL_BASE_NEWER_H

#include <elf.h>
#include <sys/syscall.h>

#ifndef PT_GNU_PROPERTY
#	define PT_GNU_PROPERTY 0x6474e553
#endif

#ifndef SYS_close_range
#	define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#	define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#	define SYS_pidfd_send_signal 424
#endif
#ifndef CLONE_PIDFD
#	define CLONE_PIDFD 0x1000
#endif
#ifndef SYS_pidfd_getfd
#	define SYS_pidfd_getfd 438
#endif
#ifndef SYS_epoll_pwait2
#	define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#	define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#	define SYS_futex_wait 455
#endif

/* glibc registers restartable sequences since 2.35; without RSEQ_SIG it has not. */
#if __has_include(<sys/rseq.h>)
#	include <sys/rseq.h>
/* That of riscv64 came later; a program that was built before it meets such a glibc, too. */
#	if defined(__riscv) && !defined(RSEQ_SIG)
#		define RSEQ_SIG 0xf1401073
#	endif
#endif

#endif
