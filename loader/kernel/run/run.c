/*
 * run.c - see run.h. In the order in which a kernel would do it:
 *
 *   find the program        before anything else: most failures are here
 *   make the data pages     calibrate, write the first bases, seal
 *   make the image          check it, fit it to the CPU, seal
 *   fork                    the parent keeps time, the child becomes the program
 *   place the page          in the child, where the program will be
 *   exec                    exec.c
 *
 * With --follow, and for who may not change a process's exe link, the last two change places:
 * the kernel execs, the parent is told of it and places the page from outside (follow.c), as it
 * will for each program of the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/exec/exec.h"
#include "kernel/ptrace/follow.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"
#include "kernel/map/vvar.h"
#include "kernel/time/watchdog.h"

static int make_data(const struct run_request *request, struct vvar *vvar,
		     struct timekeeper *tk, pid_t *watchdog, struct run_error *error)
{
	struct timens_offset offset[VDSO_BASES];
	int err = vvar_create(vvar);

	if (err)
		return run_fail(error, RUN_SELF, "data page", "%s", strerror(-err));
	timens_offsets(&request->timens, offset);
	vvar_set_offsets(vvar, offset);
	timekeeper_start(tk, vvar->writable[0].data, !request->no_counter);
	rng_start(&tk->rng, &vvar->writable[VDSO_RNG_PAGE].rng);
	*watchdog = watchdog_start(vvar->writable);
	if (*watchdog < 0)
		return run_fail(error, RUN_SELF, "watchdog", "%s", strerror(-*watchdog));
	/* The program's process must not even inherit the writable mapping. */
	if (madvise(vvar->writable, VDSO_NR_DATA_PAGES * VDSO_PAGE_SIZE, MADV_DONTFORK))
		return run_fail(error, RUN_SELF, "data page", "%s", strerror(errno));
	err = vvar_seal(vvar);
	if (err)
		return run_fail(error, RUN_SELF, "data page", "cannot be sealed: %s",
				strerror(-err));
	return 0;
}

/* With a trace it is a copy of the image, which counts. */
static int make_image(const struct run_request *request, const struct vvar *vvar,
		      struct follow *follow, struct trace *trace, struct run_error *error)
{
	bool in_namespace = !timens_is_empty(&request->timens);
	struct place_error why;
	int err = page_files_open(&follow->files, &request->image, vvar, in_namespace,
				  request->force, &why);

	if (!err && request->trace) {
		page_files_close(&follow->files);
		err = trace_open(trace, &request->image, error);
		if (err)
			return err;
		err = page_files_open(&follow->files, &trace->counted.image, vvar, in_namespace,
				      true, &why);
		follow->trace = trace;
		follow->files.counters = trace->counters;
	}
	if (err)
		return run_fail(error, err == -ENOEXEC ? RUN_CANNOT_RUN : RUN_SELF,
				request->image_name, "%s", why.why);
	return 0;
}

static int become_program(const struct run_request *request, const struct program *program,
			  const struct page_files *files, const sigset_t *mask,
			  struct run_error *error)
{
	struct placement page;
	struct place_error place_error;
	struct exec_request exec = {
		.program = program,
		.envp = request->envp,
		.page = &page,
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.verbose = request->verbose,
		.mask = *mask,
	};

	if (place_files(&process_self, files, &page, &place_error))
		return run_fail(error, RUN_SELF, request->image_name, "%s", place_error.why);
	close(files->data);
	close(files->image);
	return exec_program(&exec, error);
}

/* Then we stay the program's tracer to its end. */
static bool stays_traced(const struct run_request *request)
{
	return request->follow || request->trace;
}

/*
 * Who execs by hand must also change where /proc/PID/exe leads, or programs that look for
 * their own files there (java, node) do not find them. That takes a capability. Who has not
 * got it lets the kernel exec, and puts the page in from outside, as for --follow.
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

/* On go comes a byte when our parent has become our tracer. Our descriptors close themselves.
 */
static int become_traced(const struct run_request *request, const struct program *program,
			 int go, const sigset_t *mask, struct run_error *error)
{
	ssize_t got;
	char byte;
	int err = 0;

	while ((got = read(go, &byte, 1)) < 0 && errno == EINTR)
		;
	if (got != 1)
		_exit(RUN_SELF); /* nobody traces us: whoever should is gone */
	if (request->trace)
		err = trace_filter();
	if (err)
		return run_fail(error, RUN_SELF, "trace", "seccomp(2) is denied here: %s",
				strerror(-err));
	sigprocmask(SIG_SETMASK, mask, NULL);
	execve(program->path, request->argv, request->envp);
	return run_fail(error, RUN_CANNOT_RUN, program->path, "%s", strerror(errno));
}

/* The child that becomes the program. Returns its process id or a negative status. */
static pid_t start_child(const struct run_request *request, const struct program *program,
			 bool traced, struct follow *follow, const sigset_t *mask,
			 struct run_error *error)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, chld;
	int go[2] = {-1, -1}, err;
	pid_t child;

	if (traced && pipe2(go, O_CLOEXEC))
		return -run_fail(error, RUN_SELF, "pipe", "%s", strerror(errno));
	/* Who ignores it gets no status from wait(2); the program may well ignore it. */
	sigaction(SIGCHLD, &plain, &chld);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		sigaction(SIGCHLD, &chld, NULL);
		close(go[1]);
		err = traced ? become_traced(request, program, go[0], mask, error)
			     : become_program(request, program, &follow->files, mask, error);
		fprintf(stderr, "uvdso: %s: %s\n", error->what, error->why);
		_exit(err);
	}
	err = child < 0 ? run_fail(error, RUN_SELF, "fork", "%s", strerror(errno)) : 0;
	if (!err && traced)
		err = follow_start(follow, child, error);
	if (!err && traced && write(go[1], "", 1) != 1)
		err = run_fail(error, RUN_SELF, "pipe", "%s", strerror(errno));
	if (err && child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close(go[0]);
	close(go[1]);
	return err ? -err : child;
}

int run_program(const struct run_request *request, int *wait_status, struct run_error *error)
{
	struct follow follow = {
		.files.image = -1,
		.first_only = !request->follow,
		.leave = !stays_traced(request),
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.verbose = request->verbose,
	};
	struct trace trace = {.counters = -1};
	struct vvar vvar = {.fd = -1};
	struct timekeeper tk;
	struct program program;
	sigset_t all, mask;
	const char *why;
	pid_t child, watchdog = -1;
	bool traced = stays_traced(request) || !may_change_exe();
	int err;

	why = timens_check(&request->timens);
	if (why)
		return run_fail(error, RUN_SELF, "--offset", "%s", why);
	err = program_open(&program, request->argv, error);
	if (!err)
		err = make_data(request, &vvar, &tk, &watchdog, error);
	if (err)
		goto out;
	if (request->verbose && tk.why_no_counter)
		fprintf(stderr, "uvdso: counter  not used: %s\n", tk.why_no_counter);
	else if (request->verbose)
		fprintf(stderr, "uvdso: counter  %.3f MHz, mult %u, shift %u\n",
			1000.0 / tk.time.mono.rate, tk.time.mono.mult, tk.time.mono.shift);
	err = make_image(request, &vvar, &follow, &trace, error);
	if (err)
		goto out;

	/* Blocked before the fork, so that no signal falls between two stools. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	child = start_child(request, &program, traced, &follow, &mask, error);
	if (child < 0 && traced && !stays_traced(request)) {
		if (request->verbose)
			fprintf(stderr, "uvdso: exe      stays that of uvdso: %s\n",
				error->why);
		traced = false;
		child = start_child(request, &program, traced, &follow, &mask, error);
	}
	if (child < 0) {
		err = -child;
		sigprocmask(SIG_SETMASK, &mask, NULL);
		goto out;
	}
	program_close(&program);
	/* The child has its own; only who follows a tree needs them again. */
	if (!traced) {
		page_files_close(&follow.files);
		vvar_close_fd(&vvar);
	}
	timekeeper_prioritise();
	*wait_status = supervise(&tk, child, traced ? &follow : NULL);
	if (request->trace) {
		supervise_rest(&tk, &follow);
		trace_report(&trace, request->trace);
	}
	/* What the program has left running goes on with system calls. */
	page_abandon(vvar.writable);
	*error = follow.error;
	err = error->status;
out:
	watchdog_stop(watchdog);
	page_files_close(&follow.files);
	trace_close(&trace);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	program_close(&program);
	return err;
}
