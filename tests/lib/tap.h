/*
 * tap.h - the Test Anything Protocol for our C tests, in one header.
 *
 * A test is a program that prints one line a point and the plan at the end;
 * prove reads it. A description is a sentence that is true when the point
 * passes. After a failure say what came and why it matters:
 *
 *	if (!ok(got == want, "an absent name is refused"))
 *		diag("got %p: a caller would jump there", got);
 *	return done_testing();
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_run, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", pass ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	tap_failed += !pass;
	return pass;
}

__attribute__((format(printf, 1, 2), unused)) static void diag(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Passes over count points, with the reason that the machine gives. */
__attribute__((unused)) static void skip(int count, const char *why)
{
	while (count-- > 0)
		printf("ok %d # SKIP %s\n", ++tap_run, why);
	fflush(stdout);
}

/* For what a test cannot go on without: setting up, not the thing under test. */
__attribute__((format(printf, 1, 2), noreturn, unused)) static void bail_out(const char *fmt,
									     ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	exit(255);
}

/* Does an emulator run us (qemu-user)? The Makefile tells; some points make no sense there. */
__attribute__((unused)) static bool emulated(void)
{
	return getenv("TEST_EMULATED") != NULL;
}

/* How many of so many rounds to do: an emulator is slow. */
__attribute__((unused)) static long rounds(long number)
{
	return emulated() ? number / 20 : number;
}

__attribute__((unused)) static int done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed ? 1 : 0;
}

#endif
