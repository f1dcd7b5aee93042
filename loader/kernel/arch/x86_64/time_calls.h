/*
 * x86_64/time_calls.h - the numbers of the system calls that name a time; TIME_NR() is
 * explained in i386/time_calls.h, where those of 32-bit programs come from.
 */
#ifndef KERNEL_ARCH_TIME_CALLS_H
#define KERNEL_ARCH_TIME_CALLS_H

#include <sys/syscall.h>

#include "kernel/arch/i386/time_calls.h"

#define SYS_stime (-1)
#ifndef SYS_epoll_pwait2
#	define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#	define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#	define SYS_futex_wait 455
#endif

#define TIME_NR(name)                                         \
	{                                                     \
		SYS_##name, I386_##name, I386_##name##_time64 \
	}

#endif
