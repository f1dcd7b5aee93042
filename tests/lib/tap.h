/*
 * tap.h - the Test Anything Protocol for our C tests, in one header.
 *
 * A test is a program that prints one line per point and the plan at the end; prove reads it.
 * A description is a sentence that is true when the point passes. A failure shows what was
 * expected, what came, and why it matters:
 *
 *	if (!is(got, want, "an absent name is refused"))
 *		because("a caller would jump there");
 *	if (!ok(is_right(&answer), "...")) {
 *		expected("a time between %ld and %ld", low, high);
 *		but_got("%ld", answer.sec);
 *	}
 *	return done_testing();
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A comment to a point. No line of it can be taken for a point, whatever is shown. */
__attribute__((format(printf, 1, 2), unused)) static void diag(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fputs("# ", stderr);
	for (const char *at = text; *at; at++) {
		fputc(*at, stderr);
		if (*at == '\n')
			fputs("# ", stderr);
	}
	fputc('\n', stderr);
}

/*
 * What a failed point that is() and cmp_ok() cannot show was meant to give, and what it gave.
 */
#define expected(...) diag("expected  " __VA_ARGS__)
#define but_got(...)  diag("got       " __VA_ARGS__)

/* The reason why a failed point matters, wrapped at 80 columns. */
__attribute__((format(printf, 1, 2), unused)) static void because(const char *fmt, ...)
{
	char text[1024], *line = text;
	const char *before = "why: ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (strlen(line) > 75) {
		char *end = line + 75;

		while (end > line && *end != ' ')
			end--;
		if (end == line)
			break;
		*end = '\0';
		diag("%s%s", before, line);
		before = "     ";
		line = end + 1;
	}
	diag("%s%s", before, line);
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

#ifndef __cplusplus
/*
 * is(GOT, WANT, DESCRIPTION...) and cmp_ok(GOT, <, LIMIT, DESCRIPTION...) are points that show
 * both values when they fail. The type of GOT says how to compare and show: numbers, strings,
 * pointers.
 */
struct tap_value {
	enum { TAP_SIGNED, TAP_UNSIGNED, TAP_REAL, TAP_POINTER, TAP_STRING } kind;
	union {
		uintmax_t number;
		double real;
		const char *string;
	};
};

__attribute__((unused)) static struct tap_value tap_signed(intmax_t value)
{
	return (struct tap_value){TAP_SIGNED, {.number = (uintmax_t)value}};
}

__attribute__((unused)) static struct tap_value tap_unsigned(uintmax_t value)
{
	return (struct tap_value){TAP_UNSIGNED, {.number = value}};
}

__attribute__((unused)) static struct tap_value tap_real(double value)
{
	return (struct tap_value){TAP_REAL, {.real = value}};
}

__attribute__((unused)) static struct tap_value tap_pointer(const volatile void *value)
{
	return (struct tap_value){TAP_POINTER, {.number = (uintptr_t)value}};
}

__attribute__((unused)) static struct tap_value tap_string(const char *value)
{
	return (struct tap_value){TAP_STRING, {.string = value}};
}

/* x, converted to the type of like. */
#	define TAP_VALUE(like, x) \
		_Generic((like),                                                                           \
		 char: tap_signed,                                                                 \
		 signed char: tap_signed,                                                          \
		 short: tap_signed,                                                                \
		 int: tap_signed,                                                                  \
		 long: tap_signed,                                                                 \
		 long long: tap_signed,                                                            \
		 bool: tap_unsigned,                                                               \
		 unsigned char: tap_unsigned,                                                      \
		 unsigned short: tap_unsigned,                                                     \
		 unsigned: tap_unsigned,                                                           \
		 unsigned long: tap_unsigned,                                                      \
		 unsigned long long: tap_unsigned,                                                 \
		 double: tap_real,                                                                 \
		 char *: tap_string,                                                               \
		 const char *: tap_string,                                                         \
		 default: tap_pointer)(x)

__attribute__((unused)) static bool tap_same(struct tap_value a, struct tap_value b)
{
	if (a.kind == TAP_REAL)
		return a.real == b.real;
	if (a.kind == TAP_STRING && a.string && b.string)
		return !strcmp(a.string, b.string);
	return a.kind == TAP_STRING ? a.string == b.string : a.number == b.number;
}

/* An unsigned number may be an address or a mask, so a large one is shown in both bases. */
__attribute__((unused)) static void tap_show(const char *what, struct tap_value value)
{
	if (value.kind == TAP_STRING)
		diag("%s%s%s%s", what, value.string ? "\"" : "",
		     value.string ? value.string : "NULL", value.string ? "\"" : "");
	else if (value.kind == TAP_REAL)
		diag("%s%g", what, value.real);
	else if (value.kind == TAP_SIGNED)
		diag("%s%jd", what, (intmax_t)value.number);
	else if (value.kind == TAP_POINTER)
		diag(value.number ? "%s%#jx" : "%sNULL", what, value.number);
	else
		diag(value.number < 4096 ? "%s%ju" : "%s%ju (%#jx)", what, value.number,
		     value.number);
}

__attribute__((unused)) static bool tap_shown(bool pass, const char *op, struct tap_value got,
					      struct tap_value want)
{
	char what[16];

	if (pass)
		return true;
	snprintf(what, sizeof(what), "expected  %s", op);
	tap_show(what, want);
	tap_show("got       ", got);
	return false;
}

#	define is(got, want, ...)                                                           \
		({                                                                           \
			struct tap_value tap_got = TAP_VALUE(got, got);                      \
			struct tap_value tap_want = TAP_VALUE(got, want);                    \
			tap_shown(ok(tap_same(tap_got, tap_want), __VA_ARGS__), "", tap_got, \
				  tap_want);                                                 \
		})

#	define cmp_ok(got, op, limit, ...)                                              \
		({                                                                       \
			__auto_type tap_got = (got);                                     \
			tap_shown(ok(tap_got op(limit), __VA_ARGS__), #op " ",           \
				  TAP_VALUE(tap_got, tap_got), TAP_VALUE(limit, limit)); \
		})
#endif

/* Does an emulator run us (qemu-user)? The Makefile tells; some points make no sense there. */
__attribute__((unused)) static bool emulated(void)
{
	return getenv("TEST_EMULATED") != NULL;
}

/* Is this machine slow: an emulator's, of one program or of all of it (tests/setup/machine)? */
__attribute__((unused)) static bool slow_machine(void)
{
	return emulated() || getenv("TEST_SLOW");
}

/* How many of so many rounds to do: limits are in work, which ends on every machine. */
__attribute__((unused)) static long rounds(long number)
{
	return slow_machine() ? number / 20 : number;
}

__attribute__((unused)) static int done_testing(void)
{
	printf("1..%d\n", tap_run);
	/* A test without a point would be taken for one that is skipped. */
	return tap_failed || !tap_run ? 1 : 0;
}

#endif
