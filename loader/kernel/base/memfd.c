/*
 * memfd.c - see memfd.h.
 */
#include <errno.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/memfd.h"

/* Linux 6.3; older headers and kernels do not know them. */
#ifndef MFD_NOEXEC_SEAL
#	define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#	define MFD_EXEC 0x0010U
#endif

int memfd_sealable(const char *name, size_t size, enum memfd_kind kind)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	unsigned int exec = kind == MEMFD_CODE ? MFD_EXEC : MFD_NOEXEC_SEAL;
	int fd = above_stdio(memfd_create(name, flags | exec));

	if (fd < 0 && errno == EINVAL)
		fd = above_stdio(memfd_create(name, flags));
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}
