/*
 * follow.c - see follow.h.
 *
 * We keep no list of processes: each stop says by itself what it is, and what is to be done
 * about it (ptrace(2), "Stopped states"):
 *
 *   PTRACE_EVENT_EXEC                   a new program: put our vDSO in
 *   PTRACE_EVENT_FORK, VFORK, CLONE     the kernel has made us the new one's tracer
 *   PTRACE_EVENT_SECCOMP, EXIT          with a trace, which counts the others, too (trace.h)
 *   PTRACE_EVENT_SECCOMP, SIGTRAP|0x80  without: a call that sets the clock, or in a tree with
 *                                       clocks of its own names a time, and its end
 *   PTRACE_EVENT_STOP and SIGTRAP       a new one's first stop, or SIGCONT has come; or the
 *                                       first after a vDSO was put in (to_harmless_stop())
 *   PTRACE_EVENT_STOP, another signal   stopped as any process can be: it stays so
 *   anything else                       a signal: deliver it
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h> /* snprintf */
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/map/kernel_timens.h"
#include "kernel/ptrace/follow.h"
#include "kernel/ptrace/inject.h"
#include "kernel/ptrace/narrow.h"
#include "kernel/ptrace/rejoin.h"
#include "kernel/ptrace/time/requests.h"
#include "kernel/ptrace/settle.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/newer.h"
#include "kernel/base/page.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"

#define OPTIONS                                                            \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/*
 * The first program does not outlive us before it has our vDSO: it would run without, on other
 * clocks than were asked for, and with files of ours open. With a trace none does ever, nor one
 * with clocks of its own: their filter would let clock system calls fail.
 */
static long options_of(const struct follow *follow)
{
	long options = follow->trace || follow->control || !follow->started
			       ? OPTIONS | PTRACE_O_EXITKILL
			       : OPTIONS;

	if (follow->settles || follow->control)
		options |= PTRACE_O_TRACESECCOMP;
	return follow->trace ? options | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXIT : options;
}

/* How many filters are looked at: a process with more is not left to itself. */
#define FILTERS_MAX 64

/* It waits for our answer, so it stops at once. */
#define STOP_MS 1000

/* It is running: it must be stopped before it can be let go. Else our end lets it go. */
static void detach(pid_t pid)
{
	int status;

	/* NOLINTNEXTLINE(misc-redundant-expression): a second try, not a second condition */
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return;
	for (unsigned turn = 0; turn < STOP_MS && !wait_for(pid, &status, __WALL | WNOHANG);
	     turn++)
		pause_ns(1000000);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL))
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/* Without the right to take descriptors from a process we could not give it any either. */
static int may_share_descriptors(pid_t child)
{
	int copy = traced_borrow_fd(child, STDERR_FILENO);

	if (copy >= 0)
		descriptor_close(copy);
	return copy >= 0 || copy == -EBADF ? 0 : copy; /* allowed, but it has no such */
}

/*
 * Can we read and write its memory? Tried on a variable that it does not use, and that lies at
 * the same address as ours.
 */
static int may_change_memory(pid_t pid)
{
	static uint64_t variable;
	uint64_t copy = 0;
	int err = traced_read(pid, (uintptr_t)&variable, &copy, sizeof(copy));

	return err ? err : traced_write(pid, (uintptr_t)&variable, &copy, sizeof(copy));
}

/* A call that we do not wait with; nobody is a child of itself. */
static int may_wait(void)
{
	return waitpid(getpid(), NULL, WNOHANG) < 0 && errno != ECHILD ? error_from("waitpid")
								       : 0;
}

static int is_denied(struct error *error, int err)
{
	return error_self(error, err, NULL, "%s(2) is denied here: %s", error_name(err),
			  strerror(-err));
}

/* Does an outer `uvdso run` trace it? */
static bool is_another_run(pid_t tracer)
{
	char text[16];

	return proc_text(tracer, "cmdline", text, sizeof(text)) > 0 &&
	       !strncmp(text, "uvdso-follow ", 13);
}

int follow_start(struct follow *follow, pid_t first, struct error *error)
{
	/* The C library's getpid(3) takes no failure for possible. */
	pid_t self = (pid_t)syscall(SYS_getpid), tracer;
	int err = self < 0 ? error_from("getpid") : may_wait();

	if (err)
		return is_denied(error, err);
	follow->first = first;
	follow->started = follow->left = follow->stuck = false;
	follow->told_by_kernel = false;
	follow->told = 0;
	deadlines_start(&follow->deadlines, follow->control, &follow->files);
	if (ptrace(PTRACE_SEIZE, first, NULL, (void *)options_of(follow))) {
		err = error_from("ptrace");
		if (proc_tracer(first) > 0)
			return error_self(error, err, NULL,
					  "process %d traces this program already, and a "
					  "process has only one tracer%s",
					  proc_tracer(first),
					  is_another_run(proc_tracer(first))
						  ? "; the outer `uvdso run` can change the "
						    "clocks, and so can `uvdso clock`"
						  : "");
		return is_denied(error, error_by("ptrace", err));
	}
	/*
	 * In a PID namespace with the /proc of another one the numbers are of other processes.
	 */
	tracer = proc_tracer(first);
	if (tracer < 0)
		err = error_self(error, tracer, NULL, "/proc/%d/status: %s%s", first,
				 error_words(tracer),
				 tracer == -ENOENT ? "; is /proc mounted?" : "");
	else if (tracer != self)
		err = error_self(error, -ESRCH, NULL,
				 "/proc does not show the processes of this PID namespace");
	if (!err && (err = may_change_memory(first)))
		is_denied(error, err);
	if (!err && !follow->leave && (err = may_share_descriptors(first)))
		is_denied(error, err);
	if (err)
		detach(first);
	return err;
}

/* What a program calls itself, for messages. */
static const char *comm_of(pid_t pid)
{
	static char comm[32];

	proc_text(pid, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = 0;
	return comm;
}

static void tell(const struct events *events, pid_t pid, const struct injection *injection)
{
	const struct placement *vdso = &injection->vdso;
	const char *comm = events->verbose ? comm_of(pid) : NULL;

	event_verbose(events, EVENT_PLACED, .pid = pid, .comm = comm, .start = vdso->start,
		      .ehdr = vdso->ehdr, .end = vdso->start + vdso->length);
	if (injection->interp)
		event_verbose(events, EVENT_INTERPRETER, .pid = pid, .comm = comm,
			      .start = injection->interp);
	for (unsigned i = 0; i < injection->unmapped; i++)
		event_verbose(events, EVENT_UNMAPPED, .pid = pid, .comm = comm,
			      .start = injection->range[i].start,
			      .end = injection->range[i].end, .what = injection->range[i].name);
	event_verbose(events, EVENT_VECTOR, .pid = pid, .comm = comm,
		      .was = injection->kernel_vdso, .ehdr = vdso->ehdr);
	if (injection->vector_in_kernel)
		event_verbose(events, EVENT_OLD_VECTOR, .pid = pid, .comm = comm,
			      .why = strerror(-injection->vector_in_kernel));
}

/*
 * Why a program of the tree did not get our vDSO. The first one must not run without it: it
 * exits as if it had not been started.
 */
static void tell_failure(struct follow *follow, struct traced *traced, const struct error *why)
{
	pid_t pid = traced->pid;

	if (pid == follow->first && !follow->started) {
		event_tell(
			follow->events,
			&(struct event){.kind = EVENT_FAILED, .what = "run", .why = why->why});
		follow->told = pid;
		traced_exit(traced, ERROR_SELF);
	} else {
		event_tell(follow->events, &(struct event){.kind = EVENT_KEEPS_KERNEL_VDSO,
							   .pid = pid,
							   .comm = comm_of(pid),
							   .why = why->why});
	}
}

/*
 * A program in another time namespace of the kernel's: its clocks are shifted further. Returns
 * 0 or -errno; files->offsets is to be closed.
 */
static int enter_namespace(struct vdso_files *files, const struct timens *timens, pid_t pid,
			   struct error *error)
{
	static union vdso_data_store page;
	struct timens_offset ahead[TIMENS_CLOCKS];
	bool other;
	int err = kernel_timens_ahead(pid, ahead, &other);

	if (!err && !other)
		return 0;
	if (files->foreign && files->foreign->timens < 0)
		return error_self(
			error, -ENOTSUP, NULL,
			"it is in a time namespace, and the image knows none (Linux 5.6)");
	if (!err)
		kernel_timens_fill(&page, files->foreign, timens, ahead);
	if (!err)
		err = files->offsets = kernel_timens_page(&page);
	files->in_namespace = true;
	return err >= 0 ? 0
			: error_self(error, err, NULL,
				     "it is in a time namespace with unknown offsets: %s",
				     error_words(err));
}

/*
 * A process that loses its tracer at a stop of a signal or a system call is sent that SIGTRAP,
 * and dies of it. So it must not outlive us before its next stop, ahead of which no
 * instruction of the program is executed (ptrace(2), PTRACE_INTERRUPT). With a trace it never
 * does.
 */
static void to_harmless_stop(const struct follow *follow, pid_t pid)
{
	if (follow->trace || follow->control || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options_of(follow));
}

/* Is there a seccomp filter with that number in the process? For root alone it can be told. */
static bool has_filter(pid_t pid, unsigned number)
{
	return ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)(long)number, NULL) >= 0 ||
	       (errno != ENOENT && errno != EINVAL);
}

static unsigned count_filters(pid_t pid)
{
	unsigned count = 0;

	while (count < FILTERS_MAX && has_filter(pid, count))
		count++;
	return count;
}

/*
 * A new program gets our vDSO. With again it is a program that was left on its way to it, and
 * was denied a call there. status is changed if the process has ended.
 */
static void new_program(struct follow *follow, pid_t pid, bool again, int *status)
{
	/* How many filters the first program begins with: later ones may deny us calls. */
	static unsigned filters;
	struct vdso_files files = follow->files;
	struct injection injection;
	struct error error;
	struct traced traced;
	bool first = pid == follow->first && !follow->started;
	bool suspended;
	unsigned long message;
	uintptr_t slots = 0;
	unsigned how = (first ? INJECT_INHERITED : 0) | (again ? INJECT_AGAIN : 0) |
		       (follow->keep_kernel_vdso ? INJECT_KEEP : 0);
	int err;

	if (follow->first_only && follow->started)
		return;
	if (follow->trace && trace_next(follow->trace) == TRACE_PROGRAMS) {
		follow->trace->not_counted++;
		return;
	}
	if (follow->trace)
		files.counters_at = (off_t)(trace_next(follow->trace) * page_size());

	/*
	 * From here to the end of the injection it must not outlive us: it has registers of
	 * ours. And a seccomp filter of its own is not meant for our calls. Only root may
	 * suspend that; for others the filter decides.
	 */
	suspended = !ptrace(
		PTRACE_SETOPTIONS, pid, NULL,
		(void *)(options_of(follow) | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP));
	if (!suspended)
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
		       (void *)(options_of(follow) | PTRACE_O_EXITKILL));
	if (first)
		filters = count_filters(pid);
	if (!first && !again && !follow->trace && !(suspended && has_filter(pid, filters)))
		how |= INJECT_LEAVE;
	traced = (struct traced){.pid = pid};
	injection = (struct injection){.kernel_vdso = 0};
	err = enter_namespace(&files, follow->timens, pid, &error);
	if (!err && follow->control && narrow_is(pid))
		err = narrow_program(&traced, pid, DEADLINE_SLOTS_SIZE, &slots, &error);
	else if (!err)
		err = inject_vdso(&traced, pid, &files, how, &injection, &error);
	if (files.offsets >= 0)
		descriptor_close(files.offsets);
	if (traced.gone) {
		*status = traced.status;
		return;
	}
	/* Killed meanwhile: that is not a failure, and its status is still to come. */
	if (err && ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) && errno == ESRCH)
		return;
	if (!err && pid == follow->first)
		follow->started = true;
	if (injection.vdso.slots)
		slots = injection.vdso.slots;
	if (follow->control)
		deadlines_program(&follow->deadlines, pid, err ? 0 : slots);
	/* Where it is left to itself there is no such stop: it is at that of its execve(2), or
	 * on its way from there. */
	if (err || !injection.left ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options_of(follow)))
		to_harmless_stop(follow, pid);
	if (err) {
		tell_failure(follow, &traced, &error);
		if (traced.gone)
			*status = traced.status;
		return;
	}
	if (injection.kernel_vdso)
		tell(follow->events, pid, &injection);
	if (follow->trace)
		trace_program(follow->trace, pid, comm_of(pid), injection.vdso.ehdr);
	if (first && follow->before_first)
		follow->before_first(follow->arg);
}

/* To be counted, before anything is done about it (trace.h). */
static void count_event(struct trace *trace, pid_t pid, int event)
{
	switch (event) {
	case PTRACE_EVENT_STOP:
		trace_begin(trace, pid);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		trace_fork(trace, pid);
		break;
	case PTRACE_EVENT_EXEC:
		trace_exec(trace, pid);
		break;
	case PTRACE_EVENT_SECCOMP:
		trace_seccomp(trace, pid);
		break;
	case PTRACE_EVENT_EXIT:
		trace_exit(trace, pid);
		break;
	}
}

/*
 * A new process, or one that SIGCONT has continued: the two stops look the same. status is
 * changed if it has ended.
 */
static void new_process(struct follow *follow, pid_t pid, int *status)
{
	struct traced traced;
	struct error error;

	if (!follow->first_only &&
	    rejoin_timens(&traced, pid, &follow->files, follow->timens, &error) && !traced.gone)
		event_tell(follow->events, &(struct event){.kind = EVENT_KEEPS_OFFSETS,
							   .pid = pid,
							   .comm = comm_of(pid),
							   .why = error.why});
	if (!follow->first_only && traced.gone)
		*status = traced.status;
}

/*
 * A stopped process that cannot be told to go on would stay stopped for ever. With a trace a
 * killed one stops once more, at its end, where no signal reaches it.
 */
static void end(struct follow *follow, pid_t pid)
{
	static char why[96];

	if (follow->told == pid) {
		follow->stuck = true;
		process_kill(pid);
		return;
	}
	follow->told = pid;
	snprintf(why, sizeof(why), "process %d is killed, since it cannot go on: ptrace(2): %s",
		 pid, strerror(errno));
	event_tell(follow->events,
		   &(struct event){.kind = EVENT_FAILED, .what = "run", .why = why});
	process_kill(pid);
}

/*
 * Continues a stopped process, with a signal. It is tried twice: ESRCH is final for a process
 * that has been killed, and then it comes again.
 */
static bool let_go(struct follow *follow, enum __ptrace_request how, pid_t pid, int signal)
{
	for (int turn = 0; turn < 2; turn++)
		if (!ptrace(how, pid, NULL, (void *)(long)signal))
			return true;
	if (errno != ESRCH && ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal))
		end(follow, pid);
	return false;
}

/* Once for the whole tree: most likely it is a program that is asked again and again. */
static void tell_by_kernel(struct follow *follow)
{
	const struct deadlines *deadlines = &follow->deadlines;

	if (!deadlines->failed || follow->told_by_kernel)
		return;
	follow->told_by_kernel = true;
	event_tell(follow->events, &(struct event){.kind = EVENT_BY_KERNEL,
						   .pid = deadlines->failed,
						   .comm = comm_of(deadlines->failed),
						   .why = error_words(deadlines->why)});
}

/* A stop by a filter at the beginning of a call, and the stop at the end of such a call. */
static void time_call(struct follow *follow, pid_t pid, int event)
{
	struct deadlines *deadlines = &follow->deadlines;
	int how = PTRACE_CONT;

	if (event == PTRACE_EVENT_SECCOMP)
		how = deadlines_begin(deadlines, pid);
	else
		deadlines_end(deadlines, pid);
	if (deadlines->closed)
		event_tell(follow->events, &(struct event){.kind = EVENT_CLOSED,
							   .pid = pid,
							   .comm = comm_of(pid)});
	deadlines->closed = 0;
	tell_by_kernel(follow);
	if (how < 0)
		trace_refuse(pid);
	let_go(follow, how < 0 ? PTRACE_CONT : (enum __ptrace_request)how, pid, 0);
}

/* A call that sets the clock: to its end, and on from there when that is published. */
static void settle(struct follow *follow, pid_t pid, int event)
{
	if (event == PTRACE_EVENT_SECCOMP && settle_is_ours(pid)) {
		let_go(follow, PTRACE_SYSCALL, pid, 0);
		return;
	}
	if (event == PTRACE_EVENT_SECCOMP)
		trace_refuse(pid);
	else
		settle_wait(follow->files.data);
	let_go(follow, PTRACE_CONT, pid, 0);
}

/* A signal that comes of what we have the process do, and not of what it does. */
static bool is_ours(const struct follow *follow, pid_t pid, int signal)
{
	return !follow->trace && follow->started &&
	       (signal == SIGTRAP || signal == SIGSYS || signal == SIGSEGV ||
		signal == SIGBUS || signal == SIGILL) &&
	       inject_has_stopped(pid);
}

int follow_event(struct follow *follow, pid_t pid, int *status)
{
	int signal = WSTOPSIG(*status), event = *status >> 16;

	if (follow->trace && WIFSTOPPED(*status))
		count_event(follow->trace, pid, event);
	if (follow->control && WIFSTOPPED(*status) && event == PTRACE_EVENT_EXEC)
		deadlines_exec(&follow->deadlines, pid);
	if (WIFSTOPPED(*status) && event == PTRACE_EVENT_EXEC)
		new_program(follow, pid, false, status);
	if (WIFSTOPPED(*status) && !event && is_ours(follow, pid, signal)) {
		new_program(follow, pid, true, status);
		signal = 0;
	}
	if (WIFSTOPPED(*status) && event == PTRACE_EVENT_STOP && signal == SIGTRAP)
		new_process(follow, pid, status);
	if (!WIFSTOPPED(*status)) {
		if (follow->trace)
			trace_gone(follow->trace, pid);
		if (follow->control)
			deadlines_gone(&follow->deadlines, pid);
		return 0;
	}
	if (follow->control && (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
				event == PTRACE_EVENT_CLONE))
		deadlines_fork(&follow->deadlines, pid);
	if (event == PTRACE_EVENT_STOP && !follow->trace)
		ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options_of(follow));
	if (event == PTRACE_EVENT_STOP && follow->leave && follow->started) {
		follow->left = let_go(follow, PTRACE_DETACH, pid, 0);
		return 0;
	}
	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
		return signal;
	}
	if (follow->control && (event == PTRACE_EVENT_SECCOMP || signal == (SIGTRAP | 0x80))) {
		time_call(follow, pid, event);
		return 0;
	}
	if (follow->settles && (event == PTRACE_EVENT_SECCOMP || signal == (SIGTRAP | 0x80))) {
		settle(follow, pid, event);
		return 0;
	}
	let_go(follow, PTRACE_CONT, pid, event ? 0 : signal);
	return 0;
}

/*
 * Whoever reads our standard error to its end waits for the program, and must not wait for what
 * it has left running.
 */
static void fall_silent(struct follow *follow)
{
	static const struct events none;

	follow->events = &none;
	descriptor_close(STDERR_FILENO);
}

/*
 * Stops are not reported any more, and a stopped process would stay so for ever. Our end lets
 * all of them go on; but it ends the first program as long as that has no vDSO of ours.
 */
static _Noreturn void give_up(const struct follow *follow)
{
	event_tell(follow->events, &(struct event){.kind = EVENT_FAILED,
						   .what = "run",
						   .why = error_words(error_from("waitpid"))});
	_exit(ERROR_SELF);
}

void follow_clocks_changed(struct follow *follow)
{
	if (follow->control)
		deadlines_changed(&follow->deadlines);
}

static void clocks_changed(void *follow)
{
	follow_clocks_changed(follow);
}

void follow_to_end(struct follow *follow)
{
	/* To the end of the last process that we trace. */
	while (!follow->left) {
		int status;
		pid_t pid = requests_wait(&follow->desk, &status);

		if (pid == 0) {
			requests_answer(&follow->desk, follow->control, clocks_changed, follow);
			continue;
		}
		if (pid < 0 && errno == ECHILD)
			return;
		if (pid < 0)
			give_up(follow);
		follow_event(follow, pid, &status);
		if (pid == follow->first && !WIFSTOPPED(status))
			fall_silent(follow);
	}
}

/* Asked of /proc: a count of ours would go wrong with processes that are killed at birth. */
bool follow_any_left(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t tracer = 0, self = getpid();

	/*
	 * If every read of /proc is interrupted for ever, a hundred processes would take too
	 * long.
	 */
	while (proc && tracer != self && tracer != -EINTR && (entry = readdir(proc)))
		tracer = atoi(entry->d_name) > 0 ? proc_tracer(atoi(entry->d_name)) : 0;
	if (proc)
		closedir(proc);
	return tracer == self;
}
