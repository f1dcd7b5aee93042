/*
 * trace.c - see trace.h.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <regs.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <vdso/datapage.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/memfd.h"
#include "kernel/base/proc.h"
#include "kernel/ptrace/trace.h"
#include "kernel/ptrace/traced.h"

/* The system calls behind the functions of the page, and the one that ends a program. */
static const struct {
	long nr;
	const char *name;
	bool has_clock;
} watched[] = {
	{SYS_clock_gettime, "clock_gettime", true},
	{SYS_gettimeofday, "gettimeofday", false},
#ifdef SYS_time
	{SYS_time, "time", false},
#endif
	{SYS_clock_getres, "clock_getres", true},
	{SYS_getcpu, "getcpu", false},
	{SYS_execve, NULL, false},
	{SYS_execveat, NULL, false},
};
#define NR_WATCHED (sizeof(watched) / sizeof(watched[0]))

static const char *const clock_names[] = {
	"CLOCK_REALTIME",          "CLOCK_MONOTONIC",     "CLOCK_PROCESS_CPUTIME_ID",
	"CLOCK_THREAD_CPUTIME_ID", "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE",
	"CLOCK_MONOTONIC_COARSE",  "CLOCK_BOOTTIME",      "CLOCK_REALTIME_ALARM",
	"CLOCK_BOOTTIME_ALARM",    "CLOCK_SGI_CYCLE",     "CLOCK_TAI",
};

/* No program has so much memory that can hold a pointer; more is not looked through. */
#define LOOK_MAX (256ul << 20)

int trace_open(struct trace *trace, const struct image *image, struct run_error *error)
{
	size_t size = (size_t)TRACE_PROGRAMS * VDSO_PAGE_SIZE;
	int err = counted_open(&trace->counted, image);
	void *counters;

	if (err)
		return run_fail(error, RUN_SELF, "trace", "%s",
				err == -ENOSYS ? "not on this machine yet" : strerror(-err));
	trace->program = calloc(TRACE_PROGRAMS, sizeof(*trace->program));
	trace->counters = memfd_sealable("vdso-counters", size, MEMFD_DATA);
	counters = trace->counters < 0
			   ? MAP_FAILED
			   : mmap(NULL, size, PROT_READ, MAP_SHARED, trace->counters, 0);
	if (!trace->program || counters == MAP_FAILED)
		return run_fail(error, RUN_SELF, "trace", "no memory for the counters: %s",
				strerror(errno));
	trace->counter = counters;
	return 0;
}

void trace_close(struct trace *trace)
{
	if (trace->counter)
		munmap((void *)trace->counter, (size_t)TRACE_PROGRAMS * VDSO_PAGE_SIZE);
	if (trace->counters >= 0)
		close(trace->counters);
	free(trace->program);
	counted_free(&trace->counted);
	*trace = (struct trace){.counters = -1};
}

int trace_filter(void)
{
	struct sock_filter code[2 * NR_WATCHED + 5];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	/* Calls of another machine's numbering are none of ours. */
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REGS_AUDIT_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NR_WATCHED; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)watched[i].nr, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return -errno;
	return 0;
}

unsigned trace_next(const struct trace *trace)
{
	return trace->programs;
}

void trace_program(struct trace *trace, pid_t pid, const char *comm, uintptr_t ehdr)
{
	struct trace_program *program = &trace->program[trace->programs++];

	program->pid = pid;
	program->ehdr = ehdr;
	strncpy(program->comm, comm, sizeof(program->comm) - 1);
}

/* The program that a process runs, or NULL if that has not our page. */
static struct trace_program *program_of(struct trace *trace, pid_t pid)
{
	struct auxvec vec;
	uintptr_t ehdr;

	if (auxvec_read(&vec, pid))
		return NULL;
	ehdr = auxvec_get(&vec, AT_SYSINFO_EHDR);
	/* The latest first: an address may come again. */
	for (unsigned i = trace->programs; i-- > 0;)
		if (trace->program[i].ehdr == ehdr)
			return &trace->program[i];
	return NULL;
}

/* Marks each function whose address is among these words. */
static void look_at_words(struct trace *trace, struct trace_program *program,
			  const uintptr_t *word, size_t words)
{
	uintptr_t first = program->ehdr + trace->counted.function[0].stub;
	uintptr_t last = program->ehdr + trace->counted.function[trace->counted.count - 1].stub;

	for (size_t i = 0; i < words; i++) {
		if (word[i] < first || word[i] > last)
			continue;
		for (size_t f = 0; f < trace->counted.count; f++)
			if (word[i] == program->ehdr + trace->counted.function[f].stub)
				program->resolved |= 1u << f;
	}
}

/*
 * Looks for the addresses in all memory of the process that is its own. A C library keeps
 * them in its data, perhaps write-protected since (RELRO), or on the heap.
 */
static void look_for_addresses(struct trace *trace, struct trace_program *program, pid_t pid)
{
	static uintptr_t word[8192];
	unsigned long start, end;
	size_t left = LOOK_MAX;
	char *line = NULL, kind[5];
	size_t size = 0;
	int fd = proc_open(pid, "maps");
	FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");

	while (maps && left && getline(&line, &size, maps) > 0) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, kind) != 3 || kind[0] != 'r' ||
		    kind[2] == 'x' || kind[3] != 'p')
			continue;
		while (start < end && left) {
			size_t part = end - start < sizeof(word) ? end - start : sizeof(word);

			if (traced_read(pid, start, word, part))
				break;
			look_at_words(trace, program, word, part / sizeof(word[0]));
			start += part;
			left -= part < left ? part : left;
		}
	}
	free(line);
	if (maps)
		fclose(maps);
	else if (fd >= 0)
		close(fd);
}

void trace_exit(struct trace *trace, pid_t pid)
{
	struct trace_program *program = program_of(trace, pid);

	if (program && trace->counted.count)
		look_for_addresses(trace, program, pid);
}

static void count_call(struct trace_program *program, long nr, long clock, bool from_page)
{
	unsigned i = 0;

	while (i < program->calls &&
	       (program->call[i].nr != nr || program->call[i].clock != clock))
		i++;
	/* More than there is room for share the last line. */
	if (i == TRACE_CALLS)
		i--;
	else if (i == program->calls)
		program->call[program->calls++] = (struct trace_call){nr, clock, 0, 0};
	if (from_page)
		program->call[i].from_page++;
	else
		program->call[i].from_program++;
}

void trace_seccomp(struct trace *trace, pid_t pid)
{
	struct trace_program *program;
	struct user_regs_struct regs;
	uintptr_t pc;

	if (traced_regs(pid, &regs))
		return;
	for (size_t i = 0; i < NR_WATCHED; i++) {
		if (watched[i].nr != regs_nr(&regs))
			continue;
		program = program_of(trace, pid);
		pc = regs_pc(&regs);
		if (program && !watched[i].name && trace->counted.count)
			look_for_addresses(trace, program, pid);
		else if (program && watched[i].name)
			count_call(program, watched[i].nr,
				   watched[i].has_clock ? regs_arg(&regs) : 0,
				   pc - program->ehdr < trace->counted.image.size);
	}
}

static void report_call(const struct trace_call *call, FILE *to)
{
	char text[64];
	size_t i = 0;

	while (watched[i].nr != call->nr)
		i++;
	if (!watched[i].has_clock)
		snprintf(text, sizeof(text), "%s()", watched[i].name);
	else if ((unsigned long)call->clock < sizeof(clock_names) / sizeof(clock_names[0]))
		snprintf(text, sizeof(text), "%s(%s)", watched[i].name,
			 clock_names[call->clock]);
	else
		snprintf(text, sizeof(text), "%s(%d)", watched[i].name, (int)call->clock);
	fprintf(to, "    %-45s %9llu %12llu\n", text, (unsigned long long)call->from_page,
		(unsigned long long)call->from_program);
}

static void report_functions(const struct trace *trace, const struct trace_program *program,
			     const uint64_t *counter, FILE *to)
{
	fprintf(to, "  %-24s %-8s %12s\n", "function of the page", "resolved", "calls");
	for (size_t f = 0; f < trace->counted.count; f++) {
		/* Who calls it has found it, even if it remembers no address. */
		bool resolved = program->resolved & 1u << f || counter[f];

		fprintf(to, "    %-22s %-8s %12llu\n", trace->counted.function[f].name,
			resolved ? "yes" : "no", (unsigned long long)counter[f]);
	}
}

static void report_program(const struct trace *trace, unsigned number, FILE *to)
{
	const struct trace_program *program = &trace->program[number];
	const uint64_t *counter = trace->counter + number * (VDSO_PAGE_SIZE / sizeof(*counter));
	uint64_t asked = 0, called = 0;

	for (unsigned i = 0; i < program->calls; i++)
		asked += program->call[i].from_page + program->call[i].from_program;
	for (size_t f = 0; f < trace->counted.count; f++)
		called += counter[f];
	fprintf(to, "%s (process %d):", program->comm, program->pid);
	/* Most programs of a tree never look at a clock: a line is enough for them. */
	if (!asked && !called && number) {
		fprintf(to, " %d functions resolved, none called, no clock system calls\n",
			__builtin_popcount(program->resolved));
		return;
	}
	fputc('\n', to);
	report_functions(trace, program, counter, to);
	fprintf(to, "  clock system calls: %llu\n", (unsigned long long)asked);
	if (asked)
		fprintf(to, "    %-45s %9s %12s\n", "", "by page", "by program");
	for (unsigned i = 0; i < program->calls; i++)
		report_call(&program->call[i], to);
}

void trace_report(const struct trace *trace, FILE *to)
{
	for (unsigned i = 0; i < trace->programs; i++)
		report_program(trace, i, to);
	if (trace->not_counted)
		fprintf(to, "and %u programs more, which were not counted\n",
			trace->not_counted);
	fflush(to);
}
