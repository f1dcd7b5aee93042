/*
 * dump.c - uvdso dump: the kernel's own vDSO of this process, written out as a file.
 *
 * There is no such file anywhere: the kernel carries the image inside itself and maps it.
 * But what it maps is the whole linked file, so the bytes in memory are a file again, and
 * readelf, objdump and `uvdso check` can look at it.
 *
 * How long that file was is found out in kernel_image.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* All of it, or -errno: write(2) may take less than it is given. */
static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
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
			 "is a terminal, and an image is not text; use -o FILE "
			 "or redirect it");
		return STATUS_USAGE;
	}
	error = write_all(STDOUT_FILENO, bytes, size);
	if (!error)
		return STATUS_OK;
	complain("standard output", "cannot write: %s", strerror(-error));
	return STATUS_USAGE;
}

static void help(void)
{
	fputs("uvdso dump [-o FILE]\n\n"
	      "Writes the kernel's own vDSO image, as it stands in this process, to FILE or "
	      "to\n"
	      "standard output. Look at it with `readelf -Wa FILE`, `uvdso symbols FILE` or\n"
	      "`uvdso check FILE`.\n\n"
	      "Status: 0 written, 1 this process has no vDSO, 2 it cannot be written.\n",
	      stdout);
}

int cmd_dump(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const unsigned char *image;
	const char *path = NULL;
	size_t size;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":ho:", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			path = optarg;
			break;
		case 'h':
			help();
			return STATUS_OK;
		case ':':
			complain("-o", "needs the name of a file");
			return STATUS_USAGE;
		default:
			complain(argv[optind - 1], "no such option; try `uvdso dump --help`");
			return STATUS_USAGE;
		}
	}
	if (optind < argc) {
		complain(argv[optind],
			 "not expected here; the file to write to comes after -o");
		return STATUS_USAGE;
	}
	image = kernel_image(&size);
	if (!image)
		return STATUS_BROKEN;
	return path ? write_file(path, image, size) : write_stdout(image, size);
}
