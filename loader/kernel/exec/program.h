/*
 * program.h - from the words on a command line to the file that will be mapped.
 *
 * What execvp(3) and the kernel do between them: search PATH, follow the #! line
 * of a script to its interpreter, and find the ELF interpreter of what they end at.
 */
#ifndef KERNEL_EXEC_PROGRAM_H
#define KERNEL_EXEC_PROGRAM_H

#include <stdbool.h>

#include "kernel/exec/binary.h"
#include "kernel/base/error.h"

#define PROGRAM_SCRIPTS 5 /* #! lines in a row, as the kernel has it */

struct program {
	char *path;  /* as found: what AT_EXECFN shows; a script's own path */
	char **argv; /* with what the #! lines put in front; NULL-terminated */
	char *word[3 * PROGRAM_SCRIPTS]; /* what they put there */
	size_t words;
	struct binary bin;
	struct binary interp; /* fd -1 if bin names none */
	bool other_format;    /* not ours to read, but maybe the kernel's: see program_open() */
	struct error refusal; /* then what to say if it is not the kernel's either */
};

/*
 * Finds and opens a program. argv[0] is what to look for. argv must stay valid as long
 * as the program is open. Returns 0, or an error number with error filled: not there, not
 * executable, a directory, a program for another machine, or one with more rights than its
 * caller (setuid, setgid, file capabilities), which only the kernel can start.
 *
 * Where formats are registered with the kernel (Documentation/admin-guide/binfmt-misc.rst) a
 * file that we cannot read is no error: whether it is of one of them execve(2) will tell.
 */
int program_open(struct program *program, char **argv, struct error *error);

void program_close(struct program *program);

#endif
