/*
 * clocksource.c - see clocksource.h.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel/time/clocksource.h"

bool clocksource_is(const char *name)
{
	char current[32] = "";
	int fd = open(CLOCKSOURCE_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, current, sizeof(current) - 1);
	close(fd);
	if (got <= 0)
		return false;
	current[strcspn(current, "\n")] = 0;
	return !strcmp(current, name);
}
