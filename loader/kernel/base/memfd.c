/*
 * memfd.c - see memfd.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/memfd.h"
#include "kernel/base/wait.h"

/* Linux 6.3; older headers and kernels do not know them. */
#ifndef MFD_NOEXEC_SEAL
#	define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#	define MFD_EXEC 0x0010U
#endif

static int create(const char *name, enum memfd_kind kind)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	unsigned int exec = kind == MEMFD_CODE ? MFD_EXEC : MFD_NOEXEC_SEAL;
	int fd = above_stdio(memfd_create(name, flags | exec));

	/* vm.memfd_noexec is 2: no such file can be executed, but mapped as code all the same.
	 */
	if (fd < 0 && errno == EACCES)
		fd = above_stdio(memfd_create(name, flags | MFD_NOEXEC_SEAL));
	if (fd < 0 && errno == EINVAL)
		fd = above_stdio(memfd_create(name, flags));
	return fd < 0 ? error_from("memfd_create") : fd;
}

static int set_size(int fd, size_t size, const void *bytes)
{
	unsigned interrupts = 0;

	if (ftruncate(fd, (off_t)size))
		return error_from("ftruncate");
	for (size_t done = 0; bytes && done < size;) {
		ssize_t put = pwrite(fd, (const char *)bytes + done, size - done, (off_t)done);

		if (put < 0 && !interrupted(&interrupts))
			return error_from("pwrite");
		if (put == 0) /* memory files have no reason for that */
			return error_by("pwrite", -EIO);
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

/* Over the limit there is an error and a signal; the error is enough. */
static int set_size_over_limit(int fd, size_t size, const void *bytes, struct rlimit limit)
{
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit raised = {limit.rlim_max, limit.rlim_max};
	static const struct timespec now;
	sigset_t xfsz, mask, before;
	int err;

	sigemptyset(&xfsz);
	sigaddset(&xfsz, SIGXFSZ);
	sigemptyset(&before);
	pthread_sigmask(SIG_BLOCK, &xfsz, &mask);
	sigpending(&before);
	if (setrlimit(RLIMIT_FSIZE, &none))
		setrlimit(RLIMIT_FSIZE, &raised);
	err = set_size(fd, size, bytes);
	setrlimit(RLIMIT_FSIZE, &limit);
	if (err == -EFBIG && !sigismember(&before, SIGXFSZ))
		sigtimedwait(&xfsz, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return err;
}

static int make(const char *name, const void *bytes, size_t size, enum memfd_kind kind)
{
	int fd = create(name, kind), err;
	struct rlimit limit;

	if (fd < 0)
		return fd;
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur >= size)
		err = set_size(fd, size, bytes);
	else
		err = set_size_over_limit(fd, size, bytes, limit);
	if (err)
		descriptor_close(fd);
	return err ? err : fd;
}

int memfd_sealable(const char *name, size_t size, enum memfd_kind kind)
{
	return make(name, NULL, size, kind);
}

int memfd_sealed(const char *name, const void *bytes, size_t size, enum memfd_kind kind)
{
	int fd = make(name, bytes, size, kind), err;

	if (fd < 0 || fcntl(fd, F_ADD_SEALS,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) >= 0)
		return fd;
	err = error_from("fcntl");
	descriptor_close(fd);
	return err;
}
