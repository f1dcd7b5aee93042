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
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <stub.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <vdso/datapage.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/memfd.h"
#include "kernel/base/page.h"
#include "kernel/base/proc.h"
#include "kernel/ptrace/scan.h"
#include "kernel/ptrace/trace.h"
#include "kernel/ptrace/traced.h"

/* The system calls that the vDSO's functions save, and those that end a program. */
static const struct {
	long nr;
	const char *name;
	enum trace_kind kind;
} watched[] = {
	{SYS_clock_gettime, "clock_gettime", TRACE_CLOCK},
	{SYS_gettimeofday, "gettimeofday", TRACE_OTHER},
	{HOST_SYS_TIME, "time", TRACE_OTHER},
	{SYS_clock_getres, "clock_getres", TRACE_CLOCK},
	{SYS_getcpu, "getcpu", TRACE_OTHER},
	{SYS_getrandom, "getrandom", TRACE_RANDOM},
#ifdef SYS_clock_gettime64 /* machines of 32 bits */
	{SYS_clock_gettime64, "clock_gettime64", TRACE_CLOCK},
	{SYS_clock_getres_time64, "clock_getres_time64", TRACE_CLOCK},
#endif
	{SYS_execve, NULL, TRACE_OTHER},
	{SYS_execveat, NULL, TRACE_OTHER},
};
#define NR_WATCHED (sizeof(watched) / sizeof(watched[0]))

/* By this we know the stops of our filter from those of a filter of the program's own. */
#define OUR_FILTER 0x7544

/*
 * The searches before execve(2), which may fail, and be tried for each directory of PATH. A
 * program that tries it more often is not searched for each.
 */
#define EXECS_MAX 64

/* A thread or a process. */
struct task {
	pid_t pid;     /* its own id: first, for by_pid() */
	pid_t process; /* its process's, which is another if it is not the first thread */
	struct trace_program *program; /* or NULL: it does not have our vDSO */
	bool own;                      /* of the process that was started as that program */
	bool leaving;                  /* the program: not one of its running tasks */
	bool execs;                    /* it leaves by execve(2), unless that fails */
};

int trace_open(struct trace *trace, const struct image *image, struct error *error)
{
	size_t size = (size_t)TRACE_PROGRAMS * page_size();
	int err = counted_open(&trace->counted, image);
	void *counters;

	/* With --force, as this is a rule of the checker. */
	if (err == -ENOEXEC)
		return error_cannot_run(
			error, NULL,
			"the image has no section .dynsym or no PT_LOAD, and trace "
			"finds its functions there");
	if (err)
		return error_self(error, err, "trace", "%s", strerror(-err));
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
		munmap((void *)trace->counter, (size_t)TRACE_PROGRAMS * page_size());
	if (trace->counters >= 0)
		descriptor_close(trace->counters);
	free(trace->program);
	tdestroy(trace->tasks, free);
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
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_TRACE | OUR_FILTER);
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

static int by_pid(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct task *find_task(const struct trace *trace, pid_t pid)
{
	struct task key = {.pid = pid};
	void *found = tfind(&key, &trace->tasks, by_pid);

	return found ? *(struct task **)found : NULL;
}

/* From now on the task runs the program, or goes on with it. */
static void join(struct task *task, struct trace_program *program)
{
	task->program = program;
	task->leaving = task->execs = false;
	if (!program)
		return;
	program->running++;
	program->running_own += task->own;
	program->searched = false;
	if (task->own)
		program->searched_own = false;
}

/* None of its program is left, or none of the process that was started as that. */
static bool is_last(const struct task *task)
{
	const struct trace_program *program = task->program;

	return program && (!program->running || (task->own && !program->running_own));
}

/* The task is about to end, or to become another program. Returns whether it is the last. */
static bool leave(struct task *task)
{
	struct trace_program *program = task->program;

	if (!program || task->leaving)
		return false;
	task->leaving = true;
	program->running--;
	program->running_own -= task->own;
	return is_last(task);
}

static void search(struct trace *trace, struct trace_program *program, pid_t pid)
{
	const uint64_t *counter = trace_counters(trace, (unsigned)(program - trace->program));
	uintptr_t address[COUNTED_MAX];
	struct scan scan = {address, (unsigned)trace->counted.count, program->resolved};

	for (unsigned f = 0; f < scan.count; f++) {
		address[f] = program->ehdr + trace->counted.function[f].stub;
		/* What it has called it has found. */
		if (counter[f])
			scan.found |= 1u << f;
	}
	if (!scan_memory(&scan, pid))
		program->unseen = true;
	program->resolved = scan.found;
	program->searched = program->searched_own = true;
}

/* It is another program's now, or no longer there. */
static void forget(struct trace *trace, pid_t pid)
{
	struct task *task = find_task(trace, pid);

	if (!task)
		return;
	/* Ended without a word, or by an execve(2) before which nobody has searched. */
	if (leave(task) ||
	    (task->execs && is_last(task) &&
	     !(task->own ? task->program->searched_own : task->program->searched)))
		task->program->unseen = true;
	tdelete(task, &trace->tasks, by_pid);
	free(task);
}

/* A number in /proc/PID/status, or 0. */
static pid_t status_number(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? atoi(line + strlen(name)) : 0;
}

static void read_status(pid_t pid, char *status, size_t size)
{
	proc_text(pid, "status", status, size);
}

/* The program of a process that nobody has told us of, or NULL. */
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

/* A task that runs none of our programs, as far as we know. NULL without memory. */
static struct task *add_task(struct trace *trace, pid_t pid)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->pid = pid;
	if (tsearch(task, &trace->tasks, by_pid))
		return task;
	free(task);
	return NULL;
}

/*
 * A new task, which runs the program of the one that made it. That may be told only afterwards,
 * or never if its maker has been killed: then maker is NULL, and /proc says whose it is.
 */
static struct task *new_task(struct trace *trace, pid_t pid, const struct task *maker)
{
	struct task *task = add_task(trace, pid);
	struct trace_program *program;
	char status[4096];
	pid_t process;

	if (!task)
		return NULL;
	read_status(pid, status, sizeof(status));
	process = status_number(status, "\nTgid:");
	program = maker ? maker->program : program_of(trace, pid);
	/* The kernel may not have let us change the vector that it shows. */
	if (!maker && !program) {
		maker = find_task(trace,
				  process != pid ? process : status_number(status, "\nPPid:"));
		program = maker ? maker->program : NULL;
	}
	task->process = process;
	task->own = program && process == program->pid;
	join(task, program);
	return task;
}

static struct task *task_of(struct trace *trace, pid_t pid)
{
	struct task *task = find_task(trace, pid);

	return task ? task : new_task(trace, pid, NULL);
}

void trace_program(struct trace *trace, pid_t pid, const char *comm, uintptr_t ehdr)
{
	struct trace_program *program = &trace->program[trace->programs++];
	struct task *task = find_task(trace, pid);

	program->pid = pid;
	program->ehdr = ehdr;
	strncpy(program->comm, comm, sizeof(program->comm) - 1);
	if (!task)
		return;
	task->process = pid;
	task->own = true;
	join(task, program);
}

void trace_begin(struct trace *trace, pid_t pid)
{
	task_of(trace, pid);
}

void trace_fork(struct trace *trace, pid_t pid)
{
	struct task *maker = task_of(trace, pid);
	unsigned long made;

	if (!maker || ptrace(PTRACE_GETEVENTMSG, pid, NULL, &made))
		return;
	if (maker->execs)
		join(maker, maker->program); /* its execve(2) had failed */
	if (!find_task(trace, (pid_t)made))
		new_task(trace, (pid_t)made, maker);
}

/* With threads it had another id before, and the process's first thread is no more. */
void trace_exec(struct trace *trace, pid_t pid)
{
	unsigned long former;

	if (!ptrace(PTRACE_GETEVENTMSG, pid, NULL, &former) && (pid_t)former != pid)
		forget(trace, (pid_t)former);
	forget(trace, pid);
	add_task(trace, pid);
}

/* For twalk(3), which passes nothing on. */
static struct {
	pid_t process;
	bool last;
} ending;

static void leave_with_process(const void *node, VISIT visit, int depth)
{
	struct task *task = *(struct task *const *)node;

	(void)depth;
	if ((visit == postorder || visit == leaf) && task->process == ending.process &&
	    leave(task))
		ending.last = true;
}

/*
 * A thread ends alone by exit(2). Whatever else ends one ends all of its process, and they may
 * be killed before they have told us so; or all but the one that makes an execve(2), which is
 * leaving already.
 */
void trace_exit(struct trace *trace, pid_t pid)
{
	struct task *task = task_of(trace, pid);
	struct user_regs_struct regs;

	if (!task)
		return;
	if (task->execs)
		join(task, task->program); /* its execve(2) had failed */
	if (task->leaving)
		return; /* with one of its process that has been here before */
	ending.process = task->process;
	ending.last = leave(task);
	if (traced_regs(pid, &regs) || regs_nr(&regs) != SYS_exit)
		twalk(trace->tasks, leave_with_process);
	if (ending.last)
		search(trace, task->program, pid);
}

void trace_gone(struct trace *trace, pid_t pid)
{
	forget(trace, pid);
}

bool trace_knows_all(const struct trace *trace, unsigned program)
{
	return !trace->program[program].unseen && !trace->program[program].running;
}

static void before_exec(struct trace *trace, struct task *task)
{
	bool last = leave(task);

	task->execs = true;
	if (last && task->program->execs++ < EXECS_MAX)
		search(trace, task->program, task->pid);
}

/* The line of such calls, or the number of lines. */
static unsigned line_of(const struct trace_program *program, const struct trace_call *call)
{
	unsigned i = 0;

	while (i < program->calls &&
	       (program->call[i].name != call->name || program->call[i].clock != call->clock))
		i++;
	return i;
}

static void count_call(struct trace_program *program, const struct trace_call *call,
		       bool from_vdso)
{
	static const struct trace_call others = {.kind = TRACE_CLOCK};
	unsigned i = line_of(program, call);

	/* There is no end of clocks: each process and each device may be one. */
	if (i == program->calls && call->kind == TRACE_CLOCK && i >= TRACE_CLOCKS) {
		call = &others;
		i = line_of(program, call);
	}
	if (i == program->calls)
		program->call[program->calls++] = *call;
	if (from_vdso)
		program->call[i].from_vdso++;
	else
		program->call[i].from_program++;
}

/*
 * A filter of the program's own wants its tracer to decide. It has none: the call fails as it
 * would without us (seccomp(2), SECCOMP_RET_TRACE).
 */
void trace_refuse(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof(regs)};

	if (traced_regs(pid, &regs))
		return;
	stub_refuse_call(pid, &regs);
	ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov);
}

void trace_seccomp(struct trace *trace, pid_t pid)
{
	struct task *task = task_of(trace, pid);
	struct user_regs_struct regs;
	unsigned long filter;

	if (!task || traced_regs(pid, &regs) || ptrace(PTRACE_GETEVENTMSG, pid, NULL, &filter))
		return; /* fanalyzer: a new task is not lost, tsearch(3) keeps it */
	if (task->execs)
		join(task, task->program); /* its execve(2) had failed */
	for (size_t i = 0; task->program && i < NR_WATCHED; i++) {
		struct trace_call call = {.name = watched[i].name, .kind = watched[i].kind};

		if (watched[i].nr < 0 || watched[i].nr != regs_nr(&regs))
			continue;
		if (call.kind == TRACE_CLOCK)
			call.clock = regs_arg(pid, &regs);
		if (call.name)
			count_call(task->program, &call,
				   regs_pc(&regs) - task->program->ehdr <
					   trace->counted.image.size);
		else if (filter == OUR_FILTER)
			before_exec(trace, task);
	}
	if (filter != OUR_FILTER) /* fanalyzer: nor here */
		trace_refuse(pid);
}

const uint64_t *trace_counters(const struct trace *trace, unsigned program)
{
	return trace->counter + program * (page_size() / sizeof(*trace->counter));
}
