/*
 * error.c - see error.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h> /* snprintf: to memory, never to a stream */
#include <string.h>

#include "kernel/base/error.h"

static void fill(struct error *error, int status, const char *what, const char *why, va_list ap)
{
	error->status = status;
	snprintf(error->what, sizeof(error->what), "%s", what ? what : "");
	vsnprintf(error->why, sizeof(error->why), why, ap);
}

int error_self(struct error *error, int err, const char *what, const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	fill(error, ERROR_SELF, what, why, ap);
	va_end(ap);
	return err;
}

void error_add(struct error *error, const char *more, ...)
{
	size_t length = strlen(error->why);
	va_list ap;

	va_start(ap, more);
	vsnprintf(error->why + length, sizeof(error->why) - length, more, ap);
	va_end(ap);
}

/*
 * Of this thread, since two of them may fail at the same time. An attendant has a copy of its
 * owner's.
 */
static _Thread_local struct {
	const char *name;
	int err;
} noted;

int error_by(const char *name, int err)
{
	noted.name = name;
	noted.err = err;
	return err;
}

int error_from(const char *name)
{
	return error_by(name, -errno);
}

const char *error_name(int err)
{
	return noted.err == err ? noted.name : NULL;
}

const char *error_words(int err)
{
	static _Thread_local char words[128];

	if (!error_name(err))
		return strerror(-err);
	snprintf(words, sizeof(words), "%s(2): %s", noted.name, strerror(-err));
	return words;
}

bool error_is_denial(int err)
{
	return err == -EPERM || err == -ENOSYS;
}

const char *error_of_file(const char *name, int err)
{
	static const int faults[] = {EACCES,  ENOENT,  ENOTDIR, EISDIR,  ELOOP, ENAMETOOLONG,
				     ETXTBSY, ENOEXEC, E2BIG,   ELIBBAD, EINVAL};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (err == -faults[i])
			return strerror(-err);
	return error_words(error_by(name, err));
}

int error_system(struct error *error, int err, const char *what)
{
	return error_self(error, err, what, "%s", error_words(err));
}

int error_cannot_run(struct error *error, const char *what, const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	fill(error, ERROR_CANNOT_RUN, what, why, ap);
	va_end(ap);
	return -ENOEXEC;
}

int error_not_found(struct error *error, const char *what, const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	fill(error, ERROR_NOT_FOUND, what, why, ap);
	va_end(ap);
	return -ENOENT;
}

void error_about(struct error *error, const char *what)
{
	if (!*error->what)
		snprintf(error->what, sizeof(error->what), "%s", what);
}
