/*
 * row.c - see row.h.
 */
#include <errno.h>
#include <host.h>
#include <stddef.h>
#include <string.h>

#include "kernel/ptrace/row.h"

#if HOST_CALLS

_Static_assert(sizeof(struct listed_call) == LISTED_SIZE, "calls.S");
_Static_assert(offsetof(struct listed_call, nr) == LISTED_NR, "calls.S");
_Static_assert(offsetof(struct listed_call, arg) == LISTED_ARGS, "calls.S");
_Static_assert(offsetof(struct listed_call, result) == LISTED_RESULT, "calls.S");
_Static_assert(CALLS_CODE_SIZE % sizeof(long) == 0, "ptrace(2) writes words");

/* Not process_vm_writev(2), which keeps to what the process itself may write. */
static int put_code(pid_t pid, uintptr_t at, const unsigned char code[CALLS_CODE_SIZE])
{
	for (size_t i = 0; i < CALLS_CODE_SIZE; i += sizeof(long)) {
		long word;

		memcpy(&word, code + i, sizeof(word));
		if (ptrace(PTRACE_POKETEXT, pid, (void *)(at + i), (void *)word))
			return error_from("ptrace");
	}
	return 0;
}

/* What process.call is meanwhile. */
static long note(struct process *process, long nr, const long arg[6])
{
	struct row *row = ((struct traced *)process)->row;
	struct listed_call *call = &row->call[row->count];

	/* Asked of /proc, and not of the process. */
	if (nr == SYS_personality)
		return traced_call(process, nr, arg);
	if (row->count == ROW_MAX)
		return -ENOBUFS;
	*call = (struct listed_call){.nr = nr, .result = nr == HOST_SYS_MMAP ? arg[0] : 0};
	for (int i = 0; i < 6; i++)
		call->arg[i] = arg[i];
	row->count++;
	return call->result;
}

int row_begin(struct traced *traced, struct row *row, uintptr_t code)
{
	int err;

	row->count = 0;
	row->code = 0;
	err = traced_read(traced->pid, code, row->was, sizeof(row->was));
	if (err)
		return err;
	row->code = code;
	err = put_code(traced->pid, code, calls_code_start);
	if (err) {
		row_end(traced, row);
		return err;
	}
	traced->row = row;
	traced->process.call = note;
	return 0;
}

static uintptr_t list_of(const struct traced *traced)
{
	return traced_room(traced) - sizeof(((struct row *)0)->call);
}

int row_run(struct traced *traced)
{
	static const struct listed_call nothing[ROW_MAX + 1];
	struct row *row = traced->row;
	uintptr_t at = list_of(traced);
	size_t size = (row->count + 1) * sizeof(row->call[0]);
	struct user_regs_struct regs = traced->saved;
	int err;

	traced->process.call = traced_call;
	row->call[row->count].nr = LISTED_END;
	regs_for_row(&regs, row->code, at);
	err = traced_write(traced->pid, at, row->call, size);
	if (!err)
		err = traced_set_regs(traced->pid, &regs);
	if (!err) {
		/* What execve(2) is about to return. */
		if (traced->in_exec)
			regs_set_result(&traced->saved, 0);
		err = traced_run_to_trap(traced, PTRACE_CONT);
	}
	/* A filter may have answered one by a signal: then that one has not been made. */
	if (!err || err == -EFAULT)
		err = traced_regs(traced->pid, &regs);
	traced_write(traced->pid, at, nothing, size);
	return err ? err : (int)((regs_row(&regs) - at) / LISTED_SIZE);
}

long row_last(struct traced *traced, struct row *row, long nr, const long arg[6])
{
	struct user_regs_struct regs = traced->saved;
	size_t at = 0;
	int err;

	while (memcmp(calls_code_start + at, traced_instruction, sizeof(traced_instruction)))
		at++;
	regs_for_call(&regs, row->code + at, nr, arg);
	err = traced_set_regs(traced->pid, &regs);
	if (!err)
		err = traced_run_to_trap(traced, PTRACE_SINGLESTEP);
	if (!err)
		err = traced_regs(traced->pid, &regs);
	if (!err && regs_result(&regs) == 0)
		row->code = 0;
	return err ? err : regs_result(&regs);
}

void row_end(struct traced *traced, struct row *row)
{
	traced->process.call = traced_call;
	if (row->code)
		put_code(traced->pid, row->code, row->was);
	row->code = 0;
}

#endif
