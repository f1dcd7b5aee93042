/*
 * dump.c - uvdso dump: the kernel's own vDSO of this process, written out as a file.
 *
 * There is no such file anywhere: the kernel carries the image inside itself and maps it.
 * But what it maps is the whole linked file, so the bytes in memory are a file again, and
 * readelf, objdump and `uvdso check` can look at it.
 *
 * How long that file was, memory does not say: a mapping ends with a page, and the rest of
 * the last one is zeros. The ELF headers know. The last thing in the file is a section or
 * the table of section headers, which kernels keep for debuggers, outside of PT_LOAD. So
 * the length is that of whatever reaches furthest, but never more than /proc/self/maps
 * shows to be there.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Bytes that are mapped from an address on, in the one mapping that holds it; 0 = none. */
static size_t mapped_from(const void *address)
{
	uintptr_t at = (uintptr_t)address, from, to;
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t mapped = 0;
	char line[512];
	bool whole = true; /* line[] begins where a line begins */

	if (!maps)
		return 0;
	while (!mapped && fgets(line, sizeof(line), maps)) {
		if (whole && sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 &&
		    from <= at && at < to)
			mapped = to - at;
		whole = strchr(line, '\n') != NULL;
	}
	fclose(maps);
	return mapped;
}

static void reach(size_t *end, size_t mapped, uint64_t offset, uint64_t size)
{
	if (offset > mapped || size > mapped - offset)
		*end = mapped;
	else if (offset + size > *end)
		*end = offset + size;
}

/*
 * The length of the file that lies at image. Of an image whose headers make no sense all
 * that is mapped is taken: this command shows what is there, it does not judge it.
 */
static size_t image_length(const unsigned char *image, size_t mapped)
{
	const ElfW(Ehdr) *ehdr = (const void *)image;
	const ElfW(Phdr) * phdr;
	const ElfW(Shdr) * shdr;
	size_t end = sizeof(*ehdr);

	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) || ehdr->e_phentsize != sizeof(*phdr) ||
	    ehdr->e_phoff > mapped || ehdr->e_phoff % _Alignof(ElfW(Phdr)) ||
	    ehdr->e_phnum > (mapped - ehdr->e_phoff) / sizeof(*phdr))
		return mapped;
	phdr = (const void *)(image + ehdr->e_phoff);
	for (unsigned int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD)
			reach(&end, mapped, phdr[i].p_offset, phdr[i].p_filesz);

	if (!ehdr->e_shoff)
		return end;
	if (ehdr->e_shentsize != sizeof(*shdr) || ehdr->e_shoff > mapped ||
	    ehdr->e_shoff % _Alignof(ElfW(Shdr)) ||
	    ehdr->e_shnum > (mapped - ehdr->e_shoff) / sizeof(*shdr))
		return mapped;
	shdr = (const void *)(image + ehdr->e_shoff);
	reach(&end, mapped, ehdr->e_shoff, ehdr->e_shnum * sizeof(*shdr));
	for (unsigned int i = 0; i < ehdr->e_shnum; i++)
		if (shdr[i].sh_type != SHT_NOBITS && shdr[i].sh_type != SHT_NULL)
			reach(&end, mapped, shdr[i].sh_offset, shdr[i].sh_size);
	return end;
}

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
	const unsigned char *image = (const void *)getauxval(AT_SYSINFO_EHDR);
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
	if (!image) {
		complain("the kernel's vDSO",
			 "there is none: the auxiliary vector has no AT_SYSINFO_EHDR");
		return STATUS_BROKEN;
	}
	size = mapped_from(image);
	if (size < sizeof(ElfW(Ehdr))) {
		complain("the kernel's vDSO", "/proc/self/maps shows no mapping at %p",
			 (void *)image);
		return STATUS_BROKEN;
	}
	size = image_length(image, size);
	return path ? write_file(path, image, size) : write_stdout(image, size);
}
