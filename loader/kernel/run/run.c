/*
 * run.c - see run.h. In the order in which a kernel would do it:
 *
 *   find the program        before anything else: most failures are here
 *   make the data pages     calibrate, write the first bases, seal
 *   make the image          check it, fit it to the CPU, seal
 *   fork                    the parent keeps time, the child becomes the program
 *   place the vDSO          in the child, where the program will be
 *   exec                    exec/exec.c
 *
 * With --follow, and for users who may not change a process's exe link, the last two change
 * places: the kernel execs, the parent is told of it and places the vDSO from outside
 * (ptrace/follow.c), as it will for each program of the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/exec/exec.h"
#include "kernel/map/data_pages.h"
#include "kernel/ptrace/follow.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"
#include "kernel/time/watchdog.h"

/* With a trace it is a copy of the image, which counts. */
static int make_image(const struct run_request *request, const struct vvar *vvar,
		      struct follow *follow, struct error *error)
{
	bool in_namespace = !timens_is_empty(&request->timens);
	int err = vdso_files_open(&follow->files, &request->image, vvar, in_namespace,
				  request->force, error);

	if (err || !request->trace)
		return err;
	vdso_files_close(&follow->files);
	err = trace_open(request->trace, &request->image, error);
	if (!err)
		err = vdso_files_open(&follow->files, &request->trace->counted.image, vvar,
				      in_namespace, true, error);
	follow->trace = request->trace;
	follow->files.counters = request->trace->counters;
	return err;
}

static int become_program(const struct run_request *request, const struct program *program,
			  const struct vdso_files *files, const sigset_t *mask,
			  struct error *error)
{
	struct placement vdso;
	struct exec_request exec = {
		.program = program,
		.envp = request->envp,
		.vdso = &vdso,
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.events = &request->events,
		.mask = *mask,
	};
	int err = vdso_files_place(&process_self, files, &vdso, error);

	if (err)
		return err;
	close(files->data);
	close(files->image);
	return exec_program(&exec, error);
}

/* Do we stay the program's tracer to its end? */
static bool stays_traced(const struct run_request *request)
{
	return request->follow || request->trace;
}

/*
 * A process that execs by hand must also redirect /proc/PID/exe, or programs that look for
 * their own files there (java, node) do not find them. That takes a capability. Without it the
 * kernel execs, and the vDSO is put in from outside, as for --follow.
 */
static bool may_change_exe(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t effective;

	if (syscall(SYS_capget, &header, data))
		return false;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return effective & (1ull << CAP_SYS_ADMIN | 1ull << CAP_CHECKPOINT_RESTORE);
}

/*
 * A byte comes on go when our parent has become our tracer. Our descriptors close themselves.
 */
static int become_traced(const struct run_request *request, const struct program *program,
			 int go, const sigset_t *mask, struct error *error)
{
	ssize_t got;
	char byte;
	int err = 0;

	while ((got = read(go, &byte, 1)) < 0 && errno == EINTR)
		;
	if (got != 1)
		_exit(ERROR_SELF); /* our parent is gone, and nothing traces us */
	if (request->trace)
		err = trace_filter();
	if (err)
		return error_self(error, err, "trace", "seccomp(2) is denied here: %s",
				  strerror(-err));
	sigprocmask(SIG_SETMASK, mask, NULL);
	execve(program->path, request->argv, request->envp);
	return error_cannot_run(error, program->path, "%s", strerror(errno));
}

/*
 * What the child does until it is the program. Only failures come back; they are told from
 * here, as base/event.h says, and become the exit status.
 */
static _Noreturn void run_child(const struct run_request *request,
				const struct program *program, bool traced, int go,
				const struct vdso_files *files, const sigset_t *mask)
{
	struct error error = {0};

	if (traced)
		become_traced(request, program, go, mask, &error);
	else
		become_program(request, program, files, mask, &error);
	error_about(&error, request->image_name);
	event_tell(&request->events,
		   &(struct event){.kind = EVENT_FAILED, .what = error.what, .why = error.why});
	_exit(error.status);
}

/* The child that becomes the program. Returns its process id or an error number. */
static pid_t start_child(const struct run_request *request, const struct program *program,
			 bool traced, struct follow *follow, const sigset_t *mask,
			 struct error *error)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, chld;
	int go[2] = {-1, -1}, err;
	pid_t child;

	if (traced && pipe2(go, O_CLOEXEC))
		return error_system(error, -errno, "pipe");
	/* With SIGCHLD ignored wait(2) gives no status; the program may well ignore it. */
	sigaction(SIGCHLD, &plain, &chld);
	child = fork();
	if (child == 0) {
		sigaction(SIGCHLD, &chld, NULL);
		close(go[1]);
		run_child(request, program, traced, go[0], &follow->files, mask);
	}
	err = child < 0 ? error_system(error, -errno, "fork") : 0;
	if (!err && traced)
		err = follow_start(follow, child, error);
	if (!err && traced && write(go[1], "", 1) != 1)
		err = error_system(error, -errno, "pipe");
	if (err && child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close(go[0]);
	close(go[1]);
	return err ? err : child;
}

/* How fast the counter runs, or why there is none. */
static void tell_counter(const struct events *events, const struct timekeeper *tk)
{
	const struct timeline *mono = &tk->bases.mono;

	if (tk->why_no_counter)
		event_verbose(events, EVENT_NO_COUNTER, .why = tk->why_no_counter);
	else
		event_verbose(events, EVENT_COUNTER, .mhz = 1000.0 / mono->rate,
			      .mult = mono->mult, .shift = mono->shift);
}

int run_program(const struct run_request *wish, int *wait_status, struct error *error)
{
	struct run_request nested = *wish;
	const struct run_request *request = &nested;
	struct follow follow = {
		.files.image = -1,
		.events = &request->events,
		.first_only = !request->follow,
		.leave = !stays_traced(request),
		.keep_kernel_vdso = request->keep_kernel_vdso,
	};
	struct data_pages pages = DATA_PAGES_NONE;
	struct program program;
	sigset_t all, mask;
	const char *why;
	pid_t child;
	bool traced = stays_traced(request) || !may_change_exe();
	int err;

	why = timens_check(&request->timens);
	if (why)
		return error_self(error, -ERANGE, "--offset", "%s", why);
	timens_inherit(&nested.timens);
	err = program_open(&program, request->argv, error);
	if (!err)
		err = data_pages_make(&pages, &request->timens, !request->no_counter, error);
	if (!err)
		err = data_pages_guard(&pages, error);
	if (err)
		goto out;
	tell_counter(&request->events, &pages.tk);
	err = make_image(request, &pages.vvar, &follow, error);
	if (err) {
		error_about(error, request->image_name);
		goto out;
	}

	/* Blocked before the fork, so that no signal is lost between the two. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	child = start_child(request, &program, traced, &follow, &mask, error);
	if (child < 0 && traced && !stays_traced(request)) {
		event_verbose(&request->events, EVENT_EXE_STAYS, .why = error->why);
		traced = false;
		child = start_child(request, &program, traced, &follow, &mask, error);
	}
	if (child < 0) {
		err = child;
		sigprocmask(SIG_SETMASK, &mask, NULL);
		goto out;
	}
	program_close(&program);
	/* The child has its own; only a tree that is followed needs them again. */
	if (!traced) {
		vdso_files_close(&follow.files);
		vvar_close_fd(&pages.vvar);
	}
	timekeeper_prioritise();
	*wait_status = supervise(&pages.tk, child, traced ? &follow : NULL);
	if (request->trace)
		supervise_rest(&pages.tk, &follow);
	/* What the program has left running goes on with system calls. */
	watchdog_abandon(pages.vvar.writable);
	*error = follow.error;
	err = error->status ? -ECANCELED : 0;
out:
	vdso_files_close(&follow.files);
	data_pages_end(&pages);
	program_close(&program);
	return err;
}
