/*
 * descriptors.c - the files of a vDSO: sealed against every change, and nobody else's.
 *
 * protection.c tries what a program can do with the mappings. This is about the descriptors: a
 * program that inherits one, or has one for its standard output, could do more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image_copy.h"
#include "kernel/base/maps.h"
#include "kernel/base/memfd.h"
#include "kernel/map/place.h"
#include "kernel/map/vvar.h"

#define ALL_OF_DATA  (F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define ALL_OF_IMAGE (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static bool is_closed_by_exec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static void test_files(void)
{
	struct image image = image_builtin();
	struct vdso_files files;
	struct error error;
	struct vvar vvar;

	if (vvar_create(&vvar))
		bail_out("no data page");
	is(fcntl(vvar.fd, F_GET_SEALS) & ALL_OF_DATA, 0,
	   "data pages are not sealed before the timekeeper has mapped them");
	if (vvar_map_writable(&vvar) || vvar_seal(&vvar) ||
	    vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("no data page, or no image");
	ok(is_closed_by_exec(vvar.fd) && is_closed_by_exec(vvar.readers) &&
		   is_closed_by_exec(files.image),
	   "no program inherits data pages or image");
	is(fcntl(vvar.readers, F_GETFL) & O_ACCMODE, O_RDONLY,
	   "readers have the data pages for reading");
	is(fcntl(vvar.fd, F_GET_SEALS) & ALL_OF_DATA, ALL_OF_DATA,
	   "data pages: no new writer, no other size, no other seal");
	is(fcntl(files.image, F_GET_SEALS) & ALL_OF_IMAGE, ALL_OF_IMAGE,
	   "the image: no writer, no other size, no other seal");
	ok(ftruncate(vvar.fd, 0) < 0 && errno == EPERM && ftruncate(files.image, 0) < 0 &&
		   errno == EPERM,
	   "... so nobody makes them shorter under a reader");
	ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vvar.fd, 0) == MAP_FAILED,
	   "... or maps data pages for writing, not even with the timekeeper's descriptor");
	vvar.writable[0].data[CS_HRES_COARSE].mult = 4711;
	is(vvar.writable[0].data[CS_HRES_COARSE].mult, 4711, "which the timekeeper has done");

	vdso_files_close(&files);
	is(files.image, -1, "what was closed has no number any more");
	vvar_close_fd(&vvar);
	ok(vvar.fd == -1 && vvar.readers == -1, "... neither the data pages");
	vvar_drop_writable(&vvar);
	ok(!vvar.writable, "... nor their mapping");
	vvar_drop_writable(&vvar);
}

/* Standard input is closed: the next descriptor would be number 0. */
static void test_above_stdio(void)
{
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 3), fd;
	struct vvar vvar;

	close(0);
	fd = memfd_sealed("test", "abc", 3, MEMFD_DATA);
	cmp_ok(fd, >, 2, "a new file never is a program's standard input");
	ok(is_closed_by_exec(fd), "... and is closed by an exec");
	close(fd);
	ok(!vvar_create(&vvar) && vvar.fd > 2 && vvar.readers > 2,
	   "data pages never are a program's standard input");
	vvar_close_fd(&vvar);
	errno = 0;
	ok(fcntl(0, F_GETFD) < 0 && errno == EBADF, "... and number 0 is closed as before");
	dup2(saved, 0);
	close(saved);
}

static void test_contents(void)
{
	static const char bytes[10000] = {[0] = 'a', [9999] = 'z'};
	int fd = memfd_sealed("test", bytes, sizeof(bytes), MEMFD_CODE);
	char back[sizeof(bytes) + 1];

	is(pread(fd, back, sizeof(back), 0), (ssize_t)sizeof(bytes),
	   "a file is as long as what it was made of");
	ok(!memcmp(back, bytes, sizeof(bytes)), "... and has its bytes");
	ok(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED,
	   "code can be executed");
	close(fd);
}

/* Each mmap(2) of a placement fails once. */
#ifdef SYS_mmap2
#	define MMAP SYS_mmap2
#else
#	define MMAP SYS_mmap
#endif
static unsigned asked, failing;

static long call(struct process *process, long nr, const long arg[6])
{
	(void)process;
	if (nr == MMAP && ++asked == failing)
		return -ENOMEM;
	return process_self.call(&process_self, nr, arg);
}

/* Does the kernel leave the mapping that begins there out of core dumps (VmFlags: dd)? */
static bool is_left_out_of_dumps(uintptr_t start)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool there = false, left_out = false;
	unsigned long begin, end;
	char line[512];

	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			there = begin == start;
		else if (there && !strncmp(line, "VmFlags:", 8))
			left_out = strstr(line, " dd");
	}
	if (smaps)
		fclose(smaps);
	return left_out;
}

static void test_failing(void)
{
	static struct maps before, after;
	struct process process = {.call = call};
	struct image image = image_builtin();
	struct placement placement = {0};
	struct vdso_files files;
	struct error error;
	struct vvar vvar;
	int placed = -1, left = 0, started = 0;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar) ||
	    vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("no data page, or no image");
	for (failing = 1; placed && failing < 20; failing++) {
		/* Twice: what a C library maps for itself is there after the first time. */
		for (int turn = 0; placed && turn < 2; turn++) {
			asked = 0;
			if (maps_read(&before, 0))
				bail_out("cannot read /proc/self/maps");
			placed = vdso_files_place(&process, &files, &placement, &error);
			if (maps_read(&after, 0))
				bail_out("cannot read /proc/self/maps");
			left += turn && placed && before.count != after.count;
			started += placed && placement.length;
		}
	}
	cmp_ok(failing, >, 4, "each mmap(2) of a vDSO has failed once");
	is(left, 0, "... and nothing was left in memory");
	is(started, 0, "... or said to be there");
	is(placed, 0, "where none fails there is a vDSO");
	ok(is_left_out_of_dumps(placement.start), "... whose data pages are in no core dump");
	vdso_unplace(&process, &placement);
	ok(!placement.length && !placement.start,
	   "... until it is unmapped: then it is nowhere");
	vdso_files_close(&files);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
}

int main(void)
{
	test_files();
	test_above_stdio();
	test_contents();
	test_failing();
	return done_testing();
}
