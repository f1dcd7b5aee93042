/*
 * maps.c - see maps.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/maps.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"

/* "start-end perms offset dev inode   name" */
static int parse_line(const char *line, struct map_range *range)
{
	const char *at = line;
	char *end;

	range->start = strtoul(at, &end, 16);
	if (*end != '-')
		return -EINVAL;
	range->end = strtoul(end + 1, &end, 16);
	at = end + strspn(end, " ");
	memset(range->rights, 0, sizeof(range->rights));
	strncpy(range->rights, at, sizeof(range->rights) - 1);
	for (int column = 0; column < 4; column++) {
		at += strspn(at, " ");
		at += strcspn(at, " ");
	}
	at += strspn(at, " ");
	strncpy(range->name, at, sizeof(range->name) - 1);
	range->name[sizeof(range->name) - 1] = 0;
	return 0;
}

int maps_walk(pid_t pid, bool (*visit)(void *arg, const struct map_range *range), void *arg)
{
	int fd = proc_open(pid, "maps"), err = 0;
	char buffer[8192];
	struct map_range range;
	bool go_on = true, cut = false;
	unsigned interrupts = 0;
	size_t have = 0;

	if (fd < 0)
		return fd;
	while (!err && go_on) {
		ssize_t got = read(fd, buffer + have, sizeof(buffer) - 1 - have);
		char *line = buffer, *end;

		if (got < 0 && interrupted(&interrupts))
			continue;
		if (got < 0)
			err = error_from("read");
		if (got <= 0)
			break;
		have += (size_t)got;
		buffer[have] = 0;
		while (!err && go_on && (end = strchr(line, '\n'))) {
			*end = 0;
			if (!cut)
				err = parse_line(line, &range);
			if (!err && !cut)
				go_on = visit(arg, &range);
			cut = false;
			line = end + 1;
		}
		have -= (size_t)(line - buffer);
		memmove(buffer, line, have);
		/* A long path, in which a newline is shown as four characters. */
		if (have == sizeof(buffer) - 1) {
			if (!cut)
				err = parse_line(buffer, &range);
			if (!err && !cut)
				go_on = visit(arg, &range);
			cut = true;
			have = 0;
		}
	}
	descriptor_close(fd);
	return err;
}

static bool keep(void *arg, const struct map_range *range)
{
	struct maps *maps = arg;

	if (maps->count < MAPS_MAX)
		maps->range[maps->count] = *range;
	return maps->count++ < MAPS_MAX;
}

int maps_read(struct maps *maps, pid_t pid)
{
	int err;

	maps->count = 0;
	err = maps_walk(pid, keep, maps);
	if (!err && maps->count > MAPS_MAX)
		err = -E2BIG;
	if (err)
		maps->count = 0;
	return err;
}

bool maps_is_kernel_vdso(const struct map_range *range)
{
	return !strcmp(range->name, "[vdso]") || !strncmp(range->name, "[vvar", 5);
}

static bool is_not_image(void *arg, const struct map_range *range)
{
	if (strncmp(range->name, "/memfd:vdso ", 12))
		return true;
	*(uintptr_t *)arg = range->start;
	return false;
}

int maps_image(pid_t pid, uintptr_t *image)
{
	*image = 0;
	return maps_walk(pid, is_not_image, image);
}
