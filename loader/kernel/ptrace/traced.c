/*
 * traced.c - see traced.h.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/newer.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"
#include "kernel/ptrace/traced.h"

/* waitpid(2) shows a stop at a system call like this (PTRACE_O_TRACESYSGOOD). */
#define SYSCALL_STOP (SIGTRAP | 0x80)

/* How many SIGSTOPs may stop it before the stop that we wait for. */
#define STOPS_MAX 1000

/* Signals that are looked at: more do not wait for a process that has just made a call. */
#define PEEKS_MAX 1000

/* Where messages are built for a fresh program. */
#define BELOW_STACK 1024

/*
 * What fails is asked for once more: between two stops there is no other way back. A call that
 * is denied for good has been denied before (follow_start()).
 */
static long request(enum __ptrace_request what, pid_t pid, void *address, void *data)
{
	long result = ptrace(what, pid, address, data);

	return result < 0 && errno != ESRCH ? ptrace(what, pid, address, data) : result;
}

/* Blocked as they are, only the processor sends these. */
static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL;
}

/*
 * Lets it run to a stop of its own making. Signals are blocked, so only death can come between,
 * and SIGSTOP. That is delivered: the process is stopped then in the eyes of all others, while
 * we let it run on; and SIGCONT ends the stop as it always does.
 */
static int run_to(struct traced *traced, enum __ptrace_request how, int stop)
{
	long deliver = 0;

	for (int stops = 0; stops < STOPS_MAX; stops++) {
		int status;

		if (request(how, traced->pid, NULL, (void *)deliver))
			return error_from("ptrace");
		traced->in_exec = false;
		/* It runs to its next stop, or its end. */
		if (wait_for(traced->pid, &status, __WALL) < 0)
			return error_from("waitpid");
		if (!WIFSTOPPED(status)) {
			traced->gone = true;
			traced->status = status;
			return -ESRCH;
		}
		if (status >> 16 == 0 && WSTOPSIG(status) == stop)
			return 0;
		deliver = status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP ? SIGSTOP : 0;
		if (status >> 16 == PTRACE_EVENT_STOP)
			traced->stopped = true;
		/* What would come again: a fault, and without system calls a filter's SIGSYS.
		 */
		else if (status >> 16 == 0 && !deliver &&
			 (how != PTRACE_SYSCALL || is_fault(WSTOPSIG(status))))
			return error_by("ptrace", -EFAULT);
	}
	return error_by("ptrace", -ELOOP);
}

/* The next beginning or end of a system call. */
static int to_syscall_stop(struct traced *traced)
{
	return run_to(traced, PTRACE_SYSCALL, SYSCALL_STOP);
}

static int block_signals(pid_t pid)
{
	uint64_t all = ~0ull;

	return request(PTRACE_SETSIGMASK, pid, (void *)sizeof(all), &all) ? error_from("ptrace")
									  : 0;
}

int traced_run_to_trap(struct traced *traced, enum __ptrace_request how)
{
	siginfo_t info;
	int err = run_to(traced, how, SIGTRAP);

	if (err)
		return err;
	/* Of two at a time the second is lost, and that was ours: the other one is still due.
	 */
	if (!ptrace(PTRACE_GETSIGINFO, traced->pid, NULL, &info) && info.si_code <= 0)
		syscall(SYS_tgkill, traced->pid, traced->pid, SIGTRAP);
	/* The kernel has unblocked it. */
	return block_signals(traced->pid);
}

int traced_regs(pid_t pid, struct user_regs_struct *regs)
{
	/*
	 * Larger than ours: longer registers would otherwise be cut to fit, and look like ours.
	 */
	char bytes[512];
	struct iovec iov = {bytes, sizeof(bytes)};

	if (request(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov))
		return error_from("ptrace");
	if (iov.iov_len != sizeof(*regs))
		return error_by("ptrace", -ENOEXEC);
	memcpy(regs, bytes, sizeof(*regs));
	return 0;
}

int traced_set_regs(pid_t pid, const struct user_regs_struct *regs)
{
	struct iovec iov = {(void *)regs, sizeof(*regs)};

	return request(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov) ? error_from("ptrace")
									 : 0;
}

uintptr_t traced_sp(const struct traced *traced)
{
	return regs_sp(&traced->saved);
}

uintptr_t traced_room(const struct traced *traced)
{
	return (traced_sp(traced) - BELOW_STACK) & ~15ul;
}

/* Asked of /proc: a filter may kill the program for a call that it has not made. */
static long personality_of(pid_t pid)
{
	char text[32];
	ssize_t got = proc_text(pid, "personality", text, sizeof(text));

	return got > 0 ? strtol(text, NULL, 16) : -EACCES;
}

/*
 * SECCOMP_RET_TRAP: the call was not made, its registers are as at its beginning, and SIGSYS is
 * on its way. A result that looks like that is looked at twice.
 */
static bool was_trapped(pid_t pid, long result, long nr, const long arg[6])
{
	struct __ptrace_peeksiginfo_args which = {.nr = 1};
	siginfo_t info;

	for (; which.off < PEEKS_MAX && (result == nr || result == arg[0]); which.off++) {
		if (ptrace(PTRACE_PEEKSIGINFO, pid, &which, &info) != 1)
			return false;
		if (info.si_signo == SIGSYS)
			return true;
	}
	return false;
}

long traced_call(struct process *process, long nr, const long arg[6])
{
	struct traced *traced = (struct traced *)process;
	struct user_regs_struct regs = traced->saved;
	int err;

	if (nr == SYS_personality)
		return personality_of(traced->pid);
	/* After that nobody knows where it stands. */
	if (process->broken)
		return error_by(process->broken, traced->error);
	regs_for_call(&regs, traced->instruction, nr, arg);
	if (traced->gone)
		return -ESRCH;
	err = traced_set_regs(traced->pid, &regs);
	if (!err)
		err = to_syscall_stop(traced); /* at its beginning */
	if (!err)
		err = to_syscall_stop(traced); /* at its end */
	if (!err)
		err = traced_regs(traced->pid, &regs);
	if (err) {
		process->broken = error_name(err);
		traced->error = err;
	}
	if (!err && was_trapped(traced->pid, regs_result(&regs), nr, arg)) {
		/* Taken away, or the program dies of it where this was our last call. The
		 * kernel has unblocked it. */
		run_to(traced, PTRACE_SYSCALL, SIGSYS);
		block_signals(traced->pid);
		return -EPERM;
	}
	return err ? err : regs_result(&regs);
}

int traced_take(struct traced *traced, pid_t pid)
{
	struct user_regs_struct regs;
	uint64_t mask;
	int err = traced_regs(pid, &regs);

	if (err)
		return err;
	if (request(PTRACE_GETSIGMASK, pid, (void *)sizeof(mask), &mask))
		return error_from("ptrace");
	err = traced_take_over(traced, pid, &regs, mask);
	traced->in_exec = true;
	return err;
}

int traced_take_over(struct traced *traced, pid_t pid, const struct user_regs_struct *saved,
		     uint64_t mask)
{
	*traced = (struct traced){
		.process.call = traced_call,
		.pid = pid,
		.saved = *saved,
		.mask = mask,
	};
	return block_signals(pid);
}

int traced_ready(struct traced *traced, uintptr_t instruction)
{
	int err;

	traced->instruction = instruction;
	if (!traced->in_exec)
		return 0;
	err = to_syscall_stop(traced);
	return err ? err : traced_regs(traced->pid, &traced->saved);
}

int traced_take_new(struct traced *traced, pid_t pid, uintptr_t instruction)
{
	int err = traced_take(traced, pid);

	traced->instruction = instruction;
	traced->in_exec = false;
	return err;
}

void traced_release(struct traced *traced)
{
	if (traced->gone)
		return;
	if (!traced->left) {
		traced_set_regs(traced->pid, &traced->saved);
		request(PTRACE_SETSIGMASK, traced->pid, (void *)sizeof(traced->mask),
			&traced->mask);
	}
	/* It stops again when it is continued; that stop tells whether the old one holds. */
	if (traced->stopped)
		ptrace(PTRACE_INTERRUPT, traced->pid, NULL, NULL);
}

/*
 * Whatever has failed before, it may be at any stop: inside its execve(2), or at either end of
 * a call of ours. A call begins from the end of another one, so every second time it goes on by
 * one stop only. If no instruction is known to make it with, the one that comes next becomes
 * one: nothing else will ever be executed here.
 */
void traced_exit(struct traced *traced, int status)
{
	struct user_regs_struct regs;
	long word = 0;

	memcpy(&word, traced_instruction, sizeof(traced_instruction));
	for (int turn = 0; turn < 7 && !traced->gone; turn++) {
		if (traced_regs(traced->pid, &regs))
			continue;
		if (!traced->instruction &&
		    !ptrace(PTRACE_POKETEXT, traced->pid, (void *)regs_pc(&regs), (void *)word))
			traced->instruction = regs_pc(&regs);
		regs_for_call(&regs, traced->instruction, SYS_exit_group,
			      (const long[6]){status});
		if (!traced->instruction || traced_set_regs(traced->pid, &regs) ||
		    to_syscall_stop(traced) || turn % 2)
			continue;
		to_syscall_stop(traced);
	}
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

_Static_assert(sizeof(struct message) <= TRACED_MESSAGE, "as announced");

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

/* Linux 6.9: of a thread that is not the first of its process. Not in all headers. */
#ifndef PIDFD_THREAD
#	define PIDFD_THREAD O_EXCL
#endif

int traced_borrow_fd(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), borrowed;

	if (pidfd < 0 && (errno == EINVAL || errno == ENOENT))
		pidfd = (int)syscall(SYS_pidfd_open, pid, PIDFD_THREAD);
	if (pidfd < 0)
		return error_from("pidfd_open");
	borrowed = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (borrowed < 0)
		borrowed = error_from("pidfd_getfd");
	descriptor_close(pidfd);
	return borrowed;
}

int traced_send_one_by_one(pid_t pid, int socket, uintptr_t room, const int ours[],
			   unsigned count)
{
	struct message message;
	int borrowed = traced_borrow_fd(pid, socket), err = borrowed < 0 ? borrowed : 0;

	for (unsigned i = 0; i < count && !err; i++)
		err = send_here(borrowed, &ours[i], 1);
	if (borrowed >= 0)
		descriptor_close(borrowed);
	fill(&message, room, 1);
	return err ? err : traced_write(pid, room, &message, sizeof(message));
}

int traced_send_fds(struct traced *traced, uintptr_t room, const int ours[], int theirs[],
		    unsigned count)
{
	static const char nothing[sizeof(struct message)];
	int pair[2], borrowed;
	long err;

	err = process_call(&traced->process, SYS_socketpair, AF_UNIX,
			   SOCK_STREAM | SOCK_CLOEXEC, 0, (long)room);
	if (err < 0)
		return process_error(&traced->process, "socketpair", err);
	err = traced_read(traced->pid, room, pair, sizeof(pair));
	if (err)
		return (int)err;
	borrowed = traced_borrow_fd(traced->pid, pair[1]);
	err = borrowed < 0 ? borrowed : send_here(borrowed, ours, count);
	if (borrowed >= 0)
		descriptor_close(borrowed);
	if (!err)
		err = receive_there(traced, pair[0], room, theirs, count);
	process_close(&traced->process, pair[0]);
	process_close(&traced->process, pair[1]);
	traced_write(traced->pid, room, nothing, sizeof(nothing));
	return (int)err;
}
