/*
 * program.h - from the words on a command line to the file that will be mapped.
 *
 * What execvp(3) and the kernel do between them: search PATH, follow the #! line
 * of a script to its interpreter, and find the ELF interpreter of what they end at.
 */
#ifndef KERNEL_EXEC_PROGRAM
#define KERNEL_EXEC_PROGRAM

#include "kernel/exec/binary.h"
#include "kernel/base/error.h"

struct program {
	char *path;  /* as found: what AT_EXECFN shows; a script's own path */
	char **argv; /* with what the #! lines put in front; NULL-terminated */
	struct binary bin;
	struct binary interp; /* fd -1 if bin names none */
};

/*
 * Finds and opens a program. argv[0] is what to look for. argv must stay valid as long
 * as the program is open. Returns 0, or 126 or 127 with error filled: not there, not
 * executable, a folder, a program for another machine, or one with more rights than its
 * caller (setuid, setgid, file capabilities), which only the kernel can start.
 */
int program_open(struct program *program, char **argv, struct run_error *error);

void program_close(struct program *program);

#endif
