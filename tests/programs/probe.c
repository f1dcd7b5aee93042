/*
 * probe.c - everything that execve(2) promises or changes, as a program finds it: "name value"
 * lines. tests/run/probe.t compares those of a native start and of `uvdso run`.
 *
 * No C library, so that nothing has been changed before it is looked at. A name that begins
 * with
 * @ has an address; the test compares it by what it points to.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "probe.h"

#ifndef PR_GET_AUXV
#	define PR_GET_AUXV 0x41555856
#endif

#define CALL(nr, a, b, c, d) call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Compilers call it by themselves. */
void *memset(void *to, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = (char)value;
	return to;
}

/* ---- what it says ----------------------------------------------------------------------- */
static char text[1 << 16];
static size_t said;

static void flush(void)
{
	CALL(SYS_write, 1, text, said, 0);
	said = 0;
}

static void byte(char c)
{
	if (said == sizeof(text))
		flush();
	text[said++] = c;
}

static void word(const char *string)
{
	while (*string)
		byte(*string++);
}

static void hex(unsigned long long value)
{
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		byte("0123456789abcdef"[value >> shift & 15]);
}

static void number(unsigned value)
{
	if (value > 9)
		number(value / 10);
	byte((char)('0' + value % 10));
}

static void name(const char *what)
{
	word(what);
	byte(' ');
}

static void fact(const char *what, unsigned long long value)
{
	name(what);
	hex(value);
	byte('\n');
}

/* Of a kind of which there are many. */
static void fact_of(const char *what, unsigned which, unsigned long long value)
{
	word(what);
	byte('-');
	number(which);
	byte(' ');
	hex(value);
	byte('\n');
}

/* What a system call answers: a number, or an error. */
static void answer(const char *what, long result)
{
	name(what);
	if (result < 0)
		byte('-');
	hex((unsigned long)(result < 0 ? -result : result));
	byte('\n');
}

/* A file, each line with a name; bytes of value 0 are shown as |. */
static void file(const char *what, const char *path)
{
	static char bytes[1 << 15];
	long fd = CALL(SYS_openat, AT_FDCWD, path, O_RDONLY, 0), got;
	int begins = 1;

	if (fd < 0)
		answer(what, fd);
	while (fd >= 0 && (got = CALL(SYS_read, fd, bytes, sizeof(bytes), 0)) > 0)
		for (long i = 0; i < got; i++) {
			if (begins)
				name(what);
			begins = bytes[i] == '\n';
			byte(bytes[i] ? bytes[i] : '|');
		}
	if (!begins)
		byte('\n');
	CALL(SYS_close, fd, 0, 0, 0);
}

static void link_of(const char *what, const char *path)
{
	static char bytes[4096];
	long got = CALL(SYS_readlinkat, AT_FDCWD, path, bytes, sizeof(bytes) - 1);

	bytes[got > 0 ? got : 0] = 0;
	name(what);
	word(got < 0 ? "denied" : bytes);
	byte('\n');
}

/* ---- registers -------------------------------------------------------------------------- */
static unsigned sum_of(const unsigned char *bytes, size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum;
}

#if defined(__x86_64__) || defined(__i386__)
/* XSAVE, if there is one: what fxsave does not have. Vectors, masks, protection keys. */
static void extended_state(void)
{
	static unsigned char area[16 << 10] __attribute__((aligned(64)));
	unsigned eax = 1, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(ecx & 1 << 27))
		return;
	__asm__ volatile("xsave %0" : "+m"(area) : "a"(-1), "d"(-1) : "memory");
	/* But for the first two, whose content is above: those come and go with interrupts. */
	fact("xstate-in-use", *(uint64_t *)(void *)(area + 512) & ~3ull);
	for (unsigned i = 2; i < 20; i++) {
		eax = 0xd;
		ecx = i;
		__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		if (eax && ebx + eax <= sizeof(area))
			fact_of("xstate", i, sum_of(area + ebx, eax));
	}
	eax = 7;
	ecx = 0;
	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (ecx & 1 << 4) {
		__asm__("rdpkru" : "=a"(eax), "=d"(edx) : "c"(0));
		fact("pkru", eax);
	}
}

static void machine_registers(void)
{
	static char table[64];

	fact("fcw", *(uint16_t *)(void *)entry_fp);
	fact("fsw", *(uint16_t *)(void *)(entry_fp + 2));
	fact("ftw", entry_fp[4]);
	fact("fop-fip-fdp", sum_of(entry_fp + 6, 18));
	fact("mxcsr", *(uint32_t *)(void *)(entry_fp + 24));
	for (unsigned i = 0; i < 8; i++)
		fact_of("st", i, sum_of(entry_fp + 32 + 16 * i, 10));
	for (unsigned i = 0; i < (sizeof(long) == 8 ? 16 : 8); i++)
		fact_of("xmm", i, sum_of(entry_fp + 160 + 16 * i, 16));
	extended_state();
#	ifdef __x86_64__
	unsigned long base = 1;

	CALL(SYS_arch_prctl, 0x1003, &base, 0, 0);
	fact("fs-base", base);
	base = 1;
	CALL(SYS_arch_prctl, 0x1004, &base, 0, 0);
	fact("gs-base", base);
	base = 0;
	answer("shadow-stack",
	       CALL(SYS_arch_prctl, 0x5005, &base, 0, 0)); /* ARCH_SHSTK_STATUS */
	fact("shadow-stack", base);
#	else
	for (unsigned i = 12; i < 15; i++) {
		unsigned desc[4] = {i, 0, 0, 0};

		CALL(SYS_get_thread_area, desc, 0, 0, 0);
		fact_of("thread-area", i, desc[1]);
		fact_of("thread-area-flags", i, desc[3]);
	}
#	endif
	answer("local-descriptors", CALL(SYS_modify_ldt, 0, table, sizeof(table), 0));
}
#else
static void machine_registers(void)
{
	for (unsigned i = 0; i < VECTORS_COUNT; i++)
		fact_of("vector-register", i, sum_of(entry_fp + 16 * i, 16));
}
#endif

static void registers(void)
{
	static const char names[][8] = {REGISTERS};

	for (int i = 0; i < REGISTERS_COUNT; i++) {
		word("register-");
		fact(names[i], entry_registers[i]);
	}
	machine_registers();
}

/* ---- the first stack --------------------------------------------------------------------- */
static void stack(const uintptr_t *sp)
{
	const uintptr_t *at = sp + 1, *vector;
	const uintptr_t *below = (const uintptr_t *)((uintptr_t)sp & ~4095ul);
	unsigned dirty = 0;
	static char copy[2048];
	long got;

	fact("@sp", (uintptr_t)sp);
	fact("sp-misaligned", (uintptr_t)sp % 16);
	for (const uintptr_t *word = below - 512; word < sp; word++)
		dirty += *word != 0;
	fact("words-below-sp", dirty);
	fact("argc", *sp);
	for (uintptr_t i = 0; i < *sp; i++)
		fact_of("@argv", (unsigned)i, *at++);
	fact("argv-ends", *at++);
	for (unsigned i = 0; *at; i++)
		fact_of("@env", i, *at++);
	vector = ++at;
	fact("@vector", (uintptr_t)vector);
	for (; *at != AT_NULL; at += 2) {
		static const unsigned char address[] = {
			AT_PHDR,   AT_BASE,   AT_ENTRY,   AT_PLATFORM,    AT_BASE_PLATFORM,
			AT_RANDOM, AT_EXECFN, AT_SYSINFO, AT_SYSINFO_EHDR};
		int is_address = 0;

		for (size_t i = 0; i < sizeof(address); i++)
			is_address |= address[i] == *at;
		fact_of(is_address ? "@vector" : "vector", (unsigned)*at, at[1]);
		if (*at == AT_EXECFN || *at == AT_PLATFORM) {
			name("string");
			word((const char *)at[1]);
			byte('\n');
		}
		if (*at == AT_RANDOM)
			fact("random-is-zero", !sum_of((const unsigned char *)at[1], 16));
	}
	fact("vector-ends", at[1]);
	at += 2;
	fact("@vector-end", (uintptr_t)at);

	/* The kernel's own copy, in its two places. */
	long fd = CALL(SYS_openat, AT_FDCWD, "/proc/self/auxv", O_RDONLY, 0);
	for (int turn = 0; turn < 2; turn++) {
		unsigned wrong = 0;

		got = turn ? CALL(SYS_prctl, PR_GET_AUXV, copy, sizeof(copy), 0)
			   : CALL(SYS_read, fd, copy, sizeof(copy), 0);
		for (long i = 0; i < (char *)at - (char *)vector; i++)
			wrong += got < 0 || copy[i] != ((const char *)vector)[i];
		fact(turn ? "vector-by-prctl-differs" : "vector-in-proc-differs",
		     got == -22 ? 0 : wrong); /* PR_GET_AUXV is of Linux 6.4 */
	}
	CALL(SYS_close, fd, 0, 0, 0);
}

/* ---- signals, timers, children ------------------------------------------------------------
 */
struct kernel_action {
	unsigned long handler, flags, restorer;
	uint64_t mask;
};

static void signals(void)
{
	struct timespec now = {0, 0};
	uint64_t mask = 0, all = ~0ull;
	stack_t alternate = {0};
	struct itimerval timer;

	CALL(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof(mask));
	fact("signal-mask", mask);
	for (unsigned i = 1; i <= 64; i++) {
		struct kernel_action action = {0};

		CALL(SYS_rt_sigaction, i, NULL, &action, sizeof(uint64_t));
		fact_of("signal-handler", i, action.handler);
		fact_of("signal-flags", i, action.flags);
	}
	CALL(SYS_sigaltstack, NULL, &alternate, 0, 0);
	fact("alternate-stack", (uintptr_t)alternate.ss_sp);
	fact("alternate-stack-size", alternate.ss_size);
	fact("alternate-stack-flags", (unsigned)alternate.ss_flags);
	for (unsigned i = 0; i < 3; i++) {
		timer = (struct itimerval){0};
		CALL(SYS_getitimer, i, &timer, 0, 0);
		fact_of("itimer-runs", i, timer.it_value.tv_sec || timer.it_value.tv_usec);
		fact_of("itimer-interval", i, (unsigned long)timer.it_interval.tv_sec);
	}
	/* One after the other, until none is left: in the kernel's order. */
	CALL(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	for (unsigned i = 0; i < 64; i++) {
		siginfo_t info;
		long sig = CALL(SYS_rt_sigtimedwait, &all, &info, &now, sizeof(all));

		if (sig < 0)
			break;
		fact_of("pending-signal", i, (unsigned long)sig);
		fact_of("pending-code", i, (unsigned)info.si_code);
		fact_of("pending-value", i, (unsigned)info.si_value.sival_int);
		fact_of("pending-from-self", i, info.si_pid == CALL(SYS_getpid, 0, 0, 0, 0));
	}
	CALL(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static void children(void)
{
	for (unsigned i = 0; i < 4; i++) {
		int status = 0;
		long got = call6(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0, 0);

		if (got <= 0) {
			answer("children-left", got);
			break;
		}
		fact_of("child-status", i, (unsigned)status);
	}
}

/* ---- what the kernel keeps of a process ----------------------------------------------------
 */
static void ids(void)
{
	unsigned id[3] = {0}, groups[64];
	uint32_t header[2] = {_LINUX_CAPABILITY_VERSION_3, 0}, sets[6] = {0};
	int group = -1;

	fact("pid", (unsigned long)CALL(SYS_getpid, 0, 0, 0, 0));
	fact("tid-is-pid", CALL(SYS_gettid, 0, 0, 0, 0) == CALL(SYS_getpid, 0, 0, 0, 0));
	fact("parent", (unsigned long)CALL(SYS_getppid, 0, 0, 0, 0));
	fact("process-group", (unsigned long)CALL(SYS_getpgid, 0, 0, 0, 0));
	fact("session", (unsigned long)CALL(SYS_getsid, 0, 0, 0, 0));
	answer("terminal", CALL(SYS_ioctl, 0, 0x540f, &group, 0)); /* TIOCGPGRP */
	fact("foreground", (unsigned)group);
	CALL(SYS_getresuid, id, id + 1, id + 2, 0);
	for (unsigned i = 0; i < 3; i++)
		fact_of("uid", i, id[i]);
	CALL(SYS_getresgid, id, id + 1, id + 2, 0);
	for (unsigned i = 0; i < 3; i++)
		fact_of("gid", i, id[i]);
	answer("groups", CALL(SYS_getgroups, 64, groups, 0, 0));
	CALL(SYS_capget, header, sets, 0, 0);
	for (unsigned i = 0; i < 6; i++)
		fact_of("capabilities", i, sets[i]);
}

static void controls(void)
{
	static const struct {
		char what[24];
		int option;
	} simple[] = {
		{"dumpable", PR_GET_DUMPABLE},
		{"keepcaps", PR_GET_KEEPCAPS},
		{"timing", PR_GET_TIMING},
		{"seccomp", PR_GET_SECCOMP},
		{"securebits", PR_GET_SECUREBITS},
		{"timer-slack", PR_GET_TIMERSLACK},
		{"memory-failure", PR_MCE_KILL_GET},
		{"no-new-privileges", PR_GET_NO_NEW_PRIVS},
		{"huge-pages-off", PR_GET_THP_DISABLE},
		{"io-flusher", 58},
		{"syscall-dispatch", 59},
		{"no-write-and-execute", 66},
		{"memory-merge", 68},
	};
	static const struct {
		char what[24];
		int option;
	} stored[] = {
		{"parent-death-signal", PR_GET_PDEATHSIG},
		{"time-stamp-counter", PR_GET_TSC},
		{"child-subreaper", PR_GET_CHILD_SUBREAPER},
	};
	uintptr_t address = 1, size = 1;
	static char area[64] __attribute__((aligned(64)));

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		answer(simple[i].what, CALL(SYS_prctl, simple[i].option, 0, 0, 0));
	for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		int value = -1;

		CALL(SYS_prctl, stored[i].option, &value, 0, 0);
		fact(stored[i].what, (unsigned)value);
	}
	for (unsigned i = 0; i < 3; i++)
		fact_of("speculation", i,
			(unsigned long)CALL(SYS_prctl, PR_GET_SPECULATION_CTRL, i, 0, 0));
	for (unsigned i = 0; i < 42; i++) {
		answer("bounding", CALL(SYS_prctl, PR_CAPBSET_READ, i, 0, 0));
		answer("ambient", CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0));
	}
	fact("personality", (unsigned long)CALL(SYS_personality, 0xffffffff, 0, 0, 0));
	CALL(SYS_get_robust_list, 0, &address, &size, 0);
	fact("robust-list", address != 0);
	address = 1;
	CALL(SYS_prctl, PR_GET_TID_ADDRESS, &address, 0, 0);
	fact("tid-address", address != 0);
	/* 0 if none is registered, else EBUSY or EINVAL. */
	answer("rseq", CALL(SYS_rseq, area, 32, 0, 0x53053053));
	answer("membarrier", CALL(SYS_membarrier, 1 << 9, 0, 0, 0)); /* GET_REGISTRATIONS */
}

static void scheduling(void)
{
	static unsigned char cpus[1024];
	uint32_t attributes[16] = {0};
	long got;

	got = CALL(SYS_sched_getaffinity, 0, sizeof(cpus), cpus, 0);
	for (unsigned i = 0; got > 0 && i < (unsigned long)got; i++)
		if (cpus[i])
			fact_of("cpus", i, cpus[i]);
	answer("scheduler", CALL(SYS_sched_getscheduler, 0, 0, 0, 0));
	CALL(SYS_sched_getattr, 0, attributes, sizeof(attributes), 0);
	for (unsigned i = 1; i < 14; i++)
		fact_of("scheduling", i, attributes[i]);
	answer("priority", CALL(SYS_getpriority, PRIO_PROCESS, 0, 0, 0));
	answer("io-priority", CALL(SYS_ioprio_get, 1, 0, 0, 0));
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		uint64_t limit[2] = {0};

		CALL(SYS_prlimit64, 0, i, NULL, limit);
		fact_of("limit", i, limit[0]);
		fact_of("limit-hard", i, limit[1]);
	}
	answer("umask", CALL(SYS_umask, 022, 0, 0, 0));
}

static void descriptors(void)
{
	for (unsigned fd = 0; fd < 1024; fd++) {
		static char path[64] = "/proc/self/fdinfo/", what[32] = "descriptor-";
		char digits[8];
		size_t count = 0, path_end = sizeof("/proc/self/fdinfo/") - 1;
		size_t what_end = sizeof("descriptor-") - 1;
		long flags = CALL(SYS_fcntl, fd, F_GETFD, 0, 0);

		if (flags < 0)
			continue;
		for (unsigned rest = fd; count == 0 || rest; rest /= 10)
			digits[count++] = (char)('0' + rest % 10);
		while (count)
			path[path_end++] = what[what_end++] = digits[--count];
		path[path_end] = what[what_end] = 0;
		fact(what, (unsigned long)flags);
		file(what, path);
	}
}

static void memory(void)
{
	extern char _end[];
	uintptr_t brk = (uintptr_t)CALL(SYS_brk, 0, 0, 0, 0);

	fact("@end", (uintptr_t)_end);
	fact("@brk", brk);
	fact("brk-misaligned", brk % 4096);
	answer("brk-grows", CALL(SYS_brk, brk + 8192, 0, 0, 0) == (long)(brk + 8192));
	file("map", "/proc/self/maps");
}

static void proc(void)
{
	file("comm", "/proc/self/comm");
	file("cmdline", "/proc/self/cmdline");
	file("environ", "/proc/self/environ");
	file("stat", "/proc/self/stat");
	file("status", "/proc/self/status");
	file("limits", "/proc/self/limits");
	file("personality-file", "/proc/self/personality");
	file("coredump-filter", "/proc/self/coredump_filter");
	file("oom-score-adj", "/proc/self/oom_score_adj");
	file("timer-slack-file", "/proc/self/timerslack_ns");
	file("timers", "/proc/self/timers");
	file("wchan", "/proc/self/wchan");
	file("control-group", "/proc/self/cgroup");
	file("login", "/proc/self/loginuid");
	file("label", "/proc/self/attr/current");
	link_of("exe", "/proc/self/exe");
	link_of("cwd", "/proc/self/cwd");
	link_of("root", "/proc/self/root");
	link_of("namespace-time", "/proc/self/ns/time");
	link_of("namespace-time-children", "/proc/self/ns/time_for_children");
	link_of("namespace-pid", "/proc/self/ns/pid");
	link_of("namespace-user", "/proc/self/ns/user");
	link_of("namespace-mount", "/proc/self/ns/mnt");
}

#if defined(__x86_64__) || defined(__i386__)
#	define ALIGNED_STACK force_align_arg_pointer
#else
#	define ALIGNED_STACK /* its stack pointer is always aligned */
#endif
__attribute__((used, noreturn, ALIGNED_STACK)) void probe(const uintptr_t *sp);
void probe(const uintptr_t *sp)
{
	registers();
	signals();
	stack(sp);
	descriptors();
	ids();
	children();
	controls();
	scheduling();
	memory();
	proc();
	flush();
	CALL(SYS_exit_group, 0, 0, 0, 0);
	__builtin_unreachable();
}
