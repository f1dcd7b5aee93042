/*
 * proc.c - see proc.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"

ssize_t proc_read(pid_t pid, const char *name, void *bytes, size_t size)
{
	int fd = proc_open(pid, name), err = 0;
	unsigned interrupts = 0;
	size_t have = 0;

	if (fd < 0)
		return fd;
	/* Each turn reads something, or is the last one, or was interrupted. */
	while (have < size) {
		ssize_t got = read(fd, (char *)bytes + have, size - have);

		if (got < 0 && interrupted(&interrupts))
			continue;
		if (got < 0)
			err = error_from("read");
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	descriptor_close(fd);
	return err ? err : (ssize_t)have;
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
