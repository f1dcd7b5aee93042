/*
 * deadlines.c - see deadlines.h.
 */
#include <errno.h>
#include <linux/futex.h>
#include <regs.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stub.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/maps.h"
#include "kernel/base/proc.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/map/timens.h"
#include "kernel/ptrace/time/answers.h"
#include "kernel/ptrace/time/deadlines.h"
#include "kernel/ptrace/time/lengths.h"
#include "kernel/ptrace/time/files.h"
#include "kernel/ptrace/time/rearm.h"
#include "kernel/ptrace/time/time_stop.h"
#include "kernel/ptrace/traced.h"

#define NO_SLOT (~0u)

/* A thread, or the one of a process. */
struct task {
	pid_t pid;       /* first: for by_pid() */
	uintptr_t slots; /* where its process has them; 0: nowhere */

	/* How far the kernel's clocks are ahead in its time namespace. */
	bool namespace_known;
	s64 ahead[TIMENS_CLOCKS];

	bool closed; /* its memory is, to us */

	/* The call that is under way, or NULL. */
	const struct time_call *call;
	const struct time_call *restarted; /* one that the kernel goes on with (restarts) */
	enum time_form form;
	uint64_t arg[6];
	bool answered; /* ... and is skipped */
	bool replaced; /* an argument of it, by a slot or another value */
	bool passes;   /* it names a length of time, which is length */
	bool restarts; /* ... and so does the call that goes on by restart_syscall(2) */
	struct length length;
	long alarm;              /* the result of alarm(2) that it will have */
	struct real_timer timer; /* of its process, if it is the first thread */
	bool was_rated;          /* the timer that it sets: so is what was left of that */
	/* Of a sleep that is made by another call (skip_sleep()). */
	uint64_t sleep[4];  /* its own arguments */
	uintptr_t sleep_at; /* where the other one ends; 0: there is none */
	bool sleeps;        /* ... and is under way */
	unsigned slot;
	struct deadline_wait wait;
};

void deadlines_start(struct deadlines *deadlines, struct control *control,
		     const struct vdso_files *files)
{
	*deadlines = (struct deadlines){.control = control, .files = files};
	if (control)
		control_read(control, &deadlines->armed);
	/* The first slot is the mark's. */
	deadlines->used[0] = 1;
	if (syscall(SYS_getrandom, &deadlines->mark, sizeof(deadlines->mark), 0) < 0)
		deadlines->mark = (long)(uintptr_t)deadlines ^ syscall(SYS_getpid);
	deadlines->mark |= 1; /* not what an empty slot has */
}

static int by_pid(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct task *find(const struct deadlines *deadlines, pid_t pid)
{
	struct task key = {.pid = pid};
	void *found = tfind(&key, &deadlines->tasks, by_pid);

	return found ? *(struct task **)found : NULL;
}

/* NULL without memory. */
static struct task *add(struct deadlines *deadlines, pid_t pid, uintptr_t slots)
{
	struct task *task = find(deadlines, pid);

	if (task) {
		task->slots = slots;
		return task;
	}
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->pid = pid;
	task->slots = slots;
	task->slot = NO_SLOT;
	if (tsearch(task, &deadlines->tasks, by_pid))
		return task;
	free(task);
	return NULL;
}

/* Not of one that is gone: its calls go by no clock any more. */
static int note(struct deadlines *deadlines, pid_t pid, int err)
{
	if (err != -ESRCH && !deadlines->failed) {
		deadlines->failed = pid;
		deadlines->why = err;
	}
	return PTRACE_CONT;
}

/* The first that is free, so that few pages are ever touched; or NO_SLOT. */
static unsigned take_slot(struct deadlines *deadlines)
{
	for (; deadlines->first_free < DEADLINE_SLOTS / 64; deadlines->first_free++) {
		uint64_t *used = &deadlines->used[deadlines->first_free];
		unsigned bit;

		if (!~*used)
			continue;
		bit = (unsigned)__builtin_ctzll(~*used);
		*used |= 1ull << bit;
		return deadlines->first_free * 64 + bit;
	}
	return NO_SLOT;
}

static void give_slot(struct deadlines *deadlines, struct task *task)
{
	unsigned word = task->slot / 64;

	if (task->slot == NO_SLOT)
		return;
	deadlines->used[word] &= ~(1ull << task->slot % 64);
	if (deadlines->first_free > word)
		deadlines->first_free = word;
	task->slot = NO_SLOT;
}

void deadlines_gone(struct deadlines *deadlines, pid_t pid)
{
	struct task *task = find(deadlines, pid);

	if (!task)
		return;
	give_slot(deadlines, task);
	tdelete(task, &deadlines->tasks, by_pid);
	free(task);
}

void deadlines_exec(struct deadlines *deadlines, pid_t pid)
{
	const struct task *first = find(deadlines, pid);
	unsigned long former;

	deadlines->execs = pid;
	deadlines->timer = first ? first->timer : (struct real_timer){0, 0};
	if (!ptrace(PTRACE_GETEVENTMSG, pid, NULL, &former) && (pid_t)former != pid)
		deadlines_gone(deadlines, (pid_t)former);
	deadlines_gone(deadlines, pid);
}

void deadlines_program(struct deadlines *deadlines, pid_t pid, uintptr_t slots)
{
	struct task *task;

	deadlines_gone(deadlines, pid);
	task = add(deadlines, pid, slots);
	if (task && deadlines->execs == pid)
		task->timer = deadlines->timer;
}

/* Its maker may say so late: by then it may have been asked about, or be another program. */
void deadlines_fork(struct deadlines *deadlines, pid_t pid)
{
	const struct task *maker = find(deadlines, pid);
	unsigned long made;

	if (maker && !ptrace(PTRACE_GETEVENTMSG, pid, NULL, &made) &&
	    !find(deadlines, (pid_t)made))
		add(deadlines, (pid_t)made, maker->slots);
}

/* A number in /proc/PID/status, or 0. */
static pid_t status_number(pid_t pid, const char *name)
{
	char text[4096], *line;

	proc_text(pid, "status", text, sizeof(text));
	line = strstr(text, name);
	return line ? atoi(line + strlen(name)) : 0;
}

/*
 * Adds a task that we have not heard of: a new thread or process may stop before the clone(2)
 * of its parent is reported.
 */
static struct task *unknown(struct deadlines *deadlines, pid_t pid, bool native)
{
	const struct task *maker;
	uintptr_t image = 0;

	/* A task that we may not look into has its slots where its parent has them. */
	if (native && !maps_image(pid, &image))
		return add(deadlines, pid,
			   image ? image + vdso_files_slots_at(deadlines->files) : 0);
	maker = find(deadlines, status_number(pid, "\nTgid:"));
	if (!maker)
		maker = find(deadlines, status_number(pid, "\nPPid:"));
	return maker ? add(deadlines, pid, maker->slots) : NULL;
}

/* Asked once for each program and each thread: setns(2) alone changes it later. */
static void know_namespace(struct task *task)
{
	struct timens_offset ahead[TIMENS_CLOCKS];
	bool other = false;
	int err;

	if (task->namespace_known)
		return;
	err = kernel_timens_ahead(task->pid, ahead, &other);
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		task->ahead[i] = !err && other
					 ? ahead[i].sec * (s64)NSEC_PER_SEC + (s64)ahead[i].nsec
					 : 0;
	task->namespace_known = true;
}

/* All of them; a failure is asked about once more. Return 0 or -errno. */
static int read_regs(pid_t pid, struct user_regs_struct *regs)
{
	/* NOLINTNEXTLINE(misc-redundant-expression): a second try, not a second condition */
	return regs_read(pid, regs) && regs_read(pid, regs) ? error_from("ptrace") : 0;
}

static int write_regs(pid_t pid, const struct user_regs_struct *regs)
{
	/* NOLINTNEXTLINE(misc-redundant-expression): a second try, not a second condition */
	return regs_write(pid, regs) && regs_write(pid, regs) ? error_from("ptrace") : 0;
}

struct slots {
	uintptr_t start;
	bool there;
};

/* Neighbours that are alike are one mapping to the kernel. */
static bool is_slots(void *arg, const struct map_range *range)
{
	struct slots *slots = arg;

	if (range->end <= slots->start)
		return true;
	slots->there = range->start <= slots->start &&
		       range->end - slots->start >= DEADLINE_SLOTS_SIZE &&
		       !strcmp(range->rights, "r--p") && !range->name[0];
	return false;
}

/* Are its slots still there? Return 0 or -errno. */
static int find_slots(const struct deadlines *deadlines, const struct task *task)
{
	struct slots slots = {.start = task->slots};
	long mark;
	int err;

	errno = 0;
	mark = ptrace(PTRACE_PEEKDATA, task->pid, (void *)task->slots, NULL);
	if (!errno && mark == deadlines->mark)
		return 0;
	if (errno == ESRCH)
		return -ESRCH;
	err = maps_walk(task->pid, is_slots, &slots);
	if (err)
		return err;
	if (!slots.there)
		return error_by("ptrace", -EFAULT);
	return ptrace(PTRACE_POKEDATA, task->pid, (void *)task->slots, (void *)deadlines->mark)
		       ? error_from("ptrace")
		       : 0;
}

/* Into the slot, which the program cannot write to: by words, as ptrace(2) can all the same. */
static int put(const struct deadlines *deadlines, const struct task *task,
	       const struct time_words *words)
{
	uintptr_t at = task->slots + task->slot * TIME_VALUE_MAX;
	union {
		unsigned char bytes[TIME_VALUE_MAX];
		long word[TIME_VALUE_MAX / sizeof(long)];
	} value = {{0}};
	size_t size = time_words_bytes(words, value.bytes);
	int err = task->slot == NO_SLOT ? -ENOBUFS : find_slots(deadlines, task);

	if (err)
		return err;
	for (size_t i = 0; i * sizeof(long) < size; i++)
		if (ptrace(PTRACE_POKEDATA, task->pid, (void *)(at + i * sizeof(long)),
			   (void *)value.word[i]))
			return error_from("ptrace");
	return 0;
}

/* For a timer, no time at all means that it is stopped: a time that is over is one that is not.
 */
static s64 not_none(s64 ns, bool timer)
{
	return timer && ns < 1 ? 1 : ns;
}

/*
 * Reads the deadline and converts it, the interval of a timer with it. False: it is for the
 * kernel as it is.
 */
static bool convert(const struct time_stop *stop, struct time_words *words,
		    struct deadline_wait *wait)
{
	uintptr_t at = (uintptr_t)stop->arg[(int)stop->call->time];
	unsigned value;
	bool timer;
	s64 ns;

	*words = time_words_of(stop->call->layout, stop->form);
	value = words->count / 2 - 1;
	timer = value == 1;
	if (!at || time_words_read(words, stop->pid, at) || !time_words_valid(words, 0) ||
	    !time_words_valid(words, value))
		return false;
	ns = time_words_ns(words, value);
	if (timer && ns == 0)
		return false;
	*wait = (struct deadline_wait){.pid = stop->pid, .until = ns, .call = stop->call->name};
	wait->clock = time_stop_clock(stop);
	wait->with = timens_clock_of(wait->clock);
	/* Also by a clock that is the kernel's: it may be changed meanwhile. */
	if (wait->with < 0)
		return false;
	time_words_set(words, value, not_none(time_stop_kernel(stop, wait->clock, ns), timer));
	ns = timer ? time_words_ns(words, 0) : 0;
	if (ns)
		time_words_set(
			words, 0,
			not_none(clock_map_wait(&stop->clocks.map[wait->with], ns), true));
	return true;
}

/*
 * The memory of a call could not be used: because the process has closed it to us? EFAULT is
 * the program's mistake, and the kernel tells it so; any other error is ours, and is reported.
 */
static bool is_closed(struct deadlines *deadlines, struct task *task,
		      const struct time_stop *stop)
{
	char byte;
	int err = traced_read(stop->pid, (uintptr_t)stop->arg[(int)stop->call->time], &byte, 1);

	if (err && err != -EPERM && err != -EFAULT)
		note(deadlines, stop->pid, err);
	if (err != -EPERM)
		return false;
	if (!task->closed)
		deadlines->closed = stop->pid;
	task->closed = true;
	return true;
}

/* Returns how it goes on: to its end, if there is something to be done then. */
static int begin_wait(struct deadlines *deadlines, struct task *task,
		      const struct time_stop *stop, struct user_regs_struct *regs)
{
	struct time_words words;
	uintptr_t at;
	int err;

	if (stop->call->does == FILE_SET ? !files_convert(stop, &words)
					 : !convert(stop, &words, &task->wait)) {
		is_closed(deadlines, task, stop);
		return PTRACE_CONT;
	}
	task->was_rated = stop->call->left >= 0 && time_stop_is_rated(stop);
	task->slot = take_slot(deadlines);
	at = task->slots + task->slot * TIME_VALUE_MAX;
	regs_set_arg(regs, stop->form != FORM_64, (unsigned)stop->call->time, at);
	err = put(deadlines, task, &words);
	if (!err)
		err = write_regs(stop->pid, regs);
	if (err) {
		give_slot(deadlines, task);
		return note(deadlines, stop->pid, err);
	}
	task->call = stop->call;
	task->replaced = true;
	return PTRACE_SYSCALL;
}

static int begin_answer(struct deadlines *deadlines, struct task *task, struct time_stop *stop,
			struct user_regs_struct *regs)
{
	long result = answer(stop);
	int err;

	if (result == -EFAULT && stop->call->does == TIME_TOLD &&
	    is_closed(deadlines, task, stop))
		return PTRACE_CONT;
	stub_refuse_call(stop->pid, regs);
	regs_set_result(regs, result);
	err = write_regs(stop->pid, regs);
	if (err)
		note(deadlines, stop->pid, err);
	if (stop->changed)
		deadlines_changed(deadlines);
	if (!REGS_SKIP_TAKES_NR)
		return PTRACE_CONT;
	task->call = stop->call;
	task->answered = true;
	return PTRACE_SYSCALL;
}

static void fill_stop(struct deadlines *deadlines, struct task *task, struct time_stop *stop)
{
	know_namespace(task);
	memcpy(stop->ahead, task->ahead, sizeof(stop->ahead));
	stop->control = deadlines->control;
	control_read(deadlines->control, &stop->clocks);
}

/*
 * nanosleep(2), where what we write in the place of its first argument changes nothing any
 * more: it is skipped, and in its place clock_nanosleep(2) is made, which has the time
 * elsewhere.
 */
static int skip_sleep(struct deadlines *deadlines, struct task *task,
		      const struct time_stop *stop, struct user_regs_struct *regs)
{
	int err;

	stub_refuse_call(stop->pid, regs);
	err = write_regs(stop->pid, regs);
	if (err)
		return note(deadlines, stop->pid, err);
	task->call = stop->call;
	task->answered = true;
	return PTRACE_SYSCALL;
}

/* Skipped: the instruction is executed once more, and stops as the other call. */
static void sleep_by_other(struct task *task, struct user_regs_struct *regs)
{
	const long arg[6] = {CLOCK_MONOTONIC,    0,
			     (long)task->arg[0], (long)task->arg[1],
			     (long)task->arg[4], (long)task->arg[5]};

	memcpy(task->sleep, task->arg, sizeof(task->sleep));
	task->sleep_at = regs_pc(regs);
	regs_for_call(regs, regs_pc(regs) - sizeof(traced_instruction), SYS_clock_nanosleep,
		      arg);
}

/* A handler's calls may come before it. */
static bool is_other_sleep(const struct task *task, const struct time_stop *stop,
			   const struct user_regs_struct *regs)
{
	return task->sleep_at && task->sleep_at == regs_pc(regs) &&
	       stop->call->nr[stop->form] == SYS_clock_nanosleep &&
	       stop->arg[0] == CLOCK_MONOTONIC && stop->arg[1] == 0 &&
	       stop->arg[2] == task->sleep[0] && stop->arg[3] == task->sleep[1];
}

/* The program finds all registers as nanosleep(2) leaves them. */
static void end_other_sleep(struct task *task, struct user_regs_struct *regs)
{
	for (unsigned i = 1; i < 4; i++)
		regs_set_arg(regs, false, i, (uintptr_t)task->sleep[i]);
	regs_set_nr(regs, SYS_nanosleep);
	task->sleep_at = 0;
}

/* The task that keeps the process's timer: its first thread's, which ends last. */
static struct task *knows_timer(const struct deadlines *deadlines, struct task *task)
{
	struct task *first = find(deadlines, status_number(task->pid, "\nTgid:"));

	return first ? first : task;
}

/* A length of time, if there is one. */
static int begin_length(struct deadlines *deadlines, struct task *task,
			const struct time_stop *stop, struct user_regs_struct *regs)
{
	struct time_words words;
	long value = 0;
	enum length_kind kind = length_convert(stop, &words, &value, &task->length);
	struct task *first = NULL;
	int err = 0;

	if (kind == LENGTH_AS_IT_IS) {
		is_closed(deadlines, task, stop);
		if (!task->sleeps)
			return PTRACE_CONT;
		task->call = stop->call;
		task->passes = true;
		return PTRACE_SYSCALL;
	}
	if (REGS_KEEPS_FIRST_ARG && kind == LENGTH_IN_WORDS && stop->call->time == 0)
		return skip_sleep(deadlines, task, stop, regs);
	if (length_sets_real_timer(stop))
		first = knows_timer(deadlines, task);
	if (kind != LENGTH_IN_REGISTER) {
		task->slot = take_slot(deadlines);
		value = (long)(task->slots + task->slot * TIME_VALUE_MAX);
		err = put(deadlines, task, &words);
	}
	if (kind == LENGTH_IN_TIMER) {
		task->alarm = length_of_alarm(stop, &first->timer);
		length_make_timer(stop->form, regs, (uintptr_t)value);
	} else {
		regs_set_arg(regs, stop->form != FORM_64, (unsigned)stop->call->time,
			     (uintptr_t)value);
	}
	if (!err)
		err = write_regs(stop->pid, regs);
	if (err) {
		give_slot(deadlines, task);
		return note(deadlines, stop->pid, err);
	}
	if (first)
		first->timer = length_real_timer(&words, &task->length);
	task->call = stop->call;
	task->replaced = task->passes = true;
	return PTRACE_SYSCALL;
}

/* Its arguments are still those of the call that goes on, in the form of that. */
static int begin_again(struct task *task)
{
	/* fanalyzer: a task is not lost, tsearch(3) keeps it */
	if (!task->restarts)
		return PTRACE_CONT;
	task->call = task->restarted;
	task->passes = true;
	return PTRACE_SYSCALL;
}

/* With the flag for it, or the operation, it is a deadline. */
static bool is_length(const struct time_stop *stop)
{
	const struct time_call *call = stop->call;

	if (!call->passes)
		return call->does == TIME_PASSES;
	if (call->clock == BY_FUTEX)
		return ((unsigned)stop->arg[1] & FUTEX_OPERATION) == FUTEX_WAIT;
	return !((unsigned)stop->arg[(int)call->flags] & call->bit);
}

/*
 * What is left of a length of time; the result is the kernel's, or one that restarts it. It is
 * read first: on some machines the first argument and the result are one register.
 */
static void end_length(const struct task *task, const struct time_stop *stop,
		       struct user_regs_struct *regs)
{
	bool is_32 = task->form != FORM_64;
	long result = regs_result(regs);

	if (task->call->layout == LAYOUT_IN_SECONDS) {
		for (unsigned i = 0; i < 3; i++)
			regs_set_arg(regs, is_32, i, (uintptr_t)task->arg[i]);
		regs_set_nr(regs, task->call->nr[task->form]);
		regs_set_result(regs, task->alarm);
		return;
	}
	regs_set_arg(regs, is_32, (unsigned)task->call->time,
		     (uintptr_t)task->arg[(int)task->call->time]);
	regs_set_result(regs, length_end(stop, &task->length, result));
}

/* With the program's own arguments, as it was; the one time a result is not the kernel's. */
static void end_wait(const struct task *task, const struct time_stop *stop,
		     struct user_regs_struct *regs)
{
	/* What was left of the timer until now. */
	if (task->was_rated && task->call->layout == LAYOUT_ITIMERSPEC &&
	    regs_result(regs) == 0)
		length_tell_left(stop, (unsigned)task->call->left, LAYOUT_ITIMERSPEC,
				 task->wait.with);
	regs_set_arg(regs, task->form != FORM_64, (unsigned)task->call->time,
		     (uintptr_t)task->arg[(int)task->call->time]);
	if (regs_result(regs) == -RESTART_BLOCK)
		regs_set_result(regs, -RESTART_NO_HANDLER);
}

/*
 * A filter of the program's own may stop a call in the name of ours. With a clock for which
 * ours would have let it pass there is nothing to answer.
 */
static bool has_no_clock(const struct time_stop *stop)
{
	int id =
		stop->call->clock < 0 ? CLOCK_REALTIME : (int)stop->arg[(int)stop->call->clock];

	if (stop->call->does == TIME_SET)
		return id != CLOCK_REALTIME;
	return stop->call->does == TIME_TOLD && timens_clock_of(id) < 0;
}

int deadlines_begin(struct deadlines *deadlines, pid_t pid)
{
	struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
	struct time_stop stop = {.pid = pid};
	struct task *task = find(deadlines, pid);
	struct user_regs_struct regs;
	int err;

	/* NOLINTNEXTLINE(misc-redundant-expression): likewise */
	if ((ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0 &&
	     ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0) ||
	    info.op != PTRACE_SYSCALL_INFO_SECCOMP ||
	    info.seccomp.ret_data != TIME_CALLS_FILTER)
		return -1;
	if (!task)
		task = unknown(deadlines, pid, info.arch == REGS_AUDIT_ARCH);
	stop.call = time_call_find(info.arch, info.seccomp.nr, &stop.form);
	if (!task)
		return note(deadlines, pid, error_by("calloc", -ENOMEM));
	/* fanalyzer: nor here */
	if (!task->slots || !stop.call)
		return PTRACE_CONT;
	err = read_regs(pid, &regs);
	if (err)
		return note(deadlines, pid, err);
	task->answered = task->replaced = task->passes = task->sleeps = false;
	if (stop.call->does == TIME_AGAIN)
		return begin_again(task);
	/* Another call: the one before will not go on. */
	task->restarts = false;
	memcpy(stop.arg, info.seccomp.args, sizeof(stop.arg));
	if (has_no_clock(&stop))
		return PTRACE_CONT;
	fill_stop(deadlines, task, &stop);
	task->form = stop.form;
	memcpy(task->arg, stop.arg, sizeof(task->arg));
	task->sleeps = REGS_KEEPS_FIRST_ARG && is_other_sleep(task, &stop, &regs);
	if (is_length(&stop))
		return begin_length(deadlines, task, &stop, &regs);
	if (stop.call->does == TIME_ENDS || stop.call->does == FILE_SET)
		return begin_wait(deadlines, task, &stop, &regs);
	if (!answer_is_left(&stop))
		return begin_answer(deadlines, task, &stop, &regs);
	if (is_closed(deadlines, task, &stop))
		return PTRACE_CONT;
	task->call = stop.call;
	return PTRACE_SYSCALL;
}

/* Returns whether registers are to be written back. */
static bool end_call(struct deadlines *deadlines, struct task *task,
		     struct user_regs_struct *regs)
{
	struct time_stop stop = {.pid = task->pid, .call = task->call, .form = task->form};

	if (task->answered) {
		regs_set_nr(regs, task->call->nr[task->form]);
		if (task->call->does == TIME_PASSES)
			sleep_by_other(task, regs);
		return true;
	}
	memcpy(stop.arg, task->arg, sizeof(stop.arg));
	fill_stop(deadlines, task, &stop);
	task->restarts = task->passes && regs_result(regs) == -RESTART_BLOCK;
	task->restarted = task->call;
	if (task->passes && task->replaced)
		end_length(task, &stop, regs);
	else if (task->passes)
		length_end(&stop, &task->length, regs_result(regs));
	else if (task->replaced)
		end_wait(task, &stop, regs);
	else if (regs_result(regs) >= 0)
		answer_exchange(&stop);
	if (task->sleeps)
		end_other_sleep(task, regs);
	return task->replaced || task->sleeps;
}

void deadlines_end(struct deadlines *deadlines, pid_t pid)
{
	struct task *task = find(deadlines, pid);
	struct user_regs_struct regs;
	int err;

	if (!task || !task->call)
		return;
	give_slot(deadlines, task);
	err = read_regs(pid, &regs);
	if (!err && end_call(deadlines, task, &regs))
		err = write_regs(pid, &regs);
	if (err)
		note(deadlines, pid, err);
	task->call = NULL;
}

/* For twalk(3), which passes nothing on. */
static struct {
	void (*each)(void *arg, const struct deadline_wait *wait);
	void *arg;
} walk;

static void visit(const void *node, VISIT order, int depth)
{
	const struct task *task = *(struct task *const *)node;

	(void)depth;
	/* A call of TIME_ENDS may have been given a length of time. */
	if ((order == postorder || order == leaf) && task->call && task->replaced &&
	    !task->passes && task->call->does == TIME_ENDS)
		walk.each(walk.arg, &task->wait);
}

void deadlines_each(struct deadlines *deadlines,
		    void (*each)(void *arg, const struct deadline_wait *wait), void *arg)
{
	walk.each = each;
	walk.arg = arg;
	twalk(deadlines->tasks, visit);
}

static void interrupt(void *arg, const struct deadline_wait *wait)
{
	(void)arg;
	ptrace(PTRACE_INTERRUPT, wait->pid, NULL, NULL);
}

/* The timers of a process, by its first thread. */
static void rearm(const void *node, VISIT order, int depth)
{
	const struct task *task = *(struct task *const *)node;

	(void)depth;
	if ((order == postorder || order == leaf) && task->slots)
		rearm_process(walk.arg, task->pid);
}

void deadlines_changed(struct deadlines *deadlines)
{
	static struct rearm change;

	change.before = deadlines->armed;
	control_read(deadlines->control, &deadlines->armed);
	change.after = deadlines->armed;
	deadlines_each(deadlines, interrupt, NULL);
	walk.arg = &change;
	twalk(deadlines->tasks, rearm);
	rearm_end(&change);
}
