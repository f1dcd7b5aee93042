/*
 * row.c - calls that a process makes in a row, and that nothing is left of it.
 *
 * The process is this test once more, stopped in its execve(2). inject.c puts a whole vDSO in.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/page.h"
#include "kernel/ptrace/row.h"
#include "tap.h"

#if HOST_CALLS

static pid_t pid;
static struct traced traced;
static uintptr_t code; /* the kernel's vDSO there */
static struct row row;

/* False where nobody may trace. */
static bool start(void)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int go[2], status;
	char byte = 0;
	struct auxvec vec;

	if (pipe(go))
		bail_out("no pipe");
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 1)
			execl("/proc/self/exe", "row", "program", NULL);
		_exit(1);
	}
	close(go[0]);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)options)) {
		close(go[1]);
		waitpid(pid, &status, 0);
		return false;
	}
	if (write(go[1], &byte, 1) != 1 || waitpid(pid, &status, __WALL) != pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8) || auxvec_read(&vec, pid) ||
	    traced_take(&traced, pid))
		bail_out("no stop at execve(2)");
	close(go[1]);
	code = auxvec_get(&vec, AT_SYSINFO_EHDR);
	return true;
}

static void finish(void)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		;
}

static long call(long nr, long first)
{
	return process_call(&traced.process, nr, first);
}

static void begin(void)
{
	start();
	if (row_open(&traced, &row, code))
		bail_out("no row");
	row_begin(&traced, &row);
}

/* What a row lies in. */
static bool look(unsigned char page[sizeof(struct row_block)])
{
	return !traced_read(pid, code, page, sizeof(struct row_block));
}

static void test_row(void)
{
	static unsigned char before[sizeof(struct row_block)], after[sizeof(before)];
	int made;

	begin();
	if (!look(before))
		bail_out("its memory cannot be read");
	ok(call(SYS_sched_yield, 0) == 0 && call(SYS_umask, 0) == 0 &&
		   call(SYS_close, 1234) == 0 && call(SYS_sched_yield, 0) == 0 &&
		   row.count == 4,
	   "calls are noted");
	traced.in_exec = true;
	made = row_run(&traced, &row);
	is(made, 1, "a row ends at the first that returns something else");
	ok(look(after) && !memcmp(after, calls_code_start, CALLS_CODE_SIZE),
	   "its code has taken the place of other code");
	is(regs_result(&traced.saved), 0,
	   "the execve(2) that it has come out of has succeeded");
	ok(traced.process.call == traced_call, "after that none is noted any more");
	is(row_find(pid, &row.block, &code), -1, "it has not been left to itself");
	row_end(&traced, &row, before);
	ok(look(after) && !memcmp(before, after, sizeof(after)), "nothing of it is left");
	finish();
}

static void test_clear(void)
{
	static const unsigned char zeros[96];
	unsigned char bytes[96];
	uintptr_t room;

	begin();
	room = traced_room(&traced);
	memset(bytes, 1, sizeof(bytes));
	if (traced_write(pid, room, bytes, sizeof(bytes)))
		bail_out("its memory cannot be written");
	row_clear(&row, room + 16, 64);
	is(row_run(&traced, &row), 1, "a row clears memory as well");
	ok(!traced_read(pid, room, bytes, sizeof(bytes)) && !memcmp(bytes + 16, zeros, 64),
	   "... all that it is to clear");
	ok(bytes[15] == 1 && bytes[80] == 1, "... and nothing before and after it");
	finish();
}

/* The whole vDSO: a part of it cannot be unmapped. */
static long unmap_the_code(void)
{
	long err = -EINVAL;

	for (long pages = 1; err == -EINVAL && pages < 16; pages++)
		err = row_last(&traced, &row, SYS_munmap,
			       (const long[6]){(long)code, pages * (long)page_size()});
	return err;
}

static void test_full(void)
{
	long got = 0;

	begin();
	for (int i = 0; i < ROW_MAX; i++)
		got |= call(SYS_sched_yield, 0);
	ok(got == 0 && call(SYS_sched_yield, 0) == -ENOBUFS && row.count == ROW_MAX,
	   "no more calls are noted than a list has room for");
	is(row_run(&traced, &row), ROW_MAX, "... and all of them are made");
	is(row_last(&traced, &row, SYS_munmap, (const long[6]){1, 1}), -EINVAL,
	   "one more may fail");
	is(row.at, code, "... and leaves the code where it is");
	is(unmap_the_code(), 0, "one more may unmap the code");
	is(row.at, 0, "... and then there is nothing to be put back");
	row_end(&traced, &row, row.block.code);
	finish();
}

static void test_all(void)
{
	if (!start()) {
		skip(1, "ptrace is denied here");
		return;
	}
	finish();
	if (!code) {
		skip(1, "the kernel has given us no vDSO");
		return;
	}
	test_row();
	test_clear();
	test_full();
}

#else

static void test_all(void)
{
	skip(1, "on this machine calls are made one by one");
}

#endif

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		_exit(0);
	test_all();
	return done_testing();
}
