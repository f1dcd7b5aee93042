/*
 * riscv64/time_calls.h - the numbers of the system calls that name a time; TIME_NR() is
 * explained in i386/time_calls.h. Programs of 32 bits are not known here.
 */
#ifndef KERNEL_ARCH_TIME_CALLS_H
#define KERNEL_ARCH_TIME_CALLS_H

#include <sys/syscall.h>

#define SYS_stime      (-1)
#define SYS_time       (-1)
#define SYS_poll       (-1)
#define SYS_select     (-1)
#define SYS_epoll_wait (-1)
#define SYS_alarm      (-1)
#define SYS_stat       (-1)
#define SYS_lstat      (-1)
#define SYS_utime      (-1)
#define SYS_utimes     (-1)
#define SYS_futimesat  (-1)
#ifndef SYS_epoll_pwait2
#	define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#	define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#	define SYS_futex_wait 455
#endif

#define TIME_NR(name)              \
	{                          \
		SYS_##name, -1, -1 \
	}

#endif
