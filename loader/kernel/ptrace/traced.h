/*
 * traced.h - a process that is stopped under ptrace(2), and makes system calls for us.
 *
 * To have a process make a system call that is not in its code: set its registers to the
 * call's number and arguments, and its instruction pointer to a system call instruction
 * that it has mapped, and let it run up to the end of the call (PTRACE_SYSCALL stops
 * there, with no signal involved). Afterwards give it back the registers it had.
 */
#ifndef KERNEL_PTRACE_TRACED_H
#define KERNEL_PTRACE_TRACED_H

#include <regs.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

#include "kernel/base/process.h"

struct row;

struct traced {
	struct process process; /* first: a struct process is cast to this */
	pid_t pid;
	struct user_regs_struct saved; /* as they were when it was taken over */
	int error;                     /* what process.broken failed with */
	uint64_t mask;                 /* its signal mask; meanwhile everything is blocked */
	uintptr_t instruction;         /* a system call instruction of its own, or 0 */
	struct row *row;               /* calls are only noted, for later (row.h) */
	bool in_exec;                  /* it has not come out of its execve(2) yet */
	bool gone;                     /* it ended meanwhile; status says how */
	int status;                    /* as waitpid(2) gave it */
	bool stopped;                  /* SIGSTOP or SIGCONT came meanwhile */
	bool left;                     /* its registers are to stay as they are (row.h) */
};

/* What process.call is: the process makes the call now. */
long traced_call(struct process *process, long nr, const long arg[6]);

/*
 * Takes over a process that has stopped at PTRACE_EVENT_EXEC. It must have been seized with
 * PTRACE_O_TRACESYSGOOD. Before it can make calls, traced_ready() must be told where in its
 * memory a system call instruction is. Both return 0 or -errno; -ESRCH when it was killed
 * meanwhile, then gone and status are set. If it has not been taken over process.call is as it
 * was.
 */
int traced_take(struct traced *traced, pid_t pid);
int traced_ready(struct traced *traced, uintptr_t instruction);

/* The same for one that was taken over before, and has got as far as having no call under way.
 */
int traced_take_over(struct traced *traced, pid_t pid, const struct user_regs_struct *saved,
		     uint64_t mask);

/* Both in one for a new process, at its first stop: it is out of its clone(2) already. */
int traced_take_new(struct traced *traced, pid_t pid, uintptr_t instruction);

/* Gives it back its registers and signals. It is still stopped: continue it. */
void traced_release(struct traced *traced);

/* It exits with that status; or is killed, if it cannot be told to. */
void traced_exit(struct traced *traced, int status);

/* Its stack pointer when it was taken over. */
uintptr_t traced_sp(const struct traced *traced);

/* Room for a message on the stack of a program that has not begun: below it are only zeros. */
uintptr_t traced_room(const struct traced *traced);

/* Its memory. Return 0 or -errno, -EFAULT where not all of it is there. */
int traced_read(pid_t pid, uintptr_t from, void *to, size_t size);
int traced_write(pid_t pid, uintptr_t to, const void *from, size_t size);

/* A copy of one of its descriptors, or -errno. */
int traced_borrow_fd(pid_t pid, int fd);

/*
 * The registers of a stopped process. Return 0 or -errno; -ENOEXEC if it runs code of another
 * machine: a 32-bit program on a 64-bit kernel has shorter registers, and our image is not for
 * it. (x32 has long ones, and a vector of short words, in which we do not find its vDSO.)
 */
int traced_regs(pid_t pid, struct user_regs_struct *regs);
int traced_set_regs(pid_t pid, const struct user_regs_struct *regs);

/*
 * Lets it run, by PTRACE_CONT or PTRACE_SINGLESTEP, to a breakpoint of ours or the end of the
 * step. Nothing but SIGTRAP may come of that, and SIGTRAP must not be ignored there: the kernel
 * would make it fatal from then on. Returns 0 or -errno, as traced_take().
 */
int traced_run_to_trap(struct traced *traced, enum __ptrace_request how);

/*
 * Makes copies of descriptors of ours in the process, close-on-exec; TRACED_FDS at most. Works
 * across users and namespaces of any kind: they go through a pair of sockets that the process
 * makes, and of which we borrow one end. The message is at room, some hundred zeroed bytes of
 * its memory, and is wiped afterwards. Returns 0 or -errno.
 */
#define TRACED_FDS 4
int traced_send_fds(struct traced *traced, uintptr_t room, const int ours[], int theirs[],
		    unsigned count);

/*
 * The half of it: socket is one end of a pair there. It gets a message for each, and at room is
 * what recvmsg(2) takes to receive one at a time, TRACED_MESSAGE bytes. Returns 0 or -errno.
 */
#define TRACED_MESSAGE 112
int traced_send_one_by_one(pid_t pid, int socket, uintptr_t room, const int ours[],
			   unsigned count);

#endif
