/*
 * x86_64/time_calls.h - the numbers of the system calls that name a time; TIME_NR() is
 * explained in i386/time_calls.h, where those of 32-bit programs come from.
 */
#ifndef KERNEL_ARCH_TIME_CALLS_H
#define KERNEL_ARCH_TIME_CALLS_H

#include <sys/syscall.h>

#include "kernel/arch/i386/time_calls.h"

#define SYS_stime (-1)

#define TIME_NR(name)                                         \
	{                                                     \
		SYS_##name, I386_##name, I386_##name##_time64 \
	}

#endif
