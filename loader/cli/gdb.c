/*
 * gdb.c - uvdso gdb: attaches gdb to a program on our vDSO, with its symbols and its source.
 *
 * A vDSO exists in memory alone, and stripped. gdb finds it without help: it reads the ELF
 * image that AT_SYSINFO_EHDR points to, and so knows the base and the exported names. For
 * static functions, lines and variables it looks for a file by the image's build id. The
 * kernel's debug packages install theirs in /usr/lib/debug/.build-id. Ours is found from
 * where this command is:
 *
 *               command       debug data            source
 *   built       B/uvdso       B/debug/.build-id     B/debug/source/vdso-src/, by a link
 *   installed   P/bin/uvdso   P/lib/debug/.build-id P/share/uvdso/vdso-src/
 *
 * gdb says nothing if there is no such file, so that is checked first.
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

/* More than any image is long, and than any vector has entries. */
#define IMAGE_BYTES    65536
#define VECTOR_ENTRIES 128

#define BUILD_ID_BYTES 20 /* SHA-1; an image with another kind of build id is not ours */

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

/* The build id of the vDSO that a process runs on; false with a message. */
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
	complain(pid, "the vDSO of this process has no build id");
	return false;
}

/*
 * The file that is mapped at AT_ENTRY: the program. gdb would go by /proc/PID/exe, which may
 * still lead to uvdso. False if there is no such file.
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
		size_t length;
		int name = 0;

		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &name) < 2 ||
		    entry->a_un.a_val < start || entry->a_un.a_val >= end)
			continue;
		line[strcspn(line, "\n")] = 0;
		/* A file that was deleted since, or has another root, is not found by name. */
		length = name ? strlen(line + name) : 0;
		found = length && length < PATH_MAX && !access(line + name, R_OK);
		if (found)
			memcpy(file, line + name, length + 1);
	}
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

/* The directory that this command is in; false with a message. */
static bool find_directory(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash = NULL;

	if (length > 0) {
		path[length] = 0;
		slash = strrchr(path, '/');
	}
	if (!slash) {
		complain("/proc/self/exe", "%s", length < 0 ? strerror(errno) : "no path");
		return false;
	}
	*slash = 0;
	return true;
}

/* The directory below which the lines of the debug data name vdso-src/...; or NULL. */
static const char *find_source(const char *directory, char *path, size_t size)
{
	static const char *const places[] = {"../share/uvdso", "debug/source"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, "%s/%s/vdso-src", directory, places[i]);
		if (!access(path, R_OK)) {
			*strrchr(path, '/') = 0;
			return path;
		}
	}
	return NULL;
}

/* As one word for gdb, which parses the argument of `directory` as a shell would. */
static void quote(const char *text, char *quoted)
{
	while (*text) {
		if (strchr(" \t\"'\\", *text))
			*quoted++ = '\\';
		*quoted++ = *text++;
	}
	*quoted = 0;
}

/* argv begins with the process id. program is NULL where gdb must find it by itself. */
static int run_gdb(const char *debug_root, const char *source_root, char *program, int argc,
		   char **argv)
{
	char debug[PATH_MAX + 64], source[2 * PATH_MAX + 64] = "directory ";
	char *fixed[9] = {"gdb", "-iex", debug, "-iex", "set exec-file-mismatch off"};
	char **args;
	int nr = 5, error;

	snprintf(debug, sizeof(debug), "set debug-file-directory %s:/usr/lib/debug",
		 debug_root);
	if (source_root) {
		quote(source_root, source + strlen(source));
		fixed[nr++] = "-iex";
		fixed[nr++] = source;
	}
	if (program)
		fixed[nr++] = program;
	fixed[nr++] = "-p";
	args = calloc((size_t)nr + (size_t)argc + 1, sizeof(*args));
	if (!args) {
		complain("gdb", "out of memory");
		return STATUS_SELF;
	}
	memcpy(args, fixed, (size_t)nr * sizeof(*args));
	memcpy(args + nr, argv, (size_t)argc * sizeof(*args));
	execvp(args[0], args);
	error = errno;
	free(args);
	complain("gdb", "%s",
		 error == ENOENT ? "not found in PATH; is it installed?" : strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

static int gdb(int argc, char **argv);

const struct command command_gdb = {
	.name = "gdb",
	.summary = "attach gdb to a program that runs on the vDSO, with its source",
	.operands = "PID [GDB-ARG]...",
	.first = "PID",
	.min = 1,
	.max = ANY_NUMBER,
	.program = true,
	.failure = STATUS_SELF,
	.about =
		"Attaches gdb to a program that `uvdso run` has started, with the symbols,\n"
		"lines and source of the vDSO. PID is that of the program, not of the uvdso\n"
		"that keeps its time. gdb gets each GDB-ARG:\n"
		"\n"
		"  uvdso gdb PID -ex 'break __vdso_clock_gettime' -ex continue -ex backtrace\n",
	.ends = "  That of gdb. And:\n"
		"  125  wrong usage, or PID is not on the vDSO of this uvdso\n"
		"  126  gdb cannot be run\n"
		"  127  gdb is not found\n",
	.run = gdb,
};

static int gdb(int argc, char **argv)
{
	static ElfW(auxv_t) vector[VECTOR_ENTRIES + 1]; /* its last entry stays AT_NULL */
	static const char *const roots[] = {"debug", "../lib/debug"};
	char id[2 * BUILD_ID_BYTES + 1], directory[PATH_MAX], root[PATH_MAX + 16],
		file[PATH_MAX + 80], source[PATH_MAX + 32], program[PATH_MAX];

	if (!*argv[0] || strspn(argv[0], "0123456789") != strlen(argv[0]))
		return refuse(&command_gdb, "PID", "'%s' is not a process id", argv[0]);
	if (read_proc(argv[0], "auxv", vector, sizeof(vector[0]) * VECTOR_ENTRIES, 0) < 0 ||
	    !read_build_id(argv[0], vector, id) ||
	    !find_directory(directory, sizeof(directory)))
		return STATUS_SELF;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(root, sizeof(root), "%s/%s", directory, roots[i]);
		snprintf(file, sizeof(file), "%s/.build-id/%.2s/%s.debug", root, id, id + 2);
		if (!access(file, R_OK))
			return run_gdb(root, find_source(directory, source, sizeof(source)),
				       find_program(argv[0], vector, program) ? program : NULL,
				       argc, argv);
	}
	complain(argv[0],
		 "not on the vDSO of this uvdso (no debug data for its build id, %s, in "
		 "%s/debug or %s/../lib/debug)",
		 id, directory, directory);
	return STATUS_SELF;
}
