/*
 * error.c - see error.h.
 */
#include <stdarg.h>
#include <stdio.h>

#include "kernel/base/error.h"

int run_fail(struct run_error *error, int status, const char *what, const char *why, ...)
{
	va_list ap;

	error->status = status;
	snprintf(error->what, sizeof(error->what), "%s", what);
	va_start(ap, why);
	vsnprintf(error->why, sizeof(error->why), why, ap);
	va_end(ap);
	return status;
}
