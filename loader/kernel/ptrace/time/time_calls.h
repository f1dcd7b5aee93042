/*
 * time_calls.h - the system calls that name a time: a table, and the seccomp filter that stops
 * them and no others.
 *
 * A program with clocks of its own (clock/clock_map.h) reads them from the data pages. But some
 * times it names to the kernel, which knows only its own clocks: a deadline, or the wish to be
 * told the time. Each such call is a line here, and says which of its arguments is the time, by
 * which clock, and when that is an absolute time. deadlines.c goes by the line.
 *
 * A call has up to three numbers, for three forms: that of a machine of 64 bits, and those of
 * one of 32 bits, where times are of two longs, or of 64 bits like everywhere else.
 */
#ifndef KERNEL_PTRACE_TIME_CALLS_H
#define KERNEL_PTRACE_TIME_CALLS_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

enum time_form { FORM_64, FORM_32, FORM_32_TIME64, TIME_FORMS };

/* What is done with the call. */
enum time_does {
	TIME_TOLD,   /* it asks for a clock: answered in the kernel's place */
	TIME_SET,    /* it sets a clock: that of the tree */
	TIME_ENDS,   /* it names the time at which something is to end: converted */
	TIME_PASSES, /* it names how long something is to take: converted */
	TIME_SHOWN,  /* the kernel's answer has a time among other things: exchanged */
	TIME_AGAIN,  /* restart_syscall(2): the one before goes on */
	FILE_SHOWN,  /* ... has the times of a file: exchanged (files.h) */
	FILE_SET,    /* it names the times that a file is to have: converted */
};

/* The layout of the time. A long is one of the program's machine. */
enum time_layout {
	LAYOUT_TIMESPEC,   /* seconds, nanoseconds */
	LAYOUT_ITIMERSPEC, /* two of them: interval, value */
	LAYOUT_TIMEVAL,    /* two longs: seconds, microseconds */
	LAYOUT_ITIMERVAL,
	LAYOUT_SECONDS, /* a long */
	LAYOUT_TIMEX,   /* adjtimex(2) */
	LAYOUT_SYSINFO, /* sysinfo(2) */
	LAYOUT_ZONE,    /* a struct timeval, and in the next argument a struct timezone */
	LAYOUT_STAT,    /* struct stat, or stat64 */
	LAYOUT_STATX,
	LAYOUT_UTIMENS,    /* two times: timespecs */
	LAYOUT_UTIMES,     /* ... timevals */
	LAYOUT_UTIMBUF,    /* ... two longs, seconds */
	LAYOUT_IN_MS,      /* milliseconds, in the register itself, as an int */
	LAYOUT_IN_SECONDS, /* seconds, in the register itself */
};

/* By which clock. From 0 on: the argument that has its id. */
enum time_clock {
	BY_REALTIME = -1,
	BY_BOOTTIME = -2,
	BY_FUTEX = -3,   /* the operation says it (futex(2)) */
	BY_TIMERFD = -4, /* argument 0 is a timerfd */
	BY_TIMER = -5,   /* argument 0 is a timer of timer_create(2) */
	BY_MONOTONIC = -6,
};

#define NO_ARGUMENT (-1)

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of the table */
struct time_call {
	const char *name;
	int nr[TIME_FORMS]; /* -1: none */
	enum time_does does;
	enum time_layout layout;
	signed char time;  /* the argument */
	signed char clock; /* enum time_clock, or an argument */
	bool optional;     /* NULL is no time */
	/* The call names a time only if this argument has, or has not, this bit. */
	signed char flags;
	bool without;
	unsigned bit;
	bool passes;      /* ... or else it names how long something is to take */
	signed char left; /* the argument that gets the time left, or NO_ARGUMENT */
	bool updates;     /* it writes the time that is left over the time */
};

/* Operations of futex(2) with a deadline; FUTEX_WAIT has a length of time. */
#define FUTEX_OPERATION 0x7f

/* The call of that number, as the kernel knows the machine of a program (AUDIT_ARCH_...). */
const struct time_call *time_call_find(uint32_t arch, uint64_t nr, enum time_form *form);

/*
 * For the process that becomes the program, once it is traced: has the calls that name one of
 * these clocks (bits by clock id) reported to its tracer; with lengths those that name a length
 * of time as well, and with files those that name the times of a file. Inherited by all that it
 * starts. Without CAP_SYS_ADMIN it sets PR_SET_NO_NEW_PRIVS: then no program that it starts can
 * gain privileges, which a traced one could not, either. Returns 0 or -errno.
 */
int time_calls_filter(unsigned clocks, bool lengths, bool files);

/* The message of the filter at its stops (PTRACE_GETEVENTMSG). */
#define TIME_CALLS_FILTER 0x71de

/* The clocks that go with REALTIME, and those that go with MONOTONIC and BOOTTIME. */
#define WALL_CLOCKS   (1u << 0 | 1u << 5 | 1u << 8 | 1u << 11)
#define STEADY_CLOCKS (1u << 1 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 9)

#endif
