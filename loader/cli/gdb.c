/*
 * gdb.c - uvdso gdb: attaches gdb to a program on our page, with the page's symbols and source.
 *
 * A page lies in memory alone, and what lies there is stripped. gdb finds it by itself: it
 * asks the vector for AT_SYSINFO_EHDR and reads the ELF image from there, so that it knows
 * the base and the exported names. For the rest, static functions, lines and variables, it
 * looks for a file by the image's build id. The kernel's debug packages install theirs in
 * /usr/lib/debug/.build-id; ours lies beside the command, in build/debug, or where `make
 * install` has put it. All that is to be done is to name that folder.
 *
 * gdb says nothing if there is no such file. So that is looked at before.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "kernel/image/elf_bytes.h"
#include "libc/auxv.h"

/* More than any page is long, and than any vector has words. */
#define IMAGE_BYTES    65536
#define VECTOR_ENTRIES 128

#define BUILD_ID_BYTES 20 /* SHA-1, as the page's; longer ones are no page of ours */

/* Reads what there is of /proc/PID/NAME from an offset on; -1 with a message. */
static ssize_t read_proc(const char *pid, const char *name, void *bytes, size_t size,
			 uintptr_t offset)
{
	char path[64];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		got = pread(fd, bytes, size, (off_t)offset);
	if (got < 0)
		complain(path, "%s",
			 errno == ENOENT ? "there is no such process" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return got;
}

/* The build id in an image, as hexadecimal digits; false if there is none. */
static bool find_build_id(const struct elf_bytes *elf, char *text)
{
	struct elf_header header = elf_header(elf);

	for (unsigned int i = 0; i < header.phnum; i++) {
		struct elf_segment s =
			elf_segment(elf, header.phoff + i * ELF_SIZEOF(elf, Phdr));
		uint64_t at = s.offset, end = s.offset + s.filesz;

		if (s.type != PT_NOTE || !elf_inside(elf, s.offset, s.filesz))
			continue;
		/* A note: length of owner and of contents, type, owner, contents. */
		while (at < end && end - at >= sizeof(Elf64_Nhdr)) {
			uint64_t owner = at + sizeof(Elf64_Nhdr);
			uint64_t contents = owner + ((elf_u32(elf, at) + 3ull) & ~3ull);
			uint32_t length = elf_u32(elf, at + 4);
			const char *name = elf_string(elf, owner, end);

			if (elf_u32(elf, at + 8) == NT_GNU_BUILD_ID && name &&
			    !strcmp(name, "GNU") && length == BUILD_ID_BYTES) {
				for (uint32_t j = 0; j < length; j++)
					sprintf(text + 2 * j, "%02x",
						elf_u8(elf, contents + j));
				return true;
			}
			at = contents + ((length + 3ull) & ~3ull);
		}
	}
	return false;
}

/* The build id of the page that a process runs on; false with a message. */
static bool read_build_id(const char *pid, const ElfW(auxv_t) * vector, char *text)
{
	static unsigned char image[IMAGE_BYTES];
	struct elf_bytes elf = {.bytes = image};
	const void *ehdr = vdso_auxv_ehdr(vector);
	ssize_t got;

	if (!ehdr) {
		complain(pid, "this process has no vDSO: its vector has no AT_SYSINFO_EHDR");
		return false;
	}
	got = read_proc(pid, "mem", image, sizeof(image), (uintptr_t)ehdr);
	if (got < 0)
		return false;
	elf.size = (size_t)got;
	elf.is64 = elf_u8(&elf, EI_CLASS) == ELFCLASS64;
	if (find_build_id(&elf, text))
		return true;
	complain(pid, "the page of this process has no build id");
	return false;
}

/*
 * The file that the program was mapped from: where AT_ENTRY is. gdb would go by the exe link,
 * which for an ordinary user still leads to uvdso. False if it cannot be told.
 */
static bool find_program(const char *pid, const ElfW(auxv_t) * vector, char *file)
{
	const ElfW(auxv_t) *entry = vdso_auxv_find(vector, AT_ENTRY);
	char path[64], *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = entry ? fopen(path, "re") : NULL;
	while (maps && !found && getline(&line, &size, maps) > 0) {
		unsigned long start, end;
		int name = 0;

		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &name) < 2 ||
		    entry->a_un.a_val < start || entry->a_un.a_val >= end)
			continue;
		line[strcspn(line, "\n")] = 0;
		/* One that was deleted since, or has another root, is not there by its name. */
		found = name && strlen(line + name) < PATH_MAX && !access(line + name, R_OK);
		if (found)
			strcpy(file, line + name);
	}
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

/* The folder that this command lies in. */
static bool find_folder(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (length < 0)
		return false;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
	return slash;
}

static void help(void)
{
	fputs("uvdso gdb PID [GDB-ARG...]\n\n"
	      "Attaches gdb to a program that runs on the page, with the symbols, the lines "
	      "and\n"
	      "the source of the page. PID is the program's, not that of the uvdso that "
	      "started\n"
	      "it. What follows is for gdb:\n\n"
	      "  uvdso gdb PID -ex 'break __vdso_clock_gettime' -ex continue -ex backtrace\n\n"
	      "Status: gdb's; 125 the process is not on the page, or cannot be looked at, 127\n"
	      "there is no gdb.\n",
	      stdout);
}

/* argv begins with the process id. program is NULL where gdb must find it by itself. */
static int run_gdb(const char *folder, const char *root, char *program, int argc, char **argv)
{
	char debug[PATH_MAX + 64], source[PATH_MAX + 64];
	char *fixed[] = {"gdb",
			 "-iex",
			 debug,
			 "-iex",
			 source,
			 "-iex",
			 "set exec-file-mismatch off",
			 program ? program : "-p",
			 "-p"};
	size_t nr_fixed = sizeof(fixed) / sizeof(fixed[0]) - !program;
	char **args = calloc(nr_fixed + (size_t)argc + 1, sizeof(*args));
	int error;

	if (!args) {
		complain("gdb", "out of memory");
		return STATUS_SELF;
	}
	snprintf(debug, sizeof(debug), "set debug-file-directory %s:/usr/lib/debug", root);
	/* The lines name files below the folder that `make` was called in. */
	snprintf(source, sizeof(source), "directory %s/..", folder);
	memcpy(args, fixed, nr_fixed * sizeof(*args));
	memcpy(args + nr_fixed, argv, (size_t)argc * sizeof(*args));
	execvp(args[0], args);
	error = errno;
	free(args);
	complain("gdb", "%s",
		 error == ENOENT ? "not found in PATH; `make deps` installs it"
				 : strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

int cmd_gdb(int argc, char **argv)
{
	static ElfW(auxv_t) vector[VECTOR_ENTRIES + 1]; /* its last entry stays AT_NULL */
	static const char *const roots[] = {"debug", "../lib/debug"};
	char id[2 * BUILD_ID_BYTES + 1], folder[PATH_MAX], root[PATH_MAX + 16],
		file[PATH_MAX + 80], program[PATH_MAX];

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		help();
		return STATUS_OK;
	}
	if (argc < 2) {
		complain("gdb", "no process given; see `uvdso gdb --help`");
		return STATUS_SELF;
	}
	if (!*argv[1] || strspn(argv[1], "0123456789") != strlen(argv[1])) {
		complain("gdb", "'%s' is no process id; see `uvdso gdb --help`", argv[1]);
		return STATUS_SELF;
	}
	if (read_proc(argv[1], "auxv", vector, sizeof(vector[0]) * VECTOR_ENTRIES, 0) < 0 ||
	    !read_build_id(argv[1], vector, id))
		return STATUS_SELF;
	if (!find_folder(folder, sizeof(folder))) {
		complain("/proc/self/exe", "%s", strerror(errno));
		return STATUS_SELF;
	}
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(root, sizeof(root), "%s/%s", folder, roots[i]);
		snprintf(file, sizeof(file), "%s/.build-id/%.2s/%s.debug", root, id, id + 2);
		if (!access(file, R_OK))
			return run_gdb(folder, root,
				       find_program(argv[1], vector, program) ? program : NULL,
				       argc - 1, argv + 1);
	}
	complain(argv[1],
		 "this process is not on the page of this build (no "
		 "%s/debug/.build-id/%.2s/%s.debug); "
		 "is it the program, or the uvdso that started it?",
		 folder, id, id + 2);
	return STATUS_SELF;
}
