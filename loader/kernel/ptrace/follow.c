/*
 * follow.c - see follow.h.
 *
 * We keep no list of processes: each stop says by itself what it is, and what is to be
 * done about it (ptrace(2), "Stopped states"):
 *
 *   PTRACE_EVENT_EXEC                   a new program: put the page in
 *   PTRACE_EVENT_FORK, VFORK, CLONE     the kernel has made us the new one's tracer
 *   PTRACE_EVENT_SECCOMP, EXIT          something to count (trace.h)
 *   PTRACE_EVENT_STOP and SIGTRAP       a new one's first stop, or SIGCONT has come
 *   PTRACE_EVENT_STOP, another signal   stopped as everybody can be: it stays so
 *   anything else                       a signal: deliver it
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/ptrace/follow.h"
#include "kernel/ptrace/inject.h"
#include "kernel/base/proc.h"

#define OPTIONS                                                            \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/* Under a trace nobody may outlive us: its filter would let clock system calls fail. */
static long options_of(const struct follow *follow)
{
	return follow->trace ? OPTIONS | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXIT |
				       PTRACE_O_EXITKILL
			     : OPTIONS;
}

/* Who traces a process, if anybody does; pid 0 is this one. */
static pid_t tracer_of(pid_t pid)
{
	char text[4096], *line;
	int fd = proc_open(pid, "status");
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	line = strstr(text, "\nTracerPid:");
	return line ? atoi(line + strlen("\nTracerPid:")) : 0;
}

/* Without the right to take descriptors out of a process we could not give it any either. */
static int may_share_descriptors(pid_t child)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0), copy = -1, err;

	if (pidfd < 0)
		return -errno;
	copy = (int)syscall(SYS_pidfd_getfd, pidfd, 2, 0);
	err = copy < 0 ? -errno : 0;
	if (copy >= 0)
		close(copy);
	close(pidfd);
	return err == -EBADF ? 0 : err; /* allowed, but it has none of that number */
}

int follow_start(struct follow *follow, pid_t child, struct run_error *error)
{
	int err;

	follow->first = child;
	follow->started = follow->left = false;
	follow->error = (struct run_error){0};
	if (ptrace(PTRACE_SEIZE, child, NULL, (void *)options_of(follow))) {
		err = errno;
		if (tracer_of(0))
			return run_fail(
				error, RUN_SELF, "--follow",
				"process %d traces us already, and a process has only one "
				"tracer; without --follow the program itself gets the page",
				tracer_of(0));
		return run_fail(error, RUN_SELF, "--follow",
				"ptrace(2) is denied here: %s; without --follow the program "
				"itself still gets the page",
				strerror(err));
	}
	/* In a PID namespace with the /proc of another one its numbers are somebody else's. */
	if (tracer_of(child) != getpid())
		return run_fail(error, RUN_SELF, "--follow",
				"/proc does not show the processes of this PID namespace");
	err = may_share_descriptors(child);
	if (err)
		return run_fail(error, RUN_SELF, "--follow",
				"pidfd_getfd(2) (Linux 5.6) is denied here: %s",
				strerror(-err));
	return 0;
}

/* What the program calls itself: for messages. */
static const char *comm_of(pid_t pid)
{
	static char comm[32];
	int fd = proc_open(pid, "comm");
	ssize_t got = fd < 0 ? 0 : read(fd, comm, sizeof(comm) - 1);

	if (fd >= 0)
		close(fd);
	comm[got > 0 ? got : 0] = 0;
	comm[strcspn(comm, "\n")] = 0;
	return comm;
}

static void tell(pid_t pid, const struct injection *injection)
{
	const struct placement *page = &injection->page;

	fprintf(stderr,
		"uvdso: %d %s: image %" PRIxPTR "-%" PRIxPTR " r-x, data %" PRIxPTR "-%" PRIxPTR
		" r--\n",
		pid, comm_of(pid), page->ehdr, page->start + page->length, page->start,
		page->ehdr);
	if (injection->interp)
		fprintf(stderr, "uvdso: %d %s: interpreter at %" PRIxPTR "\n", pid,
			comm_of(pid), injection->interp);
	for (unsigned i = 0; i < injection->unmapped; i++)
		fprintf(stderr, "uvdso: %d %s: unmapped %" PRIxPTR "-%" PRIxPTR " %s\n", pid,
			comm_of(pid), injection->range[i].start, injection->range[i].end,
			injection->range[i].name);
	fprintf(stderr,
		"uvdso: %d %s: vector AT_SYSINFO_EHDR was %" PRIxPTR ", is %" PRIxPTR "\n", pid,
		comm_of(pid), injection->kernel_vdso, page->ehdr);
	if (injection->vector_in_kernel)
		fprintf(stderr, "uvdso: %d %s: /proc/%d/auxv still shows the old one: %s\n",
			pid, comm_of(pid), pid, strerror(-injection->vector_in_kernel));
}

/* Returns false if the process is no more. */
static bool new_program(struct follow *follow, pid_t pid, int *status)
{
	struct page_files files = follow->files;
	struct injection injection;
	struct traced traced;
	unsigned long message;
	int err;

	if (follow->first_only && follow->started)
		return true;
	if (follow->trace && trace_next(follow->trace) == TRACE_PROGRAMS) {
		follow->trace->not_counted++;
		return true;
	}
	if (follow->trace)
		files.counters_at = (off_t)trace_next(follow->trace) * VDSO_PAGE_SIZE;

	/*
	 * From here to the end of it, it must not outlive us: it has registers of ours. And a
	 * seccomp filter of its own is not meant for our calls. Only root may lift that; for
	 * others the filter decides.
	 */
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   (void *)(options_of(follow) | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP)))
		ptrace(PTRACE_SETOPTIONS, pid, NULL,
		       (void *)(options_of(follow) | PTRACE_O_EXITKILL));
	err = inject_page(&traced, pid, &files, follow->keep_kernel_vdso, &injection);
	if (traced.gone) {
		*status = traced.status;
		return false;
	}
	/* Killed meanwhile: there is nothing to complain of, and its status is still to come.
	 */
	if (err && ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) && errno == ESRCH)
		return true;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options_of(follow));
	if (!err && follow->verbose)
		tell(pid, &injection);
	if (!err && follow->trace)
		trace_program(follow->trace, pid, comm_of(pid), injection.page.ehdr);
	if (!err && pid == follow->first)
		follow->started = true;
	if (err && pid == follow->first && !follow->started) {
		run_fail(&follow->error, RUN_SELF, follow->leave ? "run" : "--follow", "%s",
			 injection.error.why);
		kill(pid, SIGKILL);
	} else if (err) {
		fprintf(stderr, "uvdso: %d %s: keeps the kernel's vDSO: %s\n", pid,
			comm_of(pid), injection.error.why);
	}
	return true;
}

int follow_event(struct follow *follow, pid_t pid, int *status)
{
	int signal = WSTOPSIG(*status), event = *status >> 16;

	if (!WIFSTOPPED(*status))
		return 0;
	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
		return signal;
	}
	if (event == PTRACE_EVENT_EXEC && !new_program(follow, pid, status))
		return 0;
	if (event == PTRACE_EVENT_SECCOMP)
		trace_seccomp(follow->trace, pid);
	if (event == PTRACE_EVENT_EXIT)
		trace_exit(follow->trace, pid);
	if (event == PTRACE_EVENT_EXEC && follow->leave && follow->started)
		follow->left = !ptrace(PTRACE_DETACH, pid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)(event ? 0 : signal));
	return 0;
}

/* /proc knows best: no count of ours would survive processes that are killed at birth. */
bool follow_any_left(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool any = false;

	while (proc && !any && (entry = readdir(proc)))
		any = atoi(entry->d_name) > 0 && tracer_of(atoi(entry->d_name)) == getpid();
	if (proc)
		closedir(proc);
	return any;
}
