/*
 * slots.c - more waits at once than there are slots for their deadlines: one without a slot
 * goes by the machine's clock, which is noted, and a slot that is given back is used again.
 *
 * To have 16383 waits would take as many threads. So all slots but the last are taken from the
 * beginning.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/map/timens.h"
#include "kernel/ptrace/time/deadlines.h"
#include "kernel/ptrace/time/time_calls.h"
#include "tap.h"

#define SECOND 1000000000ll
#define AHEAD  (1000 * 86400 * SECOND)

static struct deadlines deadlines;

/* Whether it comes too early by its clock, which is behind the machine's. */
static bool is_early(long long ns)
{
	struct timespec now, until;
	long long end;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	end = now.tv_sec * SECOND + now.tv_nsec + ns;
	until = (struct timespec){end / SECOND, end % SECOND};
	syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec < end;
}

static void hear(int from)
{
	char byte;

	if (read(from, &byte, 1) != 1)
		_exit(99);
}

/* A process that waits for each of these after a word of ours; its status is what was early. */
static pid_t start(int *to, uintptr_t slots, const long long ns[2])
{
	int words[2];
	pid_t pid;

	if (pipe(words))
		bail_out("no pipe");
	*to = words[1];
	pid = fork();
	if (pid == 0) {
		int early = 0;

		alarm(30);
		close(words[1]);
		hear(words[0]);
		if (time_calls_filter(WALL_CLOCKS, false, false))
			_exit(98);
		for (int i = 0; i < 2 && ns[i]; i++) {
			hear(words[0]);
			early |= is_early(ns[i]) << i;
		}
		_exit(early);
	}
	close(words[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL,
		   (void *)(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)))
		bail_out("ptrace: %s", strerror(errno));
	deadlines_program(&deadlines, pid, slots);
	return pid;
}

static void tell(int to)
{
	if (write(to, "+", 1) != 1)
		bail_out("no pipe");
}

/* The next stop of a process, and on; returns its status if it has ended, else -1. */
static int serve(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		bail_out("it is gone");
	if (!WIFSTOPPED(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
	if (status >> 16 == PTRACE_EVENT_SECCOMP) {
		int how = deadlines_begin(&deadlines, pid);

		ptrace(how == PTRACE_SYSCALL ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, NULL);
	} else {
		deadlines_end(&deadlines, pid);
		ptrace(PTRACE_CONT, pid, NULL, NULL);
	}
	return -1;
}

static void found(void *arg, const struct deadline_wait *wait)
{
	(void)wait;
	++*(int *)arg;
}

static int waits(void)
{
	int count = 0;

	deadlines_each(&deadlines, found, &count);
	return count;
}

int main(void)
{
	/* By the right clock the first wait of the second one is too long for its alarm. */
	static const long long one[] = {SECOND / 5, 0}, two[] = {100 * SECOND, SECOND / 50};
	void *slots =
		mmap(NULL, DEADLINE_SLOTS_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct control *control = control_create();
	struct own_clocks clocks;
	int first_words, other_words, status = -1;
	pid_t first, other;

	if (slots == MAP_FAILED || !control)
		bail_out("no memory");
	control_read(control, &clocks);
	clocks.map[TIMENS_REALTIME] = clock_map_shift(-AHEAD);
	control_write(control, &clocks);
	deadlines_start(&deadlines, control, NULL);
	memset(deadlines.used, 0xff, sizeof(deadlines.used));
	deadlines.used[DEADLINE_SLOTS / 64 - 1] = ~0ull >> 1;

	first = start(&first_words, (uintptr_t)slots, one);
	other = start(&other_words, (uintptr_t)slots, two);
	tell(first_words);
	tell(first_words);
	while (!waits())
		serve(first);
	is(deadlines.failed, 0, "the last slot is as good as any");

	tell(other_words);
	tell(other_words);
	while (!deadlines.failed && status < 0)
		status = serve(other);
	is(deadlines.failed, other, "a wait without a slot is noted");
	is(deadlines.why, -ENOBUFS, "... with the reason");
	is(waits(), 1, "... and is left to the kernel");

	while ((status = serve(first)) < 0)
		;
	is(status, 0, "the wait that has the slot ends when its clock shows it");
	tell(other_words);
	while ((status = serve(other)) < 0)
		;
	is(status, 1, "the one without ends by the machine's clock, the next one has the slot");
	return done_testing();
}
