/*
 * kernel_timens.c - see kernel_timens.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/memfd.h"
#include "kernel/base/newer.h"
#include "kernel/base/proc.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/map/vvar.h"

#define NAME_MAX_NS 64

#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x80
#endif

/* "time:[4026531834]"; empty before Linux 5.6, which has no time namespaces. */
static void namespace_name(pid_t pid, const char *which, char name[NAME_MAX_NS])
{
	char path[64];
	ssize_t got;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, which);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	got = readlink(path, name, NAME_MAX_NS - 1);
	name[got > 0 ? got : 0] = 0;
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
	char own[NAME_MAX_NS], children[NAME_MAX_NS];

	namespace_name(pid, "time", own);
	namespace_name(pid, "time_for_children", children);
	return strcmp(own, children) ? -EXDEV : read_offsets(pid, offset);
}

int kernel_timens_ahead(pid_t pid, struct timens_offset ahead[TIMENS_CLOCKS], bool *other)
{
	char ours[NAME_MAX_NS], theirs[NAME_MAX_NS];
	struct timens_offset here[TIMENS_CLOCKS] = {{0}};
	int err;

	namespace_name(0, "time", ours);
	namespace_name(pid, "time", theirs);
	*other = strcmp(ours, theirs) != 0;
	if (!*other)
		return 0;
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

bool kernel_timens_is_left(void)
{
	char own[NAME_MAX_NS], children[NAME_MAX_NS];

	namespace_name(0, "time", own);
	namespace_name(0, "time_for_children", children);
	return strcmp(own, children) != 0;
}

int kernel_timens_join(pid_t owner)
{
	int fd = (int)syscall(SYS_pidfd_open, owner, 0);
	int err = fd < 0 ? error_from("pidfd_open") : 0;

	if (!err && setns(fd, CLONE_NEWTIME))
		err = error_from("setns");
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
