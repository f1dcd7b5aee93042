/*
 * traced.c - see traced.h.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/error.h"
#include "kernel/base/newer.h"
#include "kernel/ptrace/traced.h"

/* waitpid(2) shows a stop at a system call like this (PTRACE_O_TRACESYSGOOD). */
#define SYSCALL_STOP (SIGTRAP | 0x80)

/* Where messages are built. A fresh program has nothing below the stack pointer. */
#define BELOW_STACK 1024

/*
 * Lets it run to the next beginning or end of a system call. Signals are blocked, so only
 * death can come between, and SIGSTOP. That is delivered: the process is stopped then in the
 * eyes of all others, while we let it run on; and SIGCONT ends the stop as it always does.
 */
static int to_syscall_stop(struct traced *traced)
{
	long deliver = 0;

	for (;;) {
		int status;

		if (ptrace(PTRACE_SYSCALL, traced->pid, NULL, (void *)deliver))
			return error_from("ptrace");
		while (waitpid(traced->pid, &status, __WALL) < 0)
			if (errno != EINTR)
				return error_from("waitpid");
		if (!WIFSTOPPED(status)) {
			traced->gone = true;
			traced->status = status;
			return -ESRCH;
		}
		if (WSTOPSIG(status) == SYSCALL_STOP)
			return 0;
		deliver = status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP ? SIGSTOP : 0;
		if (status >> 16 == PTRACE_EVENT_STOP)
			traced->stopped = true;
	}
}

int traced_regs(pid_t pid, struct user_regs_struct *regs)
{
	struct iovec iov = {regs, sizeof(*regs)};

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov))
		return error_from("ptrace");
	return iov.iov_len == sizeof(*regs) ? 0 : -ENOEXEC;
}

static int set_regs(pid_t pid, const struct user_regs_struct *regs)
{
	struct iovec iov = {(void *)regs, sizeof(*regs)};

	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov) ? error_from("ptrace")
									: 0;
}

bool traced_is_of_our_machine(pid_t pid)
{
	/*
	 * Larger than ours: longer registers would otherwise be cut to fit, and look like ours.
	 */
	char regs[512];
	struct iovec iov = {regs, sizeof(regs)};

	return !ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov) &&
	       iov.iov_len == sizeof(struct user_regs_struct);
}

uintptr_t traced_sp(const struct traced *traced)
{
	return regs_sp(&traced->saved);
}

static long call_traced(struct process *process, long nr, const long arg[6])
{
	struct traced *traced = (struct traced *)process;
	struct user_regs_struct regs = traced->saved;
	int err;

	process->broken = NULL;
	regs_for_call(&regs, traced->instruction, nr, arg);
	if (traced->gone)
		return -ESRCH;
	err = set_regs(traced->pid, &regs);
	if (!err)
		err = to_syscall_stop(traced); /* at its beginning */
	if (!err)
		err = to_syscall_stop(traced); /* at its end */
	if (!err)
		err = traced_regs(traced->pid, &regs);
	if (err)
		process->broken = error_name(err);
	return err ? err : regs_result(&regs);
}

static int take(struct traced *traced, pid_t pid, uintptr_t instruction)
{
	uint64_t all = ~0ull;

	*traced = (struct traced){
		.process.call = call_traced,
		.pid = pid,
		.instruction = instruction,
	};
	if (ptrace(PTRACE_GETSIGMASK, pid, sizeof(traced->mask), &traced->mask) ||
	    ptrace(PTRACE_SETSIGMASK, pid, sizeof(all), &all))
		return error_from("ptrace");
	return 0;
}

int traced_take(struct traced *traced, pid_t pid, uintptr_t instruction)
{
	int err = take(traced, pid, instruction);

	/* It is still inside execve(2): out of there first. */
	if (!err)
		err = to_syscall_stop(traced);
	return err ? err : traced_regs(pid, &traced->saved);
}

int traced_take_new(struct traced *traced, pid_t pid, uintptr_t instruction)
{
	int err = take(traced, pid, instruction);

	return err ? err : traced_regs(pid, &traced->saved);
}

void traced_release(struct traced *traced)
{
	if (traced->gone)
		return;
	set_regs(traced->pid, &traced->saved);
	ptrace(PTRACE_SETSIGMASK, traced->pid, sizeof(traced->mask), &traced->mask);
	/* It stops again when it is continued; that stop tells whether the old one holds. */
	if (traced->stopped)
		ptrace(PTRACE_INTERRUPT, traced->pid, NULL, NULL);
}

void traced_exit(struct traced *traced, int status)
{
	if (traced->instruction)
		process_call(&traced->process, SYS_exit_group, status);
	if (!traced->gone)
		process_kill(traced->pid);
}

int traced_read(pid_t pid, uintptr_t from, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)from, size};
	ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return got < 0 ? error_from("process_vm_readv") : (size_t)got == size ? 0 : -EFAULT;
}

int traced_write(pid_t pid, uintptr_t to, const void *from, size_t size)
{
	struct iovec here = {(void *)from, size}, there = {(void *)to, size};
	ssize_t got = process_vm_writev(pid, &here, 1, &there, 1, 0);

	return got < 0 ? error_from("process_vm_writev") : (size_t)got == size ? 0 : -EFAULT;
}

/* One message with descriptors, and where its parts lie in the other process. */
struct message {
	struct msghdr header;
	struct iovec part;
	char byte;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(TRACED_FDS * sizeof(int))];
	} control;
};

static void fill(struct message *message, uintptr_t at, unsigned count)
{
	*message = (struct message){
		.header =
			{
				.msg_iov = (void *)(at + offsetof(struct message, part)),
				.msg_iovlen = 1,
				.msg_control = (void *)(at + offsetof(struct message, control)),
				.msg_controllen = CMSG_SPACE(count * sizeof(int)),
			},
		.part = {(void *)(at + offsetof(struct message, byte)), 1},
	};
}

static int send_here(int socket, const int fds[], unsigned count)
{
	struct message message;

	fill(&message, (uintptr_t)&message, count);
	message.control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(count * sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&message.control.header), fds, count * sizeof(int));
	return sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1 ? 0 : error_from("sendmsg");
}

static int receive_there(struct traced *traced, int socket, uintptr_t at, int fds[],
			 unsigned count)
{
	struct message message;
	long got;
	int err;

	fill(&message, at, count);
	err = traced_write(traced->pid, at, &message, sizeof(message));
	if (err)
		return err;
	got = process_call(&traced->process, SYS_recvmsg, socket, (long)at,
			   MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (got < 0)
		return process_error(&traced->process, "recvmsg", got);
	err = traced_read(traced->pid, at, &message, sizeof(message));
	if (err)
		return err;
	/* Its table of descriptors may have been full: then some did not arrive. */
	if (message.header.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	memcpy(fds, CMSG_DATA(&message.control.header), count * sizeof(int));
	return 0;
}

int traced_borrow_fd(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), borrowed;

	if (pidfd < 0)
		return error_from("pidfd_open");
	borrowed = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (borrowed < 0)
		borrowed = error_from("pidfd_getfd");
	close(pidfd);
	return borrowed;
}

int traced_send_fds(struct traced *traced, const int ours[], int theirs[], unsigned count)
{
	uintptr_t at = (traced_sp(traced) - BELOW_STACK) & ~15ul;
	static const char nothing[sizeof(struct message)];
	int pair[2], borrowed;
	long err;

	err = process_call(&traced->process, SYS_socketpair, AF_UNIX,
			   SOCK_STREAM | SOCK_CLOEXEC, 0, (long)at);
	if (err < 0)
		return process_error(&traced->process, "socketpair", err);
	err = traced_read(traced->pid, at, pair, sizeof(pair));
	if (err)
		return (int)err;
	borrowed = traced_borrow_fd(traced->pid, pair[1]);
	err = borrowed < 0 ? borrowed : send_here(borrowed, ours, count);
	if (borrowed >= 0)
		close(borrowed);
	if (!err)
		err = receive_there(traced, pair[0], at, theirs, count);
	process_call(&traced->process, SYS_close, pair[0]);
	process_call(&traced->process, SYS_close, pair[1]);
	/* Below a fresh stack there are only zeros. */
	traced_write(traced->pid, at, nothing, sizeof(nothing));
	return (int)err;
}
