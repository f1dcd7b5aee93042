/*
 * dump.c - uvdso dump: the kernel's own vDSO of this process, written out as a file.
 *
 * There is no such file anywhere: the kernel carries the image inside itself and maps it.
 * But what it maps is the whole linked file, so the bytes in memory are a file again, and
 * readelf, objdump and `uvdso check` can look at it.
 *
 * How long that file was kernel_image.c finds out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "kernel/base/wait.h"

/* All of it, or -errno: write(2) may take less than it is given. */
static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	unsigned interrupts = 0;

	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && interrupted(&interrupts))
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		bytes += done;
		size -= (size_t)done;
	}
	return 0;
}

static int write_file(const char *path, const unsigned char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat st;
	bool regular;
	int error;

	if (fd < 0) {
		complain(path, "cannot open for writing: %s", strerror(errno));
		return STATUS_USAGE;
	}
	regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	error = write_all(fd, bytes, size);
	/* Some file systems find out only now that there is no room. */
	if (close(fd) < 0 && !error)
		error = -errno;
	/* Half an image is worse than none. But /dev/full was there before us, and stays. */
	if (error && regular)
		unlink(path);
	if (!error)
		return STATUS_OK;
	complain(path, "cannot write: %s", strerror(-error));
	return STATUS_USAGE;
}

static int write_stdout(const unsigned char *bytes, size_t size)
{
	int error;

	if (isatty(STDOUT_FILENO)) {
		complain("standard output",
			 "a terminal cannot show an image; redirect it or use -o FILE");
		return STATUS_USAGE;
	}
	error = write_all(STDOUT_FILENO, bytes, size);
	if (!error)
		return STATUS_OK;
	complain("standard output", "cannot write: %s", strerror(-error));
	return STATUS_USAGE;
}

static const char *output;

static const struct option_row options[] = {
	{'o', "output", "FILE", set_text, &output, "write to FILE instead of standard output"},
	{0},
};

static int dump(int argc, char **argv);

const struct command command_dump = {
	.name = "dump",
	.summary = "write out the kernel's own vDSO image",
	.operands = "",
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Writes the image of the kernel's own vDSO, as it lies in this process, to\n"
		 "standard output or to a file, which readelf(1), `uvdso symbols` and\n"
		 "`uvdso check` can read.\n",
	.ends = "  0    written\n"
		"  1    this process has no vDSO of the kernel\n"
		"  2    wrong usage, or the image cannot be written\n",
	.run = dump,
};

static int dump(int argc, char **argv)
{
	const unsigned char *image;
	size_t size;

	(void)argc, (void)argv;
	image = kernel_image(&size);
	if (!image)
		return getauxval(AT_SYSINFO_EHDR) ? STATUS_USAGE : STATUS_BROKEN;
	return output ? write_file(output, image, size) : write_stdout(image, size);
}
