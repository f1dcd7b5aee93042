/*
 * row.c - see row.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <host.h>
#include <stddef.h>
#include <stdio.h> /* snprintf */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/random.h"
#include "kernel/ptrace/row.h"

#if HOST_CALLS

_Static_assert(sizeof(struct listed_call) == LISTED_SIZE, "calls.S");
_Static_assert(offsetof(struct listed_call, nr) == LISTED_NR, "calls.S");
_Static_assert(offsetof(struct listed_call, arg) == LISTED_ARGS, "calls.S");
_Static_assert(offsetof(struct listed_call, result) == LISTED_RESULT, "calls.S");
_Static_assert(sizeof(struct row_block) <= VDSO_SMALLEST_PAGE, "it has one page");

static int put(const struct row *row, uintptr_t at, const void *bytes, size_t size)
{
	ssize_t done = pwrite(row->mem, bytes, size, (off_t)at);

	return done < 0               ? error_from("pwrite64")
	       : (size_t)done == size ? 0
				      : error_by("pwrite64", -EFAULT);
}

/* Where the list is, in the process. */
static uintptr_t list_of(const struct row *row)
{
	return row->at + offsetof(struct row_block, call);
}

static int put_block(struct row *row)
{
	row->block.call[row->count].nr = LISTED_END;
	return put(row, row->at, &row->block, offsetof(struct row_block, call[row->count + 1]));
}

static long add(struct row *row, long nr, const long arg[6], long result)
{
	struct listed_call *call = &row->block.call[row->count];

	if (row->count == ROW_MAX)
		return -ENOBUFS;
	*call = (struct listed_call){.nr = nr, .result = result};
	for (int i = 0; i < 6; i++)
		call->arg[i] = arg[i];
	row->count++;
	return result;
}

/* The next file takes the number of the one before, which is that of a socket at first. */
static long receive(struct row *row, uintptr_t message, int file)
{
	const int *pair = row->block.pair;

	if (row->sends == TRACED_FDS)
		return -ENOBUFS;
	row->send[row->sends++] = row->turn = file;
	add(row, SYS_close, (const long[6]){pair[1]}, 0);
	return add(row, SYS_recvmsg,
		   (const long[6]){pair[0], (long)message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT}, 1);
}

static bool is_own(const struct row *row, int file)
{
	for (unsigned i = 0; i < row->owned; i++)
		if (row->own[i] == file)
			return true;
	return false;
}

/* What process.call is meanwhile. */
static long note(struct process *process, long nr, const long arg[6])
{
	struct traced *traced = (struct traced *)process;
	struct row *row = traced->row;
	long mine[6], err;

	/* Asked of /proc, and not of the process. */
	if (nr == SYS_personality)
		return row->random ? 0 : traced_call(process, nr, arg);
	memcpy(mine, arg, sizeof(mine));
	if (nr == HOST_SYS_MMAP && arg[4] >= 0 && !is_own(row, (int)arg[4])) {
		err = arg[4] == row->turn ? 0 : receive(row, traced_room(traced), (int)arg[4]);
		if (err < 0)
			return err;
		mine[4] = row->block.pair[1];
	}
	return add(row, nr, mine, nr == HOST_SYS_MMAP ? arg[0] : 0);
}

int row_open(struct traced *traced, struct row *row, uintptr_t image)
{
	char path[32];

	*row = (struct row){.at = image, .turn = -1};
	row->block.pair[0] = row->block.pair[1] = -1;
	memcpy(row->block.code, calls_code_start, sizeof(row->block.code));
	snprintf(path, sizeof(path), "/proc/%d/mem", traced->pid);
	row->mem = open(path, O_RDWR | O_CLOEXEC);
	return row->mem < 0 ? error_from("open") : 0;
}

/* To the breakpoint, or a fault. */
static int go(struct traced *traced, struct row *row, struct user_regs_struct *regs)
{
	int err;

	*regs = traced->saved;
	regs_for_row(regs, row->at, list_of(row));
	err = put_block(row);
	if (!err)
		err = traced_set_regs(traced->pid, regs);
	if (!err) {
		/* What execve(2) is about to return. */
		if (traced->in_exec)
			regs_set_result(&traced->saved, 0);
		err = traced_run_to_trap(traced, PTRACE_CONT);
	}
	/* A filter may have answered one by a signal: then that one has not been made. */
	if (!err || err == -EFAULT)
		err = traced_regs(traced->pid, regs);
	return err;
}

int row_run(struct traced *traced, struct row *row)
{
	struct user_regs_struct regs;
	int err = go(traced, row, &regs);

	traced->process.call = traced_call;
	return err ? err : (int)((regs_row(&regs) - list_of(row)) / LISTED_SIZE);
}

int row_make_sockets(struct traced *traced, struct row *row, uintptr_t room)
{
	int made;

	row->count = 0;
	add(row, SYS_socketpair,
	    (const long[6]){AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (long)room}, 0);
	made = row_run(traced, row);
	row->count = 0;
	if (made != 1)
		return made < 0 ? made : -EAGAIN;
	return traced_read(traced->pid, room, row->block.pair, sizeof(row->block.pair));
}

void row_begin(struct traced *traced, struct row *row)
{
	row->count = row->sends = 0;
	traced->row = row;
	traced->process.call = note;
}

void row_clear(struct row *row, uintptr_t at, size_t size)
{
	add(row, LISTED_CLEAR, (const long[6]){(long)at, 0, (long)size}, 0);
}

int row_send(const struct traced *traced, const struct row *row, uintptr_t room)
{
	return traced_send_one_by_one(traced->pid, row->block.pair[1], room, row->send,
				      row->sends);
}

long row_last(struct traced *traced, struct row *row, long nr, const long arg[6])
{
	struct user_regs_struct regs = traced->saved;
	size_t at = 0;
	int err;

	while (memcmp(calls_code_start + at, traced_instruction, sizeof(traced_instruction)))
		at++;
	regs_for_call(&regs, row->at + at, nr, arg);
	err = traced_set_regs(traced->pid, &regs);
	if (!err)
		err = traced_run_to_trap(traced, PTRACE_SINGLESTEP);
	if (!err)
		err = traced_regs(traced->pid, &regs);
	if (!err && regs_result(&regs) == 0)
		row->at = 0;
	return err ? err : regs_result(&regs);
}

/* Nobody else can know it, so that no program looks as if it were in a row. */
static uint64_t secret(void)
{
	static uint64_t drawn;

	if (!drawn && random_bytes(&drawn, sizeof(drawn)))
		drawn = 0;
	return drawn;
}

int row_leave(struct traced *traced, struct row *row, const struct placement *vdso,
	      uintptr_t gone, size_t size)
{
	struct row_block *block = &row->block;
	struct user_regs_struct regs = traced->saved;
	uintptr_t entry = regs_pc(&regs), below = regs_sp(&regs) - sizeof(entry);
	int err;

	block->secret = secret();
	if (!block->secret)
		return error_by("getrandom", -EAGAIN);
	block->mask = traced->mask;
	block->saved = regs;
	/* What execve(2) is about to return. */
	if (traced->in_exec)
		regs_set_result(&block->saved, 0);
	block->vdso = *vdso;
	/* It goes on at the landing, which goes on at the word below the stack. */
	host_fill_frame_to(&block->frame, vdso->landing, below, gone, size, &traced->mask);
	add(row, SYS_rt_sigreturn, (const long[6]){0}, -1);
	regs_for_row(&regs, row->at, list_of(row));
	regs_set_sp(&regs, row->at + offsetof(struct row_block, frame));
	err = traced_write(traced->pid, below, &entry, sizeof(entry));
	if (!err)
		err = put_block(row);
	if (!err)
		err = traced_set_regs(traced->pid, &regs);
	traced->process.call = traced_call;
	traced->left = !err;
	if (!err)
		descriptor_close(row->mem);
	return err;
}

int row_find(pid_t pid, struct row_block *block, uintptr_t *at)
{
	struct user_regs_struct regs = {0};

	if (traced_regs(pid, &regs))
		return -1;
	*at = regs_pc(&regs) & ~(uintptr_t)(VDSO_SMALLEST_PAGE - 1);
	if (traced_read(pid, *at + offsetof(struct row_block, secret), &block->secret,
			sizeof(block->secret)) ||
	    !block->secret || block->secret != secret() ||
	    traced_read(pid, *at, block, sizeof(*block)))
		return -1;
	return (int)((regs_row(&regs) - *at - offsetof(struct row_block, call)) / LISTED_SIZE);
}

void row_end(struct traced *traced, struct row *row, const void *page)
{
	traced->process.call = traced_call;
	if (row->at)
		put(row, row->at, page, sizeof(row->block));
	descriptor_close(row->mem);
}

#endif
