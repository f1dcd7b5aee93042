/*
 * proc.h - opens the files in which the kernel describes a process (proc(5)).
 */
#ifndef KERNEL_BASE_PROC_H
#define KERNEL_BASE_PROC_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "kernel/base/error.h"

/* Opens /proc/PID/name to read; pid 0 is this process. Returns a descriptor or -errno. */
static inline int proc_open(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_from("open") : fd;
}

/*
 * Reads /proc/PID/name to its end, or size bytes of it: a read may be short. proc_text() ends
 * it with a null byte, also where it fails. Return how many bytes there were, or -errno.
 */
ssize_t proc_read(pid_t pid, const char *name, void *bytes, size_t size);
ssize_t proc_text(pid_t pid, const char *name, char *text, size_t size);

/*
 * Calls each() for the lines of /proc/PID/name, which may have any size, until it returns
 * false; what is longer than PROC_LINE_MAX is cut. Returns 0 or -errno.
 */
#define PROC_LINE_MAX 128
int proc_lines(pid_t pid, const char *name, bool (*each)(void *arg, const char *line),
	       void *arg);

/* The fields of /proc/PID/stat that are numbers, by their number in proc_pid_stat(5). */
#define PROC_STAT_FIELDS 53

/* The tracer of a process, 0 for the calling one; 0 if it has none, or -errno. */
pid_t proc_tracer(pid_t pid);

/* Returns 0 or -errno. What is missing in the file is 0. pid 0 is this process. */
int proc_stat(pid_t pid, unsigned long field[PROC_STAT_FIELDS]);

#endif
