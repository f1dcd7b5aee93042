/*
 * trace.c - see trace.h.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <host.h>
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

/* The system calls that the vDSO's functions save, and those that end a program. */
static const struct {
	long nr;
	const char *name;
	bool has_clock;
} watched[] = {
	{SYS_clock_gettime, "clock_gettime", true},
	{SYS_gettimeofday, "gettimeofday", false},
	{HOST_SYS_TIME, "time", false},
	{SYS_clock_getres, "clock_getres", true},
	{SYS_getcpu, "getcpu", false},
	{SYS_execve, NULL, false},
	{SYS_execveat, NULL, false},
};
#define NR_WATCHED (sizeof(watched) / sizeof(watched[0]))

/* More memory than this of one program is not searched for addresses. */
#define LOOK_MAX (256ul << 20)

int trace_open(struct trace *trace, const struct image *image, struct error *error)
{
	size_t size = (size_t)TRACE_PROGRAMS * VDSO_PAGE_SIZE;
	int err = counted_open(&trace->counted, image);
	void *counters;

	if (err)
		return error_self(error, err, "trace", "%s",
				  err == -ENOSYS ? "not on this machine yet" : strerror(-err));
	trace->program = calloc(TRACE_PROGRAMS, sizeof(*trace->program));
	trace->counters = memfd_sealable("vdso-counters", size, MEMFD_DATA);
	counters = trace->counters < 0
			   ? MAP_FAILED
			   : mmap(NULL, size, PROT_READ, MAP_SHARED, trace->counters, 0);
	if (!trace->program || counters == MAP_FAILED)
		return error_self(error, -ENOMEM, "trace", "no memory for the counters: %s",
				  error_words(trace->counters < 0 ? trace->counters
								  : error_from("mmap")));
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

	/* Calls in another machine's numbering do not concern us. */
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REGS_AUDIT_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NR_WATCHED; i++) {
		if (watched[i].nr < 0)
			continue; /* this machine has no such call */
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)watched[i].nr, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return error_from("prctl");
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

/* The program that a process runs, or NULL if it does not have our vDSO. */
static struct trace_program *program_of(struct trace *trace, pid_t pid)
{
	struct auxvec vec;
	uintptr_t ehdr;

	if (auxvec_read(&vec, pid))
		return NULL;
	ehdr = auxvec_get(&vec, AT_SYSINFO_EHDR);
	/* The latest first: an address may be used again. */
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
 * Searches all private memory of the process for the addresses. A C library keeps them in its
 * data, perhaps write-protected since (RELRO), or on the heap.
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

static void count_call(struct trace_program *program, const struct trace_call *call,
		       bool from_vdso)
{
	unsigned i = 0;

	while (i < program->calls &&
	       (program->call[i].nr != call->nr || program->call[i].clock != call->clock))
		i++;
	/* More than there is room for share the last line. */
	if (i == TRACE_CALLS)
		i--;
	else if (i == program->calls)
		program->call[program->calls++] = *call;
	if (from_vdso)
		program->call[i].from_vdso++;
	else
		program->call[i].from_program++;
}

void trace_seccomp(struct trace *trace, pid_t pid)
{
	struct trace_program *program;
	struct user_regs_struct regs;

	if (traced_regs(pid, &regs))
		return;
	for (size_t i = 0; i < NR_WATCHED; i++) {
		struct trace_call call = {watched[i].nr,
					  watched[i].name,
					  watched[i].has_clock,
					  watched[i].has_clock ? regs_arg(&regs) : 0,
					  0,
					  0};

		if (call.nr != regs_nr(&regs))
			continue;
		program = program_of(trace, pid);
		if (program && !call.name && trace->counted.count)
			look_for_addresses(trace, program, pid);
		else if (program && call.name)
			count_call(program, &call,
				   regs_pc(&regs) - program->ehdr < trace->counted.image.size);
	}
}

const uint64_t *trace_counters(const struct trace *trace, unsigned program)
{
	return trace->counter + program * (VDSO_PAGE_SIZE / sizeof(*trace->counter));
}
