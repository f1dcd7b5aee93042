/*
 * program.c - see program.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/exec/program.h"

/* As the kernel: the first bytes of a file decide. */
#define HEAD_SIZE    256
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static int refuse(struct error *error, const char *path, const char *call, int err)
{
	if (err == ENOENT || err == ENOTDIR)
		return error_not_found(error, path, "%s", strerror(err));
	return error_cannot_run(error, path, "%s",
				err == EISDIR ? "is a directory" : error_of_file(call, -err));
}

/*
 * May we execute what has that name? Filters deny the call of Linux 5.8 with EPERM, and the C
 * library takes that for an answer. The older one asks for our real ids, which are the same.
 */
static bool may_execute_path(const char *path)
{
	return !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ||
	       (errno == EPERM && !syscall(SYS_faccessat, AT_FDCWD, path, X_OK));
}

/* Asked of the open file; by its name where faccessat(2) takes no empty path. */
static bool may_execute(int fd, const char *path)
{
	if (!faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH))
		return true;
	return (errno == EINVAL || errno == EPERM) && may_execute_path(path);
}

/*
 * Why the kernel would not execute it: somebody writes to it, or a security module says no. It
 * opens the file before it looks at the arguments, since Linux 6.8, and these are nowhere.
 */
static int ask_kernel(int fd)
{
	syscall(SYS_execveat, fd, "", 1L, NULL, AT_EMPTY_PATH);
	return errno;
}

/* Executable by us, a regular file, and without rights of its own: 0 or an error number. */
static int check_file(int fd, const char *path, struct error *error)
{
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return refuse(error, path, "fstat", errno);
	if (!S_ISREG(st.st_mode))
		return refuse(error, path, NULL, S_ISDIR(st.st_mode) ? EISDIR : EACCES);
	if (!may_execute(fd, path))
		return refuse(error, path, "faccessat", errno);
	err = ask_kernel(fd);
	if (err == ETXTBSY || err == EACCES)
		return refuse(error, path, "execveat", err);
	if (st.st_mode & S_ISUID || (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return error_cannot_run(
			error, path,
			"setuid or setgid: only the kernel can start it with its rights");
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return error_cannot_run(
			error, path,
			"has file capabilities: only the kernel can start it with them");
	return 0;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

static int open_file(const char *path, int *fd, struct error *error)
{
	/* O_NONBLOCK: a FIFO of that name must not hang us; check_file() refuses it. */
	*fd = above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (*fd < 0 && errno == EACCES && is_program(path))
		return error_cannot_run(error, path,
					"executable, but not readable: open(2): %s; uvdso must "
					"read what it runs, the kernel alone need not",
					strerror(EACCES));
	if (*fd < 0)
		return refuse(error, path, "open", errno);
	return check_file(*fd, path, error);
}

/* The path of name, allocated: itself if it has a slash, else from PATH as execvp(3). */
static int search(const char *name, char **found, struct error *error)
{
	const char *path = getenv("PATH");
	bool denied = false;
	int err = 0;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a caller names a program */
	if (!*name)
		return error_not_found(error, "run", "the program's name is empty");
	if (strchr(name, '/')) {
		*found = strdup(name);
		return *found ? 0 : error_self(error, -ENOMEM, name, "out of memory");
	}
	for (const char *dir = path ? path : DEFAULT_PATH; dir;) {
		int length = (int)strcspn(dir, ":");
		struct stat st;
		char *file;

		/* An empty entry means the working directory. */
		if (asprintf(&file, "%.*s%s%s", length, dir, length ? "/" : "./", name) < 0)
			return error_self(error, -ENOMEM, name, "out of memory");
		if (stat(file, &st)) {
			if (error_is_denial(-errno))
				err = error_from("stat");
		} else if (S_ISREG(st.st_mode)) {
			if (may_execute_path(file)) {
				*found = file;
				return 0;
			}
			denied = true;
		}
		free(file);
		dir = dir[length] ? dir + length + 1 : NULL;
	}
	if (err && !denied)
		return error_cannot_run(error, name, "cannot be looked for in PATH: %s",
					error_words(err));
	return denied ? error_cannot_run(error, name, "found in PATH, but not executable")
		      : error_not_found(error, name, "not found in PATH");
}

/*
 * Takes "#! interpreter one-argument" apart. Returns false if there is no interpreter, or one
 * that goes on where the kernel does not read; an argument may be cut off (execve(2),
 * "Interpreter scripts").
 */
static bool parse_script(char head[HEAD_SIZE + 1], char **interpreter, char **argument)
{
	char *line = head + 2, *end;

	if (!memchr(head, '\n', HEAD_SIZE)) {
		end = line + strspn(line, " \t");
		end += strcspn(end, " \t");
		if (end == head + HEAD_SIZE)
			return false;
		head[HEAD_SIZE - 1] = 0;
	}
	line[strcspn(line, "\n")] = 0;
	for (end = line + strlen(line); end > line && strchr(" \t", end[-1]); end--)
		end[-1] = 0;
	line += strspn(line, " \t");
	*interpreter = line;
	line += strcspn(line, " \t");
	*argument = NULL;
	if (*line) {
		*line++ = 0;
		*argument = line + strspn(line, " \t");
	}
	return **interpreter;
}

/* A copy, for program_close() to free; NULL without memory. */
static char *keep_word(struct program *program, const char *word)
{
	char *copy = strdup(word);

	if (copy)
		program->word[program->words++] = copy;
	return copy;
}

/* Puts interpreter [argument] path in the place of argv[0]. */
static int prepend(struct program *program, const char *interpreter, const char *argument,
		   char *path, struct error *error)
{
	size_t count = 0, at = 0;
	char **argv;

	while (program->argv[count])
		count++;
	argv = calloc(count + 4, sizeof(*argv));
	if (!argv)
		return error_self(error, -ENOMEM, path, "out of memory");
	argv[at++] = keep_word(program, interpreter);
	if (argument)
		argv[at++] = keep_word(program, argument);
	argv[at++] = keep_word(program, path);
	for (size_t i = 0; i < at; i++)
		if (!argv[i]) {
			free(argv);
			return error_self(error, -ENOMEM, path, "out of memory");
		}
	for (size_t i = 1; i < count; i++)
		argv[at++] = program->argv[i];
	free(program->argv);
	program->argv = argv;
	return 0;
}

static int open_interp(struct program *program, struct error *error)
{
	const char *path = program->bin.interp;
	int fd, err;

	if (!path)
		return 0;
	err = open_file(path, &fd, error);
	if (!err)
		err = binary_read(&program->interp, fd, true, path, error);
	else if (fd >= 0)
		descriptor_close(fd);
	if (err == -ENOENT)
		/* A shell says "not found" here, and its user looks for the wrong file. */
		err = error_cannot_run(error, program->path,
				       "its interpreter %s does not exist", path);
	return err;
}

/* Is there anything but the two files that are always there? */
static bool formats_are_registered(void)
{
	DIR *formats = opendir("/proc/sys/fs/binfmt_misc");
	struct dirent *entry;
	bool any = false;

	while (formats && !any && (entry = readdir(formats)))
		any = *entry->d_name != '.' && strcmp(entry->d_name, "register") &&
		      strcmp(entry->d_name, "status");
	if (formats)
		closedir(formats);
	return any;
}

int program_open(struct program *program, char **argv, struct error *error)
{
	size_t count = 0;
	char *path;
	int err;

	*program = (struct program){.bin.fd = -1, .interp.fd = -1};
	while (argv[count])
		count++;
	program->argv = calloc(count + 1, sizeof(*argv));
	if (!program->argv)
		return error_self(error, -ENOMEM, argv[0], "out of memory");
	err = search(argv[0], &program->path, error);
	if (err)
		return err;
	memcpy(program->argv, argv, count * sizeof(*argv));

	path = program->path;
	for (int scripts = 0;; scripts++) {
		char head[HEAD_SIZE + 1] = "", *interpreter, *argument;
		int fd;

		err = open_file(path, &fd, error);
		if (err) {
			if (fd >= 0)
				descriptor_close(fd);
			if (err == -ENOENT && scripts)
				err = error_cannot_run(
					error, program->path,
					"the interpreter %s of its #! line does not exist",
					path);
			break;
		}
		if (pread(fd, head, HEAD_SIZE, 0) < 2 || head[0] != '#' || head[1] != '!') {
			err = binary_read(&program->bin, fd, false, path, error);
			if (err != -ENOEXEC || !formats_are_registered())
				break;
			program->other_format = true;
			program->refusal = *error;
			*error = (struct error){0};
			return 0;
		}
		descriptor_close(fd);
		if (scripts == PROGRAM_SCRIPTS) {
			err = error_cannot_run(error, program->path,
					       "more than %d #! lines lead to each other",
					       PROGRAM_SCRIPTS);
			break;
		}
		if (!parse_script(head, &interpreter, &argument)) {
			err = error_cannot_run(error, path,
					       "its #! line names nothing, or goes on "
					       "after 256 bytes");
			break;
		}
		err = prepend(program, interpreter, argument, path, error);
		if (err)
			break;
		path = program->argv[0];
	}
	return err ? err : open_interp(program, error);
}

void program_close(struct program *program)
{
	binary_close(&program->bin);
	binary_close(&program->interp);
	while (program->words)
		free(program->word[--program->words]);
	free(program->argv);
	free(program->path);
	*program = (struct program){.bin.fd = -1, .interp.fd = -1};
}
