/*
 * uvdso.c - see uvdso.h: the kernel's part and the C library's, in one process.
 *
 * This is the only file that knows both. The two do not know each other: what passes
 * between them is one address.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/map/place.h"
#include "kernel/time/timekeeper.h"
#include "kernel/map/timens.h"
#include "kernel/time/watchdog.h"
#include "libc/vdso_elf.h"
#include "uvdso.h"

struct uvdso {
	struct placement placement;
	struct vdso_elf elf;
	const char *why_no_counter;
	pid_t timekeeper;
	int life; /* the write end of a pipe: when the last one is closed, we are gone */
};

__attribute__((format(printf, 4, 5))) static int fail(char *why, size_t size, int err,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return err;
}

/*
 * The timekeeper of this process. Forked from a program with threads perhaps, so only
 * what is safe in a signal handler is used. It holds on to nothing of its parent's: a
 * descriptor kept open here could keep somebody waiting for the end of a pipe.
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
	timekeeper_next(&deadline);
	for (;;) {
		struct pollfd pipe = {.fd = 0, .events = POLLIN};
		struct timespec left = timekeeper_wait(&deadline);

		/* Nothing is ever written to the pipe; any event means that it has ended. */
		if (ppoll(&pipe, 1, &left, NULL) > 0)
			_exit(0);
		timekeeper_update(tk);
		timekeeper_next(&deadline);
	}
}

static int start_timekeeper(struct uvdso *page, struct timekeeper *tk, struct vvar *vvar)
{
	int life[2], ready[2];
	char byte;

	if (pipe2(life, O_CLOEXEC))
		return -errno;
	if (pipe2(ready, O_CLOEXEC))
		goto fail;
	page->timekeeper = fork();
	if (page->timekeeper < 0) {
		close(ready[0]);
		close(ready[1]);
		goto fail;
	}
	if (page->timekeeper == 0) {
		/* First the watchdog: a page is not given out before it is guarded. */
		if (watchdog_start(vvar->writable) < 0)
			_exit(1);
		close(life[1]);
		close(ready[1]);
		keep_time(tk, life[0]);
	}
	close(life[0]);
	close(ready[1]);
	page->life = above_stdio(life[1]);
	/* The end of this pipe says that the watchdog has been started. */
	while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	return 0;
fail:
	close(life[0]);
	close(life[1]);
	return -errno;
}

/* Ends what start_timekeeper() started. */
static void stop_timekeeper(struct uvdso *page)
{
	if (page->life >= 0)
		close(page->life);
	if (page->timekeeper > 0) {
		kill(page->timekeeper, SIGKILL);
		while (waitpid(page->timekeeper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	page->life = -1;
	page->timekeeper = -1;
}

int uvdso_boot(struct uvdso **out, const struct uvdso_options *options, char *why, size_t size)
{
	static const struct uvdso_options defaults;
	struct uvdso *page = calloc(1, sizeof(*page));
	struct timens_offset offset[VDSO_BASES];
	struct image image = image_builtin();
	struct vvar vvar = {.fd = -1};
	struct place_error error = {""};
	struct timens timens;
	struct timekeeper tk;
	const char *reason;
	int err;

	*out = NULL;
	if (!page)
		return fail(why, size, -ENOMEM, "out of memory");
	page->life = -1;
	page->timekeeper = -1;
	if (!options)
		options = &defaults;
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		timens.seconds[i] = options->offset[i];
	reason = timens_check(&timens);
	if (reason) {
		err = fail(why, size, -ERANGE, "%s", reason);
		goto out;
	}
	if (options->image) {
		err = image_read(options->image, &image);
		if (err) {
			fail(why, size, err, "%s: %s", options->image, strerror(-err));
			goto out;
		}
	}

	/* The kernel's part: data, timekeeper, page. */
	err = vvar_create(&vvar);
	if (err) {
		fail(why, size, err, "data page: %s", strerror(-err));
		goto out;
	}
	timens_offsets(&timens, offset);
	vvar_set_offsets(&vvar, offset);
	timekeeper_start(&tk, vvar.writable[0].data, !options->no_counter);
	rng_start(&tk.rng, &vvar.writable[VDSO_RNG_PAGE].rng);
	page->why_no_counter = tk.why_no_counter;
	err = start_timekeeper(page, &tk, &vvar);
	if (err) {
		fail(why, size, err, "timekeeper: %s", strerror(-err));
		goto out;
	}
	/* The writable mapping is the timekeeper's now, and there will be no other. */
	vvar_drop_writable(&vvar);
	err = vvar_seal(&vvar);
	if (err) {
		fail(why, size, err, "data page: cannot be sealed: %s", strerror(-err));
		goto out;
	}
	err = place_page(&image, &vvar, !timens_is_empty(&timens), options->unchecked,
			 &page->placement, &error);
	if (err) {
		fail(why, size, err, "%s", error.why);
		goto out;
	}

	/* The C library's part: all it gets is the address of the header. */
	err = vdso_elf_open(&page->elf, (const void *)page->placement.ehdr, 0);
	if (err)
		err = fail(why, size, -ENOEXEC, "%s", vdso_elf_error(err));
out:
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	if (options->image && image.bytes != image_builtin().bytes)
		image_free(&image);
	if (err)
		uvdso_shutdown(page);
	else
		*out = page;
	return err;
}

void uvdso_shutdown(struct uvdso *page)
{
	if (!page)
		return;
	stop_timekeeper(page);
	unplace_page(&page->placement);
	free(page);
}

void *uvdso_symbol(const struct uvdso *page, const char *name, const char *version)
{
	return (void *)vdso_elf_symbol(&page->elf, name, version);
}

const void *uvdso_ehdr(const struct uvdso *page)
{
	return (const void *)page->placement.ehdr;
}

pid_t uvdso_timekeeper(const struct uvdso *page)
{
	return page->timekeeper;
}

const char *uvdso_why_no_counter(const struct uvdso *page)
{
	return page->why_no_counter;
}
