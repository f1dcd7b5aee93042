/*
 * program.c - see program.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/exec/program.h"

/* As the kernel: the first bytes of a file decide, and five #! lines in a row are enough. */
#define HEAD_SIZE    256
#define MAX_SCRIPTS  5
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static int refuse(struct run_error *error, const char *path, int err)
{
	bool missing = err == ENOENT || err == ENOTDIR;

	return run_fail(error, missing ? RUN_NOT_FOUND : RUN_CANNOT_RUN, path, "%s",
			err == EISDIR ? "is a folder" : strerror(err));
}

/*
 * May we execute it? Asked of what has been opened; by its name where faccessat(2) takes no
 * empty path (before Linux 5.8).
 */
static bool may_execute(int fd, const char *path)
{
	if (!faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH))
		return true;
	return errno == EINVAL && !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

/* Executable by us, a regular file, and without rights of its own: 0 or a status. */
static int check_file(int fd, const char *path, struct run_error *error)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(error, path, errno);
	if (!S_ISREG(st.st_mode))
		return refuse(error, path, S_ISDIR(st.st_mode) ? EISDIR : EACCES);
	if (!may_execute(fd, path))
		return refuse(error, path, errno);
	if (st.st_mode & S_ISUID || (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return run_fail(
			error, RUN_CANNOT_RUN, path,
			"setuid or setgid: only the kernel can start it with its rights");
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return run_fail(
			error, RUN_CANNOT_RUN, path,
			"has file capabilities: only the kernel can start it with them");
	return 0;
}

static int open_file(const char *path, int *fd, struct run_error *error)
{
	/* O_NONBLOCK: a FIFO of that name must not hang us; check_file() refuses it. */
	*fd = above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	if (*fd < 0)
		return refuse(error, path, errno);
	return check_file(*fd, path, error);
}

/* The path of name, allocated: itself if it has a slash, else from PATH as execvp(3). */
static char *search(const char *name, struct run_error *error)
{
	const char *path = getenv("PATH");
	bool denied = false;

	if (!*name) {
		run_fail(error, RUN_NOT_FOUND, "run", "the program's name is empty");
		return NULL;
	}
	if (strchr(name, '/'))
		return strdup(name);
	for (const char *dir = path ? path : DEFAULT_PATH; dir;) {
		int length = (int)strcspn(dir, ":");
		struct stat st;
		char *file;

		/* An empty entry means the working folder. */
		if (asprintf(&file, "%.*s%s%s", length, dir, length ? "/" : "./", name) < 0)
			return NULL;
		if (!stat(file, &st) && S_ISREG(st.st_mode)) {
			if (!faccessat(AT_FDCWD, file, X_OK, AT_EACCESS))
				return file;
			denied = true;
		}
		free(file);
		dir = dir[length] ? dir + length + 1 : NULL;
	}
	if (denied)
		run_fail(error, RUN_CANNOT_RUN, name, "found in PATH, but not executable");
	else
		run_fail(error, RUN_NOT_FOUND, name, "not found in PATH");
	return NULL;
}

/* Takes "#! interpreter one-argument" apart. Returns false if there is no interpreter. */
static bool parse_script(char head[HEAD_SIZE + 1], char **interpreter, char **argument)
{
	char *line = head + 2, *end;

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

/* Puts interpreter [argument] path in the place of argv[0]. */
static int prepend(struct program *program, const char *interpreter, const char *argument,
		   char *path, struct run_error *error)
{
	size_t count = 0, at = 0;
	char **argv;

	while (program->argv[count])
		count++;
	argv = calloc(count + 4, sizeof(*argv));
	if (!argv)
		return run_fail(error, RUN_SELF, path, "out of memory");
	/* These few strings live until exec, or until we fail and exit. */
	argv[at++] = strdup(interpreter);
	if (argument)
		argv[at++] = strdup(argument);
	argv[at++] = strdup(path);
	for (size_t i = 0; i < at; i++)
		if (!argv[i])
			return run_fail(error, RUN_SELF, path, "out of memory");
	for (size_t i = 1; i < count; i++)
		argv[at++] = program->argv[i];
	free(program->argv);
	program->argv = argv;
	return 0;
}

static int open_interp(struct program *program, struct run_error *error)
{
	const char *path = program->bin.interp;
	int fd, err;

	if (!path)
		return 0;
	err = open_file(path, &fd, error);
	if (!err)
		err = binary_read(&program->interp, fd, path, error);
	else if (fd >= 0)
		close(fd);
	if (err == RUN_NOT_FOUND)
		/* A shell says "not found" here, and everybody looks for the wrong file. */
		err = run_fail(error, RUN_CANNOT_RUN, program->path,
			       "its interpreter %s does not exist", path);
	return err;
}

int program_open(struct program *program, char **argv, struct run_error *error)
{
	size_t count = 0;
	char *path;
	int err = 0;

	*program = (struct program){.bin.fd = -1, .interp.fd = -1};
	while (argv[count])
		count++;
	program->argv = calloc(count + 1, sizeof(*argv));
	program->path = search(argv[0], error);
	if (!program->argv || !program->path)
		return error->status ? error->status
				     : run_fail(error, RUN_SELF, argv[0], "out of memory");
	memcpy(program->argv, argv, count * sizeof(*argv));

	path = program->path;
	for (int scripts = 0;; scripts++) {
		char head[HEAD_SIZE + 1] = "", *interpreter, *argument;
		int fd;

		err = open_file(path, &fd, error);
		if (err) {
			if (fd >= 0)
				close(fd);
			if (err == RUN_NOT_FOUND && scripts)
				err = run_fail(
					error, RUN_CANNOT_RUN, program->path,
					"the interpreter %s of its #! line does not exist",
					path);
			break;
		}
		if (pread(fd, head, HEAD_SIZE, 0) < 2 || head[0] != '#' || head[1] != '!') {
			err = binary_read(&program->bin, fd, path, error);
			break;
		}
		close(fd);
		if (scripts == MAX_SCRIPTS) {
			err = run_fail(error, RUN_CANNOT_RUN, program->path,
				       "more than %d #! lines lead to each other", MAX_SCRIPTS);
			break;
		}
		if (!parse_script(head, &interpreter, &argument)) {
			err = run_fail(error, RUN_CANNOT_RUN, path,
				       "its #! line names nothing");
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
	free(program->argv);
	free(program->path);
	*program = (struct program){.bin.fd = -1, .interp.fd = -1};
}
