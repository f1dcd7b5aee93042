/*
 * descriptor.c - see descriptor.h.
 *
 * close_range(2) came with Linux 5.9, and filters of containers made before do not know it.
 * Then /proc/self/fd says which descriptors there are. It is read without the C library's
 * opendir(3), which allocates memory. Without /proc all numbers are tried that can be in use.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/newer.h"

/* Without /proc: more descriptors than that take too long to close one by one. */
#define TRY_MAX 65536

/* How often close(2) is tried. */
#define CLOSES_MAX 3

/* How often the list is read until nothing is left: one that cannot be closed stays. */
#define READS_MAX 8

static bool is_kept(int fd, const int keep[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* The lowest kept descriptor that is not below fd, or INT_MAX. */
static int next_kept(int fd, const int keep[], unsigned count)
{
	int next = INT_MAX;

	for (unsigned i = 0; i < count; i++)
		if (keep[i] >= fd && keep[i] < next)
			next = keep[i];
	return next;
}

static bool close_ranges(const int keep[], unsigned count)
{
	unsigned first = 0;

	for (;;) {
		int kept = next_kept((int)first, keep, count);
		unsigned last = kept == INT_MAX ? UINT_MAX : (unsigned)kept - 1;

		if (kept != (int)first && syscall(SYS_close_range, first, last, 0))
			return false;
		if (kept == INT_MAX)
			return true;
		first = (unsigned)kept + 1;
	}
}

void descriptor_close(int fd)
{
	int err = errno;

	for (int turn = 0; turn < CLOSES_MAX; turn++)
		if (!close(fd))
			goto out;
	syscall(SYS_close_range, fd, fd, 0);
out:
	errno = err;
}

static int number_of(const char *name)
{
	int number = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		number = number * 10 + (*name - '0');
	return *name ? -1 : number;
}

static bool close_listed(const int keep[], unsigned count)
{
	_Alignas(struct dirent64) char entries[1024];
	int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool any = true;
	long got = -1;

	/* Closing while reading can hide entries from us, so until there is nothing left. */
	for (int turn = 0; directory >= 0 && any && turn < READS_MAX; turn++) {
		any = false;
		lseek(directory, 0, SEEK_SET);
		while ((got = syscall(SYS_getdents64, directory, entries, sizeof(entries))) > 0)
			for (long at = 0; at < got;) {
				struct dirent64 *entry = (void *)(entries + at);
				int fd = number_of(entry->d_name);

				/* The call returned, but wrote nothing. */
				if (!entry->d_reclen)
					break;
				at += entry->d_reclen;
				if (fd >= 0 && fd != directory && !is_kept(fd, keep, count)) {
					any = true;
					descriptor_close(fd);
				}
			}
	}
	if (directory >= 0)
		descriptor_close(directory);
	return got == 0 && !any;
}

void close_all_but(const int keep[], unsigned count)
{
	struct rlimit limit = {TRY_MAX, TRY_MAX};

	if (close_ranges(keep, count) || close_listed(keep, count))
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = 0; fd < TRY_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
		if (!is_kept(fd, keep, count) && close(fd) && errno != EBADF)
			descriptor_close(fd);
}
