/*
 * run.c - see run.h. In the order in which a kernel would do it:
 *
 *   find the program        before anything else: most failures are here
 *   make the data pages     calibrate, write the first bases, seal
 *   fork                    the parent keeps time, the child becomes the program
 *   place the page          in the child, where the program will be
 *   exec                    exec.c
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec.h"
#include "run.h"
#include "supervise.h"
#include "vvar.h"
#include "watchdog.h"

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

static int become_program(const struct run_request *request, const struct program *program,
			  struct vvar *vvar, const sigset_t *mask, struct run_error *error)
{
	struct placement page;
	struct place_error place_error;
	int err;
	struct exec_request exec = {
		.program = program,
		.envp = request->envp,
		.page = &page,
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.verbose = request->verbose,
		.mask = *mask,
	};

	err = place_page(&request->image, vvar, !timens_is_empty(&request->timens),
			 request->force, &page, &place_error);
	if (err)
		return run_fail(error, err == -ENOEXEC ? RUN_CANNOT_RUN : RUN_SELF,
				request->image_name, "%s", place_error.why);
	vvar_close_fd(vvar);
	return exec_program(&exec, error);
}

int run_program(const struct run_request *request, int *wait_status, struct run_error *error)
{
	struct vvar vvar = {.fd = -1};
	struct timekeeper tk;
	struct program program;
	struct sigaction plain = {.sa_handler = SIG_DFL}, chld;
	sigset_t all, mask;
	const char *why;
	pid_t child, watchdog = -1;
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

	/* Blocked before the fork, so that no signal falls between two stools. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	/* Who ignores it gets no status from wait(2); the program may well ignore it. */
	sigaction(SIGCHLD, &plain, &chld);
	fflush(NULL);
	child = fork();
	if (child < 0) {
		err = run_fail(error, RUN_SELF, "fork", "%s", strerror(errno));
		sigprocmask(SIG_SETMASK, &mask, NULL);
		goto out;
	}
	if (child == 0) {
		sigaction(SIGCHLD, &chld, NULL);
		err = become_program(request, &program, &vvar, &mask, error);
		fprintf(stderr, "uvdso: %s: %s\n", error->what, error->why);
		_exit(err);
	}
	vvar_close_fd(&vvar);
	program_close(&program);
	timekeeper_prioritise();
	*wait_status = supervise(&tk, child);
	/* What the program has left running goes on with system calls. */
	page_abandon(vvar.writable);
	watchdog_stop(watchdog);
	vvar_drop_writable(&vvar);
	return 0;
out:
	watchdog_stop(watchdog);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	program_close(&program);
	return err;
}
