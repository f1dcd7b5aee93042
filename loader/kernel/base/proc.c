/*
 * proc.c - see proc.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/proc.h"

int proc_stat(pid_t pid, unsigned long field[PROC_STAT_FIELDS])
{
	char text[2048], *word, *rest;
	int fd = proc_open(pid, "stat");
	ssize_t got;

	memset(field, 0, PROC_STAT_FIELDS * sizeof(field[0]));
	if (fd < 0)
		return fd;
	got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		got = error_from("read");
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = 0;
	/* The second field is a name in brackets that may hold anything, brackets as well. */
	word = strrchr(text, ')');
	if (!word)
		return -EINVAL;
	word = strtok_r(word + 1, " ", &rest);
	for (int i = 3; word && i < PROC_STAT_FIELDS; i++, word = strtok_r(NULL, " ", &rest))
		field[i] = strtoul(word, NULL, 10);
	return 0;
}
