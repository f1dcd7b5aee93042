/*
 * proc.c - see proc.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"

static ssize_t read_some(int fd, void *bytes, size_t size)
{
	unsigned interrupts = 0;
	ssize_t got;

	do
		got = read(fd, bytes, size);
	while (got < 0 && interrupted(&interrupts));
	return got < 0 ? error_from("read") : got;
}

ssize_t proc_read(pid_t pid, const char *name, void *bytes, size_t size)
{
	int fd = proc_open(pid, name);
	ssize_t got = 1;
	size_t have = 0;

	if (fd < 0)
		return fd;
	while (have < size && got > 0) {
		got = read_some(fd, (char *)bytes + have, size - have);
		have += got > 0 ? (size_t)got : 0;
	}
	descriptor_close(fd);
	return got < 0 ? got : (ssize_t)have;
}

int proc_lines(pid_t pid, const char *name, bool (*each)(void *arg, const char *line),
	       void *arg)
{
	char bytes[4096], line[PROC_LINE_MAX + 1];
	int fd = proc_open(pid, name);
	size_t length = 0;
	ssize_t got = 1;
	bool more = true;

	if (fd < 0)
		return fd;
	while (more && got > 0) {
		got = read_some(fd, bytes, sizeof(bytes));
		for (ssize_t i = 0; more && i < got; i++) {
			if (bytes[i] != '\n') {
				if (length < PROC_LINE_MAX)
					line[length++] = bytes[i];
				continue;
			}
			line[length] = 0;
			length = 0;
			more = each(arg, line);
		}
	}
	descriptor_close(fd);
	return got < 0 ? (int)got : 0;
}

ssize_t proc_text(pid_t pid, const char *name, char *text, size_t size)
{
	ssize_t got = proc_read(pid, name, text, size - 1);

	text[got > 0 ? got : 0] = 0;
	return got;
}

pid_t proc_tracer(pid_t pid)
{
	char text[4096], *line;
	ssize_t got = proc_text(pid, "status", text, sizeof(text));

	if (got < 0)
		return (pid_t)got;
	line = strstr(text, "\nTracerPid:");
	return line ? atoi(line + strlen("\nTracerPid:")) : 0;
}

int proc_stat(pid_t pid, unsigned long field[PROC_STAT_FIELDS])
{
	char text[2048], *word, *rest;
	ssize_t got = proc_text(pid, "stat", text, sizeof(text));

	memset(field, 0, PROC_STAT_FIELDS * sizeof(field[0]));
	if (got < 0)
		return (int)got;
	/* The second field is a name in brackets that may hold anything, brackets as well. */
	word = strrchr(text, ')');
	if (!word)
		return -EINVAL;
	word = strtok_r(word + 1, " ", &rest);
	for (int i = 3; word && i < PROC_STAT_FIELDS; i++, word = strtok_r(NULL, " ", &rest))
		field[i] = strtoul(word, NULL, 10);
	return 0;
}
