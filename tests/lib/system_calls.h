/*
 * system_calls.h - each function of the vDSO as the system call that it saves.
 *
 * What a program makes do with where the kernel gives it no vDSO. By syscall(2), because
 * the C library's functions of these names would call a vDSO themselves.
 */
#ifndef SYSTEM_CALLS_H
#define SYSTEM_CALLS_H

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int system_gettime(clockid_t clock, struct timespec *ts)
{
	return (int)syscall(SYS_clock_gettime, clock, ts);
}

static int system_getres(clockid_t clock, struct timespec *ts)
{
	return (int)syscall(SYS_clock_getres, clock, ts);
}

static int system_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	return (int)syscall(SYS_gettimeofday, tv, tz);
}

__attribute__((unused)) static time_t system_time(time_t *result)
{
#ifdef SYS_time
	return syscall(SYS_time, result);
#else /* no such call on this machine: C libraries ask this clock */
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &ts);
	if (result)
		*result = ts.tv_sec;
	return ts.tv_sec;
#endif
}

__attribute__((unused)) static long system_getcpu(unsigned *cpu, unsigned *node, void *cache)
{
	return syscall(SYS_getcpu, cpu, node, cache);
}

#endif
