/*
 * aarch64/time_calls.h - the numbers of the system calls that name a time; TIME_NR() is
 * explained in i386/time_calls.h. Programs of 32 bits are not known here. riscv64 uses it, too.
 */
#ifndef KERNEL_ARCH_AARCH64_TIME_CALLS_H
#define KERNEL_ARCH_AARCH64_TIME_CALLS_H

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

#define TIME_NR(name)              \
	{                          \
		SYS_##name, -1, -1 \
	}

#endif
