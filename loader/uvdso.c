/*
 * uvdso.c - see uvdso.h: the kernel's part and the C library's, in one process.
 *
 * This is the only file that knows both. The two do not know each other: what passes between
 * them is one address.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/map/data_pages.h"
#include "kernel/map/place.h"
#include "kernel/map/timens.h"
#include "kernel/time/deadline.h"
#include "kernel/time/timekeeper.h"
#include "libc/vdso_elf.h"
#include "uvdso.h"

struct uvdso {
	struct placement placement;
	struct vdso_elf elf;
	const char *why_no_counter;
	pid_t timekeeper;
	int life; /* the write end of a pipe: when the last one is closed, we are gone */
};

/*
 * The timekeeper of this process. It may be forked from a program with threads, so it does only
 * what is safe in a signal handler. It keeps nothing of its parent's open: a descriptor here
 * could let another process wait for ever for the end of a pipe.
 */
static void keep_time(struct timekeeper *tk, int life)
{
	struct timespec deadline = {0, 0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (life != 0)
		dup2(life, 0);
	close_range(1, ~0u, 0);
	timekeeper_prioritise();
	deadline_next(&deadline, timekeeper_period(tk));
	for (;;) {
		struct pollfd pipe = {.fd = 0, .events = POLLIN};
		struct timespec left = deadline_wait(&deadline);

		/* Nothing is ever written to the pipe; any event means that it has ended. */
		if (ppoll(&pipe, 1, &left, NULL) > 0)
			_exit(0);
		timekeeper_update(tk);
		deadline_next(&deadline, timekeeper_period(tk));
	}
}

static int start_timekeeper(struct uvdso *vdso, struct data_pages *pages, struct error *error)
{
	int life[2], ready[2], err;
	ssize_t got;

	if (pipe2(life, O_CLOEXEC))
		return error_system(error, -errno, "timekeeper");
	if (pipe2(ready, O_CLOEXEC)) {
		err = -errno;
		goto fail;
	}
	vdso->timekeeper = fork();
	if (vdso->timekeeper < 0) {
		err = -errno;
		close(ready[0]);
		close(ready[1]);
		goto fail;
	}
	if (vdso->timekeeper == 0) {
		/* The watchdog first: nothing is given out before it is guarded. */
		err = data_pages_guard(pages, error);
		if (write(ready[1], &err, sizeof(err)) != sizeof(err) || err)
			_exit(1);
		close(life[1]);
		close(ready[1]);
		keep_time(&pages->tk, life[0]);
	}
	close(life[0]);
	close(ready[1]);
	/*
	 * A written result, not the end of the pipe: another thread may be forking, and its
	 * child would hold the pipe open. The end alone means that the timekeeper has died.
	 */
	while ((got = read(ready[0], &err, sizeof(err))) < 0 && errno == EINTR)
		;
	close(ready[0]);
	if (got != sizeof(err))
		err = -ECHILD;
	vdso->life = above_stdio(life[1]);
	if (!err && vdso->life < 0)
		err = -EMFILE;
	return err ? error_system(error, err, "timekeeper") : 0;
fail:
	close(life[0]);
	close(life[1]);
	return error_system(error, err, "timekeeper");
}

/* Ends what start_timekeeper() started. */
static void stop_timekeeper(struct uvdso *vdso)
{
	if (vdso->life >= 0)
		close(vdso->life);
	if (vdso->timekeeper > 0) {
		kill(vdso->timekeeper, SIGKILL);
		while (waitpid(vdso->timekeeper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	vdso->life = -1;
	vdso->timekeeper = -1;
}

/* One list of clocks, under two names: the library's and the kernel's part's. */
_Static_assert((int)UVDSO_REALTIME == (int)TIMENS_REALTIME &&
		       (int)UVDSO_MONOTONIC == (int)TIMENS_MONOTONIC &&
		       (int)UVDSO_BOOTTIME == (int)TIMENS_BOOTTIME &&
		       (int)UVDSO_TAI == (int)TIMENS_TAI &&
		       (int)UVDSO_CLOCKS == (int)TIMENS_CLOCKS,
	       "an offset would shift another clock");

/* From the options to a vDSO that can be called. */
static int boot(struct uvdso *vdso, const struct uvdso_options *options, struct error *error)
{
	struct data_pages pages = DATA_PAGES_NONE;
	struct image image = image_builtin();
	const char *image_name = options->image ? options->image : "built-in image";
	struct timens timens;
	const char *why;
	int err;

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		timens.seconds[i] = options->offset[i];
	why = timens_check(&timens);
	if (why)
		return error_self(error, -ERANGE, NULL, "%s", why);
	timens_inherit(&timens);
	if (options->image) {
		err = image_read(options->image, &image);
		if (err)
			return error_system(error, err, options->image);
	}

	/* The kernel's part: data pages, timekeeper, image. */
	err = data_pages_make(&pages, &timens, !options->no_counter, error);
	if (err)
		goto out;
	vdso->why_no_counter = pages.tk.why_no_counter;
	err = start_timekeeper(vdso, &pages, error);
	if (err)
		goto out;
	/* The writable mapping is the timekeeper's now, and there will be no other. */
	vvar_drop_writable(&pages.vvar);
	err = vdso_place(&image, &pages.vvar, !timens_is_empty(&timens), options->unchecked,
			 &vdso->placement, error);
	if (err) {
		error_about(error, image_name);
		goto out;
	}

	/* The C library's part: all it gets is the address of the header. */
	err = vdso_elf_open(&vdso->elf, (const void *)vdso->placement.ehdr, 0);
	if (err)
		err = error_cannot_run(error, image_name, "%s", vdso_elf_error(err));
out:
	data_pages_end(&pages);
	if (options->image)
		image_free(&image);
	return err;
}

int uvdso_boot(struct uvdso **out, const struct uvdso_options *options, char *why, size_t size)
{
	static const struct uvdso_options defaults;
	struct uvdso *vdso = calloc(1, sizeof(*vdso));
	struct error error = {0};
	int err;

	*out = NULL;
	if (!vdso) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	vdso->life = -1;
	vdso->timekeeper = -1;
	err = boot(vdso, options ? options : &defaults, &error);
	if (err) {
		snprintf(why, size, "%s%s%s", error.what, *error.what ? ": " : "", error.why);
		uvdso_shutdown(vdso);
		return err;
	}
	*out = vdso;
	return 0;
}

void uvdso_shutdown(struct uvdso *vdso)
{
	if (!vdso)
		return;
	stop_timekeeper(vdso);
	vdso_unplace(&process_self, &vdso->placement);
	free(vdso);
}

void *uvdso_symbol(const struct uvdso *vdso, const char *name, const char *version)
{
	return (void *)vdso_elf_symbol(&vdso->elf, name, version);
}

const void *uvdso_ehdr(const struct uvdso *vdso)
{
	return (const void *)vdso->placement.ehdr;
}

pid_t uvdso_timekeeper(const struct uvdso *vdso)
{
	return vdso->timekeeper;
}

const char *uvdso_why_no_counter(const struct uvdso *vdso)
{
	return vdso->why_no_counter;
}
