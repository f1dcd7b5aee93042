/*
 * time_calls.c - see time_calls.h.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <regs.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time_calls.h>
#include <unistd.h>

#include "kernel/base/error.h"
#include "kernel/base/newer.h"
#include "kernel/ptrace/time/time_calls.h"

#ifndef FUTEX_LOCK_PI2
#	define FUTEX_LOCK_PI2 13
#endif

#define CALL(call)      .name = #call, .nr = TIME_NR(call)
#define ALWAYS          .flags = NO_ARGUMENT
#define IF(arg, of)     .flags = (arg), .bit = (of)
#define UNLESS(arg, of) .flags = (arg), .bit = (of), .without = true
#define ELSE_PASSES     .passes = true
#define LEFT(arg)       .left = (arg)
#define NOTHING_LEFT    .left = NO_ARGUMENT

/* The flag of timer_settime(2), timerfd_settime(2) and clock_nanosleep(2). */
#define ABSOLUTE 1

/* Of setitimer(2) and getitimer(2): what is not ITIMER_REAL. */
#define OF_CPU_TIME 3

/* clang-format off */
static const struct time_call calls[] = {
	/* Those that are made most often come first. */
	{CALL(futex),           TIME_ENDS,   LAYOUT_TIMESPEC,   3, BY_FUTEX,     true,  ALWAYS, ELSE_PASSES, NOTHING_LEFT},
	{CALL(clock_gettime),   TIME_TOLD,   LAYOUT_TIMESPEC,   1, 0,            false, ALWAYS, NOTHING_LEFT},
	{CALL(gettimeofday),    TIME_TOLD,   LAYOUT_ZONE,       0, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(time),            TIME_TOLD,   LAYOUT_SECONDS,    0, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},

	/* Until when? */
	{CALL(clock_nanosleep), TIME_ENDS,   LAYOUT_TIMESPEC,   2, 0,            false, IF(1, ABSOLUTE), ELSE_PASSES, LEFT(3)},
	{CALL(timer_settime),   TIME_ENDS,   LAYOUT_ITIMERSPEC, 2, BY_TIMER,     false, IF(1, ABSOLUTE), ELSE_PASSES, LEFT(3)},
	{CALL(timerfd_settime), TIME_ENDS,   LAYOUT_ITIMERSPEC, 2, BY_TIMERFD,   false, IF(1, ABSOLUTE), ELSE_PASSES, LEFT(3)},
	{CALL(futex_waitv),     TIME_ENDS,   LAYOUT_TIMESPEC,   3, 4,            true,  ALWAYS, NOTHING_LEFT},
	{CALL(futex_wait),      TIME_ENDS,   LAYOUT_TIMESPEC,   4, 5,            true,  ALWAYS, NOTHING_LEFT},
	{CALL(mq_timedsend),    TIME_ENDS,   LAYOUT_TIMESPEC,   4, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},
	{CALL(mq_timedreceive), TIME_ENDS,   LAYOUT_TIMESPEC,   4, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},

	/* How long? */
	{CALL(nanosleep),       TIME_PASSES, LAYOUT_TIMESPEC,   0, BY_MONOTONIC, false, ALWAYS, LEFT(1)},
	{CALL(poll),            TIME_PASSES, LAYOUT_IN_MS,      2, BY_MONOTONIC, false, ALWAYS, NOTHING_LEFT},
	{CALL(ppoll),           TIME_PASSES, LAYOUT_TIMESPEC,   2, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT, .updates = true},
	{CALL(select),          TIME_PASSES, LAYOUT_TIMEVAL,    4, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT, .updates = true},
	{CALL(pselect6),        TIME_PASSES, LAYOUT_TIMESPEC,   4, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT, .updates = true},
	{CALL(epoll_wait),      TIME_PASSES, LAYOUT_IN_MS,      3, BY_MONOTONIC, false, ALWAYS, NOTHING_LEFT},
	{CALL(epoll_pwait),     TIME_PASSES, LAYOUT_IN_MS,      3, BY_MONOTONIC, false, ALWAYS, NOTHING_LEFT},
	{CALL(epoll_pwait2),    TIME_PASSES, LAYOUT_TIMESPEC,   3, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT},
	{CALL(rt_sigtimedwait), TIME_PASSES, LAYOUT_TIMESPEC,   2, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT},
	{CALL(semtimedop),      TIME_PASSES, LAYOUT_TIMESPEC,   3, BY_MONOTONIC, true,  ALWAYS, NOTHING_LEFT},
	{CALL(setitimer),       TIME_PASSES, LAYOUT_ITIMERVAL,  1, BY_MONOTONIC, true,  UNLESS(0, OF_CPU_TIME), LEFT(2)},
	{CALL(alarm),           TIME_PASSES, LAYOUT_IN_SECONDS, 0, BY_MONOTONIC, false, ALWAYS, NOTHING_LEFT},
	{CALL(restart_syscall), TIME_AGAIN,  LAYOUT_TIMESPEC,   0, BY_MONOTONIC, false, ALWAYS, NOTHING_LEFT},

	/* Shown with other things. */
	{CALL(timer_gettime),   TIME_SHOWN,  LAYOUT_ITIMERSPEC, 1, BY_TIMER,     false, ALWAYS, NOTHING_LEFT},
	{CALL(timerfd_gettime), TIME_SHOWN,  LAYOUT_ITIMERSPEC, 1, BY_TIMERFD,   false, ALWAYS, NOTHING_LEFT},
	{CALL(getitimer),       TIME_SHOWN,  LAYOUT_ITIMERVAL,  1, BY_MONOTONIC, false, UNLESS(0, OF_CPU_TIME), NOTHING_LEFT},
	{CALL(sysinfo),         TIME_SHOWN,  LAYOUT_SYSINFO,    0, BY_BOOTTIME,  false, ALWAYS, NOTHING_LEFT},

	/* Set. */
	{CALL(adjtimex),        TIME_SET,    LAYOUT_TIMEX,      0, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(clock_adjtime),   TIME_SET,    LAYOUT_TIMEX,      1, 0,            false, ALWAYS, NOTHING_LEFT},
	{CALL(clock_settime),   TIME_SET,    LAYOUT_TIMESPEC,   1, 0,            false, ALWAYS, NOTHING_LEFT},
	{CALL(settimeofday),    TIME_SET,    LAYOUT_ZONE,       0, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(stime),           TIME_SET,    LAYOUT_SECONDS,    0, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},

	/* Of files. */
	{CALL(newfstatat),      FILE_SHOWN,  LAYOUT_STAT,       2, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(fstat),           FILE_SHOWN,  LAYOUT_STAT,       1, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(stat),            FILE_SHOWN,  LAYOUT_STAT,       1, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(lstat),           FILE_SHOWN,  LAYOUT_STAT,       1, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(statx),           FILE_SHOWN,  LAYOUT_STATX,      4, BY_REALTIME,  false, ALWAYS, NOTHING_LEFT},
	{CALL(utimensat),       FILE_SET,    LAYOUT_UTIMENS,    2, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},
	{CALL(utimes),          FILE_SET,    LAYOUT_UTIMES,     1, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},
	{CALL(futimesat),       FILE_SET,    LAYOUT_UTIMES,     2, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},
	{CALL(utime),           FILE_SET,    LAYOUT_UTIMBUF,    1, BY_REALTIME,  true,  ALWAYS, NOTHING_LEFT},
};
/* clang-format on */
#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

#ifdef REGS_AUDIT_ARCH_32
#	define IS_32(arch) ((arch) == REGS_AUDIT_ARCH_32)
#else
#	define IS_32(arch) ((void)(arch), sizeof(long) == 4)
#endif

const struct time_call *time_call_find(uint32_t arch, uint64_t nr, enum time_form *form)
{
	int first = IS_32(arch) ? FORM_32 : FORM_64,
	    last = IS_32(arch) ? FORM_32_TIME64 : first;

	for (size_t i = 0; i < NR_CALLS; i++)
		for (int f = first; f <= last; f++)
			if (calls[i].nr[f] >= 0 && (uint64_t)calls[i].nr[f] == nr) {
				*form = (enum time_form)f;
				return &calls[i];
			}
	return NULL;
}

/* A program of BPF as it grows. For each call there is a block, which ends in ALLOW. */
struct code {
	struct sock_filter line[NR_CALLS * 2 * 32 + 16];
	unsigned short lines;
	unsigned short block; /* where the tests of this call begin */
};

/* In place of a distance: to the ALLOW at the end of the block. */
#define DENIED 0xff

static void add(struct code *code, unsigned short what, unsigned value, unsigned char yes,
		unsigned char no)
{
	code->line[code->lines++] =
		(struct sock_filter){.code = what, .jt = yes, .jf = no, .k = value};
}

static void load(struct code *code, size_t offset)
{
	add(code, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void jump_if(struct code *code, unsigned short how, unsigned value, unsigned char yes,
		    unsigned char no)
{
	add(code, BPF_JMP | how | BPF_K, value, yes, no);
}

/* The half of an argument that has the lower bits, or the other one. */
static void load_argument(struct code *code, int arg, bool upper)
{
	bool second = upper == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	load(code, offsetof(struct seccomp_data, args) + (size_t)arg * sizeof(uint64_t) +
			   (second ? sizeof(uint32_t) : 0));
}

static void test_not_null(struct code *code, int arg)
{
	load_argument(code, arg, false);
	jump_if(code, BPF_JEQ, 0, 0, 2);
	load_argument(code, arg, true);
	jump_if(code, BPF_JEQ, 0, DENIED, 0);
}

static void test_bit(struct code *code, int arg, unsigned bit, bool without)
{
	load_argument(code, arg, false);
	jump_if(code, BPF_JSET, bit, without ? DENIED : 0, without ? 0 : DENIED);
}

/* Is the clock id in that argument one of these? */
static void test_clock(struct code *code, int arg, unsigned clocks)
{
	load_argument(code, arg, false);
	jump_if(code, BPF_JGE, 32, DENIED, 0);
	add(code, BPF_MISC | BPF_TAX, 0, 0, 0);
	add(code, BPF_LD | BPF_IMM, 1, 0, 0);
	add(code, BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0);
	jump_if(code, BPF_JSET, clocks, 0, DENIED);
}

/* LOCK_PI is always by REALTIME, the others by MONOTONIC without the flag. */
static void test_futex(struct code *code, unsigned clocks, bool lengths)
{
	static const unsigned operations[] = {FUTEX_LOCK_PI, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2,
					      FUTEX_WAIT_REQUEUE_PI, FUTEX_WAIT};
	bool steady = clocks & STEADY_CLOCKS;
	unsigned count = lengths ? 5 : 4;

	load_argument(code, 1, false);
	add(code, BPF_ALU | BPF_AND | BPF_K, FUTEX_OPERATION, 0, 0);
	for (unsigned i = 0; i < count; i++)
		jump_if(code, BPF_JEQ, operations[i],
			(unsigned char)(count - 1 - i + (i == 0 && !steady ? 2 : 0)),
			i + 1 == count ? DENIED : 0);
	if (!steady)
		test_bit(code, 1, FUTEX_CLOCK_REALTIME, false);
}

/* Tests jump as far as to the end of their block, which is known now. */
static void end_block(struct code *code)
{
	unsigned short end;

	add(code, BPF_RET | BPF_K, SECCOMP_RET_TRACE | TIME_CALLS_FILTER, 0, 0);
	end = code->lines;
	for (unsigned short i = code->block; i < end; i++) {
		struct sock_filter *line = &code->line[i];

		if (BPF_CLASS(line->code) != BPF_JMP)
			continue;
		if (line->jt == DENIED)
			line->jt = (unsigned char)(end - i - 1);
		if (line->jf == DENIED)
			line->jf = (unsigned char)(end - i - 1);
	}
	add(code, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	/* Another number: to the next block. */
	code->line[code->block].jf = (unsigned char)(code->lines - code->block - 1);
}

static bool is_concerned(const struct time_call *call, unsigned clocks, bool lengths,
			 bool files)
{
	if (call->does == FILE_SHOWN || call->does == FILE_SET)
		return files;
	if (call->does == TIME_PASSES || call->does == TIME_AGAIN ||
	    call->clock == BY_MONOTONIC)
		return lengths;
	if (call->clock == BY_BOOTTIME)
		return clocks & STEADY_CLOCKS;
	return true;
}

static void add_call(struct code *code, const struct time_call *call, int nr, unsigned clocks,
		     bool lengths)
{
	code->block = code->lines;
	jump_if(code, BPF_JEQ, (unsigned)nr, 0, 0);
	if (call->clock == BY_FUTEX)
		test_futex(code, clocks, lengths);
	if (call->clock >= 0)
		test_clock(code, call->clock, call->does == TIME_SET ? 1u << 0 : clocks);
	if (call->flags >= 0 && !(lengths && call->passes))
		test_bit(code, call->flags, call->bit, call->without);
	if (call->optional)
		test_not_null(code, call->time);
	end_block(code);
}

/* Those of one machine. */
static void add_machine(struct code *code, enum time_form first, enum time_form last,
			unsigned clocks, bool lengths, bool files)
{
	load(code, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NR_CALLS; i++)
		for (enum time_form form = first; form <= last; form++)
			if (calls[i].nr[form] >= 0 &&
			    is_concerned(&calls[i], clocks, lengths, files))
				add_call(code, &calls[i], calls[i].nr[form], clocks, lengths);
	add(code, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int time_calls_filter(unsigned clocks, bool lengths, bool files)
{
	static struct code code;
	struct sock_fprog program = {.filter = code.line};
	unsigned short other;

	code.lines = 0;
	load(&code, offsetof(struct seccomp_data, arch));
	jump_if(&code, BPF_JEQ, REGS_AUDIT_ARCH, 1, 0);
	other = code.lines;
	add(&code, BPF_JMP | BPF_JA, 0, 0, 0);
	if (sizeof(long) == 8)
		add_machine(&code, FORM_64, FORM_64, clocks, lengths, files);
	else
		add_machine(&code, FORM_32, FORM_32_TIME64, clocks, lengths, files);
	code.line[other].k = (unsigned)(code.lines - other - 1);
#ifdef REGS_AUDIT_ARCH_32
	load(&code, offsetof(struct seccomp_data, arch));
	jump_if(&code, BPF_JEQ, REGS_AUDIT_ARCH_32, 1, 0);
	add(&code, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	add_machine(&code, FORM_32, FORM_32_TIME64, clocks, lengths, files);
#else
	add(&code, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
#endif
	program.len = code.lines;
	/* Without the flag old kernels slow down the whole program (seccomp(2)). */
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		     &program))
		return 0;
	if (errno != EACCES)
		return error_from("seccomp");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_from("prctl");
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		       &program)
		       ? error_from("seccomp")
		       : 0;
}
