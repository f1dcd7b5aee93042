/*
 * message.c - what the command says: its error messages, and the end of its output.
 *
 * Messages hold file names, arguments and pieces of images. A terminal obeys control
 * characters, wherever they come from, so none reaches it: neither those of ASCII, nor
 * the eight-bit ones (C1), which UTF-8 has as U+0080 to U+009F.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

size_t utf8_length(const char *text)
{
	/* The smallest character of each length: anything less has a shorter form. */
	static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const void *)text;
	size_t length = *at < 0x80   ? 1
			: *at < 0xc0 ? 0
			: *at < 0xe0 ? 2
			: *at < 0xf0 ? 3
			: *at < 0xf8 ? 4
				     : 0;
	unsigned character = *at & (0x7fu >> length);

	if (length < 2)
		return length;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (at[i] & 0x3f);
	}
	if (character < smallest[length] || character > 0x10ffff ||
	    (character >= 0xd800 && character < 0xe000))
		return 0;
	return length;
}

/* The number of bytes of the UTF-8 character here that may be shown; 0 if it may not. */
static size_t printable(const char *text)
{
	const unsigned char *at = (const void *)text;
	size_t length = utf8_length(text);

	if (length == 1)
		return *at >= ' ' && *at != 0x7f;
	return length == 2 && *at == 0xc2 && at[1] < 0xa0 ? 0 : length;
}

/* What one character becomes takes at most this, its null byte included. */
#define ESCAPED_MAX 5

const char *escape_to(char *to, size_t size, const char *text)
{
	char *end = to;

	while (*text && (size_t)(end - to) + ESCAPED_MAX <= size) {
		size_t length = printable(text);

		if (length)
			end = mempcpy(end, text, length);
		else if (*text == '\n' || *text == '\t')
			end += sprintf(end, *text == '\n' ? "\\n" : "\\t");
		else
			end += sprintf(end, "\\x%02x", (unsigned char)*text);
		text += length ? length : 1;
	}
	*end = 0;
	return to;
}

char *escape(const char *text)
{
	size_t size = (ESCAPED_MAX - 1) * strlen(text) + ESCAPED_MAX;
	char *escaped = malloc(size);

	if (escaped)
		escape_to(escaped, size, text);
	return escaped;
}

void complain(const char *what, const char *why, ...)
{
	char *text = NULL, *line = NULL, *shown;
	va_list ap;

	va_start(ap, why);
	if (vasprintf(&text, why, ap) < 0)
		text = NULL;
	va_end(ap);
	if (asprintf(&line, "%s: %s", what, text ? text : "out of memory") < 0)
		line = NULL;
	shown = line ? escape(line) : NULL;
	fprintf(stderr, "uvdso: %s\n", shown ? shown : "out of memory");
	free(text);
	free(line);
	free(shown);
}

/* The first error: a stream remembers that there was one, but not which. */
static int output_error;

bool flush_output(void)
{
	bool lost = ferror(stdout);

	errno = 0;
	if ((fflush(stdout) || lost) && !output_error)
		output_error = errno ? errno : EIO;
	return !output_error;
}

int finish_output(int status, int failure)
{
	if (flush_output())
		return status;
	complain("standard output", "cannot write: %s", strerror(output_error));
	return failure;
}
