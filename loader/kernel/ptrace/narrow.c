/*
 * narrow.c - see narrow.h.
 */
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <regs.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kernel/base/wait.h"
#include "kernel/ptrace/narrow.h"

#ifdef REGS_AUDIT_ARCH_32

/* The kernel's image has 4 or 8 KiB, and there is an INT 0x80 in it on every processor. */
#	define IMAGE_MAX 32768
#	define PAGE      4096

/* Of its numbering. */
#	define SYS_MMAP2 192

/* How many SIGSTOPs may stop it before the stop that we wait for. */
#	define STOPS_MAX 1000

/* How far up the stack its vector may be: execve(2) accepts no more arguments. */
#	define STACK_MAX (64u << 20)

bool narrow_is(pid_t pid)
{
	char bytes[512];
	struct iovec iov = {bytes, sizeof(bytes)};

	return !ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov) &&
	       iov.iov_len < sizeof(struct user_regs_struct);
}

/*
 * Like find_vector() of inject.c, which the course has readers write for the words of one
 * machine. Returns 0 if it is not there.
 */
static uintptr_t find_vector(pid_t pid, uintptr_t sp)
{
	uint32_t word[256];
	uintptr_t at = sp + sizeof(word[0]);
	unsigned nulls = 0;

	while (at - sp < STACK_MAX) {
		size_t words = sizeof(word) / sizeof(word[0]);

		while (words && traced_read(pid, at, word, words * sizeof(word[0])))
			words /= 2;
		if (!words)
			return 0;
		for (size_t i = 0; i < words; i++, at += sizeof(word[0]))
			if (word[i] == 0 && ++nulls == 2)
				return at + sizeof(word[0]);
	}
	return 0;
}

/* The address of the entry of that type, or 0. */
static uintptr_t find_entry(pid_t pid, uintptr_t vector, uint32_t type, Elf32_auxv_t *entry)
{
	for (uintptr_t at = vector;; at += sizeof(*entry)) {
		if (traced_read(pid, at, entry, sizeof(*entry)) || entry->a_type == AT_NULL)
			return 0;
		if (entry->a_type == type)
			return at;
	}
}

static uintptr_t find_instruction(pid_t pid, uintptr_t image)
{
	static const unsigned char instruction[] = {0xcd, 0x80};
	static unsigned char bytes[IMAGE_MAX];
	size_t size = sizeof(bytes);
	unsigned char *found;

	while (size && traced_read(pid, image, bytes, size))
		size -= PAGE;
	found = memmem(bytes, size, instruction, sizeof(instruction));
	return found ? image + (uintptr_t)(found - bytes) : 0;
}

/*
 * To the next beginning or end of a system call. Signals are blocked: only death can come
 * between, and SIGSTOP. Not run_to() of traced.c, which is for a process that we have taken
 * over, with registers of our own machine.
 */
static int to_syscall_stop(struct traced *traced)
{
	long deliver = 0;

	for (int stops = 0; stops < STOPS_MAX; stops++) {
		int status;

		if (ptrace(PTRACE_SYSCALL, traced->pid, NULL, (void *)deliver))
			return error_from("ptrace");
		if (wait_for(traced->pid, &status, __WALL) < 0)
			return error_from("waitpid");
		if (!WIFSTOPPED(status)) {
			traced->gone = true;
			traced->status = status;
			return -ESRCH;
		}
		if (status >> 16 == 0 && WSTOPSIG(status) == (SIGTRAP | 0x80))
			return 0;
		deliver = status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP ? SIGSTOP : 0;
		traced->stopped |= status >> 16 == PTRACE_EVENT_STOP;
	}
	return error_by("ptrace", -ELOOP);
}

/* From the end of its execve(2), and back to there. Returns the address, or -errno. */
static long map_zeros(struct traced *traced, uintptr_t instruction, size_t size)
{
	struct user_regs_struct saved, regs;
	int err = to_syscall_stop(traced);

	if (!err && regs_read(traced->pid, &saved))
		err = error_from("ptrace");
	if (err)
		return err;
	regs = saved;
	regs_for_call_32(&regs, instruction, SYS_MMAP2,
			 (const long[6]){0, (long)size, PROT_READ,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0});
	if (regs_write(traced->pid, &regs))
		err = error_from("ptrace");
	if (!err)
		err = to_syscall_stop(traced);
	if (!err)
		err = to_syscall_stop(traced);
	if (!err && regs_read(traced->pid, &regs))
		err = error_from("ptrace");
	if (!traced->gone && regs_write(traced->pid, &saved))
		err = error_from("ptrace");
	return err ? err
	       : (int)regs_result(&regs) < 0 && (int)regs_result(&regs) > -4096
		       ? (int)regs_result(&regs)
		       : (long)(uint32_t)regs_result(&regs);
}

static long map_with_signals_blocked(struct traced *traced, uintptr_t instruction, size_t size)
{
	uint64_t mask, all = ~0ull;
	long got;

	if (ptrace(PTRACE_GETSIGMASK, traced->pid, (void *)sizeof(mask), &mask) ||
	    ptrace(PTRACE_SETSIGMASK, traced->pid, (void *)sizeof(all), &all))
		return error_from("ptrace");
	got = map_zeros(traced, instruction, size);
	if (traced->gone)
		return got;
	ptrace(PTRACE_SETSIGMASK, traced->pid, (void *)sizeof(mask), &mask);
	/* It stops again when it is continued; that stop tells whether the old one holds. */
	if (traced->stopped)
		ptrace(PTRACE_INTERRUPT, traced->pid, NULL, NULL);
	return got;
}

int narrow_program(struct traced *traced, pid_t pid, size_t size, uintptr_t *slots,
		   struct error *error)
{
	struct user_regs_struct regs;
	uintptr_t vector, at, instruction;
	Elf32_auxv_t entry;
	long got;
	int err;

	*traced = (struct traced){.pid = pid};
	if (regs_read(pid, &regs))
		return error_self(error, -errno, NULL, "ptrace(2): %s", strerror(errno));
	vector = find_vector(pid, regs_sp(&regs));
	if (!vector)
		return error_self(error, -ENOENT, NULL, "its vector is not found");
	at = find_entry(pid, vector, AT_SYSINFO_EHDR, &entry);
	instruction = at ? find_instruction(pid, entry.a_un.a_val) : 0;
	if (!instruction)
		return error_self(error, -ENOEXEC, NULL, "the kernel gave it no vDSO");
	got = map_with_signals_blocked(traced, instruction, size);
	if (got < 0)
		return error_self(error, (int)got, NULL, "no memory for deadlines: %s",
				  error_words((int)got));
	*slots = (uintptr_t)got;
	entry.a_type = AT_IGNORE;
	err = traced_write(pid, at, &entry, sizeof(entry));
	return err ? error_self(error, err, NULL, "its vector cannot be changed: %s",
				error_words(err))
		   : 0;
}

#else

bool narrow_is(pid_t pid)
{
	(void)pid;
	return false;
}

int narrow_program(struct traced *traced, pid_t pid, size_t size, uintptr_t *slots,
		   struct error *error)
{
	(void)traced, (void)pid, (void)size, (void)slots;
	return error_self(error, -ENOEXEC, NULL, "a program of another machine");
}

#endif
