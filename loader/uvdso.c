/*
 * uvdso.c - see uvdso.h: the kernel's part and the C library's, in one process.
 *
 * This is the only file that knows both. The two do not know each other: what passes between
 * them is one address.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/error.h"
#include "kernel/foreign/probe.h"
#include "kernel/keep/keeper.h"
#include "kernel/map/place.h"
#include "kernel/map/timens.h"
#include "libc/vdso_elf.h"
#include "uvdso.h"

struct uvdso {
	struct placement placement;
	struct vdso_elf elf;
	struct keeper keeper;
};

/* One list of clocks, under two names: the library's and the kernel's part's. */
_Static_assert((int)UVDSO_REALTIME == (int)TIMENS_REALTIME &&
		       (int)UVDSO_MONOTONIC == (int)TIMENS_MONOTONIC &&
		       (int)UVDSO_BOOTTIME == (int)TIMENS_BOOTTIME &&
		       (int)UVDSO_TAI == (int)TIMENS_TAI &&
		       (int)UVDSO_CLOCKS == (int)TIMENS_CLOCKS,
	       "an offset would shift another clock");

_Static_assert((int)UVDSO_COUNTER_AUTO == (int)COUNTER_AUTO &&
		       (int)UVDSO_COUNTER_ALWAYS == (int)COUNTER_ALWAYS &&
		       (int)UVDSO_COUNTER_NEVER == (int)COUNTER_NEVER,
	       "the counter would be used where it should not be");

/* Out of range for any clock if it has no such number. */
static s64 in_ns(int64_t seconds)
{
	s64 ns;

	return __builtin_mul_overflow(seconds, (s64)NSEC_PER_SEC, &ns)
		       ? seconds < 0 ? INT64_MIN : INT64_MAX
		       : ns;
}

/* From the options to a vDSO that can be called. */
static int boot(struct uvdso *vdso, const struct uvdso_options *options, struct error *error)
{
	struct vdso_files files = {.image = -1};
	struct image image = image_builtin();
	const char *image_name = options->image ? options->image : "built-in image";
	struct keeper *keeper = &vdso->keeper;
	const struct foreign_layout *foreign;
	struct clock_now now;
	const char *why;
	int err;

	for (int i = 0; i < TIMENS_CLOCKS; i++)
		keeper->wish.offset[i] = in_ns(options->offset[i]);
	if (timens_is_rated())
		return error_self(error, -ENOTSUP, NULL,
				  "not inside of a `uvdso run --rate` or --freeze: its clocks "
				  "cannot be followed");
	timens_now(&now);
	why = clock_wish_check(&keeper->wish, &now);
	if (why)
		return error_self(error, -ERANGE, NULL, "%s", why);
	if (options->image) {
		err = image_read(options->image, &image);
		if (err)
			return error_system(error, err, options->image);
	}

	/* The kernel's part: data pages, timekeeper, image. */
	err = foreign_recognise(&image, options->unchecked, &foreign, error);
	if (err) {
		error_about(error, image_name);
		goto out;
	}
	keeper->counter =
		options->no_counter ? COUNTER_NEVER : (enum counter_choice)options->counter;
	err = vvar_create(&keeper->vvar);
	keeper->vvar.foreign = foreign;
	if (err)
		error_system(error, err, "data page");
	else
		err = keeper_start(keeper, error);
	if (err)
		goto out;
	/* The image while the counter is calibrated; mapped when the data pages are sealed. */
	err = vdso_files_open(&files, &image, &keeper->vvar, options->unchecked, error);
	if (err) {
		error_about(error, image_name);
		goto out;
	}
	err = keeper_ready(keeper, error);
	files.in_namespace = !timens_is_empty(&keeper->timens);
	if (!err)
		err = vdso_files_place(&process_self, &files, &vdso->placement, error);
	if (err)
		goto out;

	/* The C library's part: all it gets is the address of the header. */
	err = vdso_elf_open(&vdso->elf, (const void *)vdso->placement.ehdr, 0);
	if (err)
		err = error_cannot_run(error, image_name, "%s", vdso_elf_error(err));
out:
	vdso_files_close(&files);
	/* After a failure uvdso_shutdown() still has to find all that was started. */
	if (!err)
		keeper_release(keeper);
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
	vdso->keeper = (struct keeper)KEEPER_NONE;
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
	/* First: a watchdog whose data pages nobody has mapped waits for its owner's end. */
	keeper_end(&vdso->keeper);
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
	return vdso->keeper.timekeeper.pid;
}

const char *uvdso_why_no_counter(const struct uvdso *vdso)
{
	return vdso->keeper.why_no_counter;
}
