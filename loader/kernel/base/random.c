/*
 * random.c - see random.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/random.h"
#include "kernel/base/wait.h"

int random_bytes(void *bytes, size_t size)
{
	unsigned interrupts = 0;
	ssize_t got;
	int err, fd;

	do
		got = getrandom(bytes, size, 0);
	while (got < 0 && interrupted(&interrupts));
	if (got == (ssize_t)size)
		return 0;
	err = got < 0 ? -errno : -EIO;
	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, bytes, size);
	if (fd >= 0)
		descriptor_close(fd);
	return got == (ssize_t)size ? 0 : error_by("getrandom", err);
}
