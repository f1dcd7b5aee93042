/*
 * follow.h - the page for a whole tree of processes: whatever the program starts, too.
 *
 * At execve(2) the kernel throws everything away that a process had mapped, our page with
 * it, and maps its own vDSO. So we stay the tracer (ptrace(2)) of the program and of all
 * that it starts, are told of each execve(2), and put the page in (inject.h) before the
 * new program runs.
 *
 * Nothing else is stopped for: system calls are not, page faults are not. What a tracer
 * cannot help being told of is signals, new threads and new processes, and these are
 * passed on as they are. A traced process cannot be traced by a second one: gdb and
 * strace do not work inside the tree. When we are gone, for whatever reason, the kernel
 * lets everybody go on; what is in the middle of an injection is killed, because it has
 * registers of ours. With a trace everybody is: their system calls wait for a tracer.
 */
#ifndef KERNEL_PTRACE_FOLLOW
#define KERNEL_PTRACE_FOLLOW

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/map/place.h"
#include "kernel/base/error.h"
#include "kernel/ptrace/trace.h"

struct follow {
	struct page_files files; /* open until the end */
	bool keep_kernel_vdso;
	bool verbose;
	bool first_only;     /* what the program starts keeps the kernel's page */
	bool leave;          /* ... and is not traced any longer than it takes */
	struct trace *trace; /* count what each does with the page, or NULL */

	pid_t first;            /* the program itself */
	bool started;           /* it has our page */
	bool left;              /* and we have left it: it is an ordinary child */
	struct run_error error; /* status is not 0: why it could not be started */
};

/*
 * Becomes the tracer of child, which must be waiting for us before its execve(2). Returns
 * 0, or a status with error filled: where ptrace(2) is denied, or too old.
 */
int follow_start(struct follow *follow, pid_t child, struct run_error *error);

/*
 * Deals with what waitpid(2), with __WALL, has said of any traced process, and lets it
 * go on. Returns 0; or, when a process of the tree stopped because it was told to
 * (SIGSTOP, ^Z), that signal.
 *
 * status is changed if the process ended in our hands.
 */
int follow_event(struct follow *follow, pid_t pid, int *status);

/* Is anybody still traced by us? */
bool follow_any_left(void);

#endif
