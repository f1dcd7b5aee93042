/*
 * protection.c - nobody but the timekeeper can write to the data page.
 *
 * Each way in is tried from a process of its own, since some of them end with SIGSEGV.
 * The control at the end tries the same ways on a data page that was not sealed, where they
 * succeed: without it a test of "impossible" could be a test of a mistake.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/map/place.h"
#include "tap.h"

static struct vvar vvar;
static struct placement page;

/* What a way in came to: 0 = it worked, an errno, or 1000 + the signal that ended it. */
static int try(int (*way)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		/* A sanitizer has a handler there. */
		signal(SIGSEGV, SIG_DFL);
		_exit(way());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		bail_out("cannot fork");
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int write_data(void)
{
	*(volatile char *)page.start = 1;
	return 0;
}

static int write_behind(void)
{
	*(volatile char *)(page.start + VDSO_TIMENS_PAGE * VDSO_STRIDE) = 1;
	return 0;
}

static int write_rng(void)
{
	*(volatile char *)(page.start + VDSO_RNG_PAGE * VDSO_STRIDE) = 1;
	return 0;
}

static int write_image(void)
{
	*(volatile char *)page.ehdr = 1;
	return 0;
}

static int mprotect_data(void)
{
	if (mprotect((void *)page.start, VDSO_STRIDE, PROT_READ | PROT_WRITE))
		return errno;
	*(volatile char *)page.start = 1;
	return 0;
}

static int map_writable(int fd)
{
	if (fd < 0)
		return errno;
	return mmap(NULL, VDSO_STRIDE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED
		       ? errno
		       : 0;
}

static int map_again(void)
{
	return map_writable(vvar.fd);
}

static int reopen(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vvar.fd);
	return map_writable(open(path, O_RDWR));
}

static int reopen_mapping(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)page.start,
		 (unsigned long)page.start + VDSO_STRIDE);
	return map_writable(open(path, O_RDWR));
}

static int write_file(void)
{
	return pwrite(vvar.fd, "x", 1, 0) == 1 ? 0 : errno;
}

static int shrink(void)
{
	return ftruncate(vvar.fd, 0) ? errno : 0;
}

static int mremap_grow(void)
{
	void *moved = mremap(
		(void *)page.start, VDSO_STRIDE, VDSO_STRIDE, MREMAP_MAYMOVE | MREMAP_FIXED,
		mmap(NULL, VDSO_STRIDE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	if (moved == MAP_FAILED)
		return errno;
	return mprotect(moved, VDSO_STRIDE, PROT_READ | PROT_WRITE) ? errno : 0;
}

static void refused(int (*way)(void), int want, const char *what)
{
	int got = try(way);

	if (is(got, want, "%s", what))
		return;
	diag("a number is an errno, 1000 and a number a signal, 0 that it worked");
	because("readers would be lied to");
}

int main(void)
{
	struct image image = image_builtin();
	struct error error;
	int got;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar))
		bail_out("no data page");
	if (vdso_place(&image, &vvar, false, false, &page, &error))
		bail_out("%s", error.why);

	refused(write_data, 1000 + SIGSEGV, "a store to the data page is a SIGSEGV");
	refused(write_behind, 1000 + SIGSEGV, "a store to the empty page behind it, too");
	refused(write_rng, 1000 + SIGSEGV, "a store to the random number generator's, too");
	refused(write_image, 1000 + SIGSEGV, "a store to the image, too");
	refused(mprotect_data, EACCES, "mprotect() cannot make the data page writable");
	refused(map_again, EPERM, "its descriptor gives no second writable mapping");
	refused(reopen, EPERM, "nor does the file opened again through /proc/self/fd");
	got = try(reopen_mapping);
	if (got == EACCES)
		skip(1, "opening /proc/self/map_files needs a privilege");
	else
		is(got, EPERM, "nor through /proc/self/map_files");
	refused(write_file, EPERM, "write() to the file is refused");
	refused(shrink, EPERM, "it cannot be cut short under its readers");
	refused(mremap_grow, EACCES, "moving the mapping does not help");

	vvar.writable[0].data[0].mult = 4711;
	is(((struct vdso_data *)page.start)->mult, 4711,
	   "and all the while the timekeeper's own mapping writes, and readers see it");
	vdso_unplace(&process_self, &page);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);

	if (vvar_create(&vvar) || vvar_map_writable(&vvar) ||
	    vdso_place(&image, &vvar, false, false, &page, &error))
		bail_out("no unsealed data page");
	ok(try(map_again) == 0 && try(reopen) == 0 && try(write_file) == 0,
	   "control: on a data page without seals the same ways work");
	vdso_unplace(&process_self, &page);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
