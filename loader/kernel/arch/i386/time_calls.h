/*
 * i386/time_calls.h - the numbers of the system calls that name a time, for
 * ptrace/time/time_calls.c: TIME_NR(name) is three of them: that of a 64-bit machine, and the
 * two of a 32-bit machine, with the old times (seconds in a long) and with 64-bit ones. -1:
 * there is none. x86_64 takes the numbers of its 32-bit programs from here.
 */
#ifndef KERNEL_ARCH_I386_TIME_CALLS_H
#define KERNEL_ARCH_I386_TIME_CALLS_H

enum i386_time_call {
	I386_clock_gettime = 265,
	I386_clock_gettime_time64 = 403,
	I386_gettimeofday = 78,
	I386_gettimeofday_time64 = -1,
	I386_time = 13,
	I386_time_time64 = -1,
	I386_clock_settime = 264,
	I386_clock_settime_time64 = 404,
	I386_settimeofday = 79,
	I386_settimeofday_time64 = -1,
	I386_stime = 25,
	I386_stime_time64 = -1,
	I386_adjtimex = 124,
	I386_adjtimex_time64 = -1,
	I386_clock_adjtime = 343,
	I386_clock_adjtime_time64 = 405,
	I386_sysinfo = 116,
	I386_sysinfo_time64 = -1,
	I386_clock_nanosleep = 267,
	I386_clock_nanosleep_time64 = 407,
	I386_timer_settime = 260,
	I386_timer_settime_time64 = 409,
	I386_timerfd_settime = 325,
	I386_timerfd_settime_time64 = 411,
	I386_futex = 240,
	I386_futex_time64 = 422,
	I386_futex_waitv = -1,
	I386_futex_waitv_time64 = 449,
	I386_futex_wait = -1,
	I386_futex_wait_time64 = 455,
	I386_mq_timedsend = 279,
	I386_mq_timedsend_time64 = 418,
	I386_mq_timedreceive = 280,
	I386_mq_timedreceive_time64 = 419,
	I386_nanosleep = 162,
	I386_nanosleep_time64 = -1,
	I386_restart_syscall = 0,
	I386_restart_syscall_time64 = -1,
	I386_poll = 168,
	I386_poll_time64 = -1,
	I386_ppoll = 309,
	I386_ppoll_time64 = 414,
	I386_select = 142,
	I386_select_time64 = -1,
	I386_pselect6 = 308,
	I386_pselect6_time64 = 413,
	I386_epoll_wait = 256,
	I386_epoll_wait_time64 = -1,
	I386_epoll_pwait = 319,
	I386_epoll_pwait_time64 = -1,
	I386_epoll_pwait2 = -1,
	I386_epoll_pwait2_time64 = 441,
	I386_rt_sigtimedwait = 177,
	I386_rt_sigtimedwait_time64 = 421,
	I386_semtimedop = -1,
	I386_semtimedop_time64 = 420,
	I386_setitimer = 104,
	I386_setitimer_time64 = -1,
	I386_getitimer = 105,
	I386_getitimer_time64 = -1,
	I386_alarm = 27,
	I386_alarm_time64 = -1,
	I386_timer_gettime = 261,
	I386_timer_gettime_time64 = 408,
	I386_timerfd_gettime = 326,
	I386_timerfd_gettime_time64 = 410,
	/* Of a file: stat, and stat64, whose seconds are 32 bits, too. */
	I386_stat = 106,
	I386_stat_time64 = 195,
	I386_lstat = 107,
	I386_lstat_time64 = 196,
	I386_fstat = 108,
	I386_fstat_time64 = 197,
	I386_newfstatat = -1,
	I386_newfstatat_time64 = 300,
	I386_statx = -1,
	I386_statx_time64 = 383,
	I386_utime = 30,
	I386_utime_time64 = -1,
	I386_utimes = 271,
	I386_utimes_time64 = -1,
	I386_futimesat = 299,
	I386_futimesat_time64 = -1,
	I386_utimensat = 320,
	I386_utimensat_time64 = 412,
};

#ifdef __i386__
#	define TIME_NR(name)                                 \
		{                                             \
			-1, I386_##name, I386_##name##_time64 \
		}
#endif

#endif
