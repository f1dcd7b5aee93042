/*
 * kernel_timens.c - see kernel_timens.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/memfd.h"
#include "kernel/base/newer.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/map/vvar.h"

#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x80
#endif

/*
 * The number of a namespace, which is that of an inode: from the text of the link,
 * "time:[4026531834]", or from the file that it leads to. 0 before Linux 5.6, which has no time
 * namespaces.
 */
static int namespace_number(pid_t pid, const char *which, unsigned long long *number)
{
	char path[64], name[64];
	unsigned interrupts = 0;
	struct stat st;
	ssize_t got;
	int err;

	*number = 0;
	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, which);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	do
		got = readlink(path, name, sizeof(name) - 1);
	while (got < 0 && interrupted(&interrupts));
	name[got > 0 ? got : 0] = 0;
	if (sscanf(name, "%*[^[][%llu]", number) == 1)
		return 0;
	err = got < 0 ? error_from("readlink") : -EPROTO;
	if (err == -ENOENT)
		return 0;
	if (stat(path, &st))
		return err;
	*number = st.st_ino;
	return 0;
}

/* Are these two the same? 1, 0 or -errno; -EACCES where the one may not look at the other. */
static int is_same(pid_t a, const char *of_a, pid_t b, const char *of_b)
{
	unsigned long long first, second;
	int err = namespace_number(a, of_a, &first);

	if (!err)
		err = namespace_number(b, of_b, &second);
	return err ? err : first == second;
}

/* The one of this process, which all others are held against; 0: not asked yet. */
static unsigned long long ours;

/* Is another process in the same one? Returns what is_same() does. */
static int is_ours(pid_t pid)
{
	unsigned long long theirs;
	int err = ours ? 0 : namespace_number(0, "time", &ours);

	if (!err)
		err = namespace_number(pid, "time", &theirs);
	return err ? err : ours == theirs;
}

/* "monotonic -86400 0": seconds and nanoseconds; the first releases had the number instead. */
static int read_offsets(pid_t pid, struct timens_offset offset[TIMENS_CLOCKS])
{
	char text[256], *line, *rest = text;
	ssize_t got = proc_text(pid, "timens_offsets", text, sizeof(text));

	if (got < 0)
		return (int)got;
	memset(offset, 0, TIMENS_CLOCKS * sizeof(*offset));
	while ((line = strsep(&rest, "\n")) && *line) {
		long long sec, nsec;
		char clock[16];

		if (sscanf(line, "%15s %lld %lld", clock, &sec, &nsec) != 3)
			return -EPROTO;
		if (!strcmp(clock, "monotonic") || !strcmp(clock, "1"))
			offset[TIMENS_MONOTONIC] = (struct timens_offset){sec, (u64)nsec};
		else if (!strcmp(clock, "boottime") || !strcmp(clock, "7"))
			offset[TIMENS_BOOTTIME] = (struct timens_offset){sec, (u64)nsec};
		else
			return -EPROTO;
	}
	return 0;
}

/* Those of the namespace that a process is in. */
static int offsets_of(pid_t pid, struct timens_offset offset[TIMENS_CLOCKS])
{
	int same = is_same(pid, "time", pid, "time_for_children");

	if (same < 0 && same != -EACCES)
		return same;
	return same ? read_offsets(pid, offset) : -EXDEV;
}

int kernel_timens_ahead(pid_t pid, struct timens_offset ahead[TIMENS_CLOCKS], bool *other)
{
	struct timens_offset here[TIMENS_CLOCKS] = {{0}};
	int err, same = is_ours(pid);

	/* A process that we may not look at has offsets all the same, perhaps ours. */
	*other = same <= 0;
	if (same > 0 || (same < 0 && same != -EACCES))
		return same < 0 ? same : 0;
	err = offsets_of(pid, ahead);
	if (!err)
		err = offsets_of(0, here);
	for (int i = 0; !err && i < TIMENS_CLOCKS; i++) {
		s64 nsec = (s64)ahead[i].nsec - (s64)here[i].nsec;

		ahead[i].sec -= here[i].sec + (nsec < 0);
		ahead[i].nsec = (u64)(nsec < 0 ? nsec + NSEC_PER_SEC : nsec);
	}
	return err;
}

int kernel_timens_is_left(void)
{
	int same = is_same(0, "time", 0, "time_for_children");

	return same < 0 ? same : !same;
}

int kernel_timens_join(pid_t owner)
{
	int fd = (int)syscall(SYS_pidfd_open, owner, 0);
	int err = fd < 0 ? error_from("pidfd_open") : 0;

	if (!err && setns(fd, CLONE_NEWTIME))
		err = error_from("setns");
	ours = 0;
	if (fd >= 0)
		descriptor_close(fd);
	return err;
}

void kernel_timens_fill(union vdso_data_store *page, const struct foreign_layout *foreign,
			const struct timens *timens,
			const struct timens_offset ahead[TIMENS_CLOCKS])
{
	struct timens_offset offset[VDSO_BASES], asked_for[VDSO_BASES];

	timens_offsets(timens, ahead, offset);
	if (foreign) {
		mirror_fill_offsets(foreign, (void *)page, offset);
		return;
	}
	timens_kernels(timens, asked_for);
	vvar_fill_offsets(page, offset, asked_for, timens->own ? VDSO_WALL_DISTANCE : 0);
}

int kernel_timens_page(const union vdso_data_store *page)
{
	return memfd_sealed("vvar", page, sizeof(*page), MEMFD_DATA);
}
