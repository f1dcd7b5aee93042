/*
 * descriptor.h - keeps our descriptors away from 0, 1 and 2, and others' away from us.
 *
 * A program may be started with standard error closed. The next file that we open would get
 * its number, and a message for the user would be written into a data page.
 */
#ifndef KERNEL_BASE_DESCRIPTOR_H
#define KERNEL_BASE_DESCRIPTOR_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Closes a memfd, a pipe, a pidfd, or a file of /proc, and keeps errno. The kernel's close(2)
 * of these never fails, nothing being written back. So where it fails a filter or the like was
 * before it, it is still open, and is closed again: a number is used again only once it is
 * free.
 */
void descriptor_close(int fd);

/*
 * Takes over a new descriptor, or a negative number, as the calls that make descriptors
 * return it. Returns the same or a higher one, close-on-exec; or -1 with errno.
 */
static inline int above_stdio(int fd)
{
	int high;

	if (fd < 0 || fd > 2)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	descriptor_close(fd);
	return high;
}

/*
 * Closes all descriptors but those in keep, in which negative numbers are left out. Safe in a
 * signal handler.
 */
void close_all_but(const int keep[], unsigned count);

#endif
