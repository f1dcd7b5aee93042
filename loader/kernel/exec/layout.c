/*
 * layout.c - see layout.h.
 */
#include <fcntl.h>
#include <sys/personality.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/exec/layout.h"

bool layout_is_random(int level)
{
	char digit = '2'; /* the kernel's default, if we are not told */
	int persona = personality(0xffffffff), fd;

	/* Random, where the question is denied. */
	if (persona >= 0 && persona & ADDR_NO_RANDOMIZE)
		return false;
	fd = open("/proc/sys/kernel/randomize_va_space", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, &digit, 1) != 1)
			digit = '2';
		descriptor_close(fd);
	}
	return digit - '0' >= level;
}
