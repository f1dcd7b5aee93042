/*
 * run.c - see run.h. In the order in which a kernel would do it:
 *
 *	find the program        before anything else: most failures are here
 *	make the data pages     and who keeps them, an attendant (keep/keeper.h)
 *	make the image          meanwhile: check it, fit it to the CPU, seal
 *	become the program      a ladder: the first way that is not denied here
 *
 * 1. The kernel execs, an attendant traces this process meanwhile, is told of it, and puts the
 *    vDSO in from outside (ptrace/follow.c). All that execve(2) promises is kept. The attendant
 *    is the timekeeper, which lets go before the first instruction; with --follow another one,
 *    which does the same for each program of the tree. With a trace it is our parent
 *    (supervise.h).
 * 2. By hand: place the vDSO here, map the program beside it, unmap what was here before
 *    (exec/exec.c). It needs nobody, but not all can be done by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h> /* snprintf: to memory, never to a stream */
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/proc.h"
#include "kernel/base/process.h"
#include "kernel/base/wait.h"
#include "kernel/exec/exec.h"
#include "kernel/foreign/probe.h"
#include "kernel/image/check/check.h"
#include "kernel/keep/keeper.h"
#include "kernel/map/kernel_timens.h"
#include "kernel/ptrace/follow.h"
#include "kernel/ptrace/settle.h"
#include "kernel/ptrace/time/time_calls.h"
#include "kernel/run/clocks.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"
#include "kernel/time/timekeeper.h"

/* What a process of ours may use of its stack, and some. */
#define STACK_NEEDED (64 << 10)

/* How much slower than with the kernel's vDSO a clock must be until a user is told without -v.
 */
#define SLOWER_TO_TELL 3

/* How often show() tries to make this process visible again. */
#define SHOWS_MAX 4

/* With a trace: how long a parent that has failed may take to end its child. */
#define TRACER_MS 1000

/* All that becoming a program takes. */
struct start {
	const struct run_request *request;
	struct program program;
	struct keeper keeper;
	struct follow follow;
	struct attendant tracer; /* with follows */
	bool follows;            /* the tree, in this attempt */
	bool cannot_follow;      /* the attempt has failed because of that */
	const char *why_not;     /* if clocks are changed, and nobody asked for that; or NULL */
	bool traced;             /* by an attendant, whose end would be that of this process */
};

/* Has nobody asked for it in so many words? Then it can be done without, but for a rate. */
static bool is_implied(const struct start *start)
{
	return start->follows && start->request->follow == RUN_FOLLOW_WITH_CLOCKS &&
	       !start->request->shift_files && !clocks_are_rated(start->request);
}

/* What a message is about. */
static const char *what_of(const struct start *start)
{
	if (!start->follows || is_implied(start))
		return "run";
	return clocks_why_followed(start->request);
}

/* With a trace it is a copy of the image, which counts. */
static int make_image(struct start *start, struct error *error)
{
	const struct run_request *request = start->request;
	const struct vvar *vvar = &start->keeper.vvar;
	struct follow *follow = &start->follow;
	int err = vdso_files_open(&follow->files, &request->image, vvar, request->force, error);

	if (err || !request->trace)
		return err;
	vdso_files_close(&follow->files);
	err = trace_open(request->trace, &request->image, error);
	if (!err)
		err = vdso_files_open(&follow->files, &request->trace->counted.image, vvar,
				      true, error);
	follow->trace = request->trace;
	follow->files.counters = request->trace->counters;
	return err;
}

/*
 * What the timekeeper does at first, where it is the tracer. The files are open in the program
 * alone.
 */
static int begin_tracing(void *arg, pid_t owner, const void *files, struct error *error)
{
	struct start *start = arg;

	start->follow.files = *(const struct vdso_files *)files;
	return follow_start(&start->follow, owner, error);
}

static void update(void *tk)
{
	timekeeper_update(tk);
}

static void trace_to_end(void *arg, struct timekeeper *tk)
{
	struct start *start = arg;

	start->follow.before_first = update;
	start->follow.arg = tk;
	follow_to_end(&start->follow);
}

/* What another attendant does, with --follow: time is kept apart from tracing. */
static void trace_tree(void *arg, int in, int out)
{
	struct start *start = arg;
	const struct vdso_files *files = &start->follow.files;
	const int keep[] = {in, out, files->data, files->image, STDERR_FILENO};
	static struct error error;
	int err;

	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
	desk_open(&start->follow.desk); /* without one nobody can ask */
	attendant_title("uvdso-follow", start->keeper.owner_pid, start->follow.desk.name);
	err = attendant_receive(in, &start->follow.files, sizeof(start->follow.files));
	if (!err && start->keeper.left_timens)
		err = kernel_timens_join(start->keeper.owner_pid);
	if (err)
		error_system(&error, err, what_of(start));
	else
		err = follow_start(&start->follow, start->keeper.owner_pid, &error);
	attendant_answer(out, err, &error);
	if (!err)
		follow_to_end(&start->follow);
	_exit(0);
}

/* These stay open in the program until the tracer has mapped them there. */
static int pass_on_files(const struct vdso_files *files, struct error *error)
{
	const int fd[] = {files->data, files->image, files->counters};

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		if (fd[i] >= 0 && fcntl(fd[i], F_SETFD, 0))
			return error_system(error, error_from("fcntl"), "run");
	return 0;
}

/* There is no program without a name: a call that only a filter or an old kernel denies. */
static int may_exec(struct error *error)
{
	int err;

	syscall(SYS_execve, NULL, NULL, NULL);
	err = error_from("execve");
	return error_is_denial(err) ? error_system(error, err, "run") : 0;
}

/* Of no format that the kernel knows, or for a rung that knows only ours. */
static int refuse_format(const struct start *start, struct error *error)
{
	*error = start->program.refusal;
	return -ENOEXEC;
}

/* execve(2) has come back. */
static int exec_failed(const struct start *start, struct error *error)
{
	if (start->program.other_format && errno == ENOEXEC)
		return refuse_format(start, error);
	return error_cannot_run(error, start->program.path, "%s",
				error_of_file("execve", -errno));
}

/*
 * To be called at the last moment: until then the run may fail for the same reason, and then
 * there is one message.
 */
static void tell_not_followed(const struct start *start)
{
	if (start->why_not)
		event_tell(&start->request->events,
			   &(struct event){.kind = EVENT_NOT_FOLLOWED, .why = start->why_not});
}

/* The first rung. Returns only on failure; what the second can still help with is -EPERM. */
static int become_by_kernel(struct start *start, struct error *error)
{
	const struct run_request *request = start->request;
	const struct control *control = start->follow.control;
	struct attendant *tracer = start->follows ? &start->tracer : &start->keeper.timekeeper;
	bool answered;
	int err;

	/* After execve(2) it is too late for the second rung. */
	if (!getauxval(AT_SYSINFO_EHDR))
		return error_self(error, -ENOEXEC, what_of(start),
				  "the kernel gives programs no vDSO that could be replaced");
	err = may_exec(error);
	if (!err)
		err = pass_on_files(&start->follow.files, error);
	if (err)
		return err;
	/*
	 * Where Yama is, a process may be traced by none but its ancestors (Yama.rst). This
	 * holds for the program, too, until the attendant ends; that runs no code but ours.
	 */
	prctl(PR_SET_PTRACER, tracer->pid, 0, 0, 0);
	err = attendant_ask(tracer, &start->follow.files, sizeof(start->follow.files),
			    &answered, error);
	/* Its end would be ours, before we have said why. */
	start->traced = err && !answered;
	if (err) {
		prctl(PR_SET_PTRACER, 0, 0, 0, 0);
		error_about(error, what_of(start));
		return err;
	}
	start->traced = true;
	if (start->follow.settles)
		settle_filter();
	if (control) {
		err = time_calls_filter(control->steady ? WALL_CLOCKS | STEADY_CLOCKS
							: WALL_CLOCKS,
					control->rate_all, control->files);
		if (err)
			return error_system(error, err, what_of(start));
	}
	tell_not_followed(start);
	execve(start->program.path, request->argv, request->envp);
	return exec_failed(start, error);
}

/*
 * By hand /proc/PID/exe must be redirected, too, or programs that look for their own files
 * there (java, node) do not find them. That takes a capability.
 */
static bool may_change_exe(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint64_t effective;

	if (syscall(SYS_capget, &header, data))
		return false;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return effective & (1ull << CAP_SYS_ADMIN | 1ull << CAP_CHECKPOINT_RESTORE);
}

/* The second rung. Returns only on failure. */
static int become_by_hand(struct start *start, struct error *error)
{
	const struct run_request *request = start->request;
	struct placement vdso;
	struct exec_request exec = {
		.program = &start->program,
		.envp = request->envp,
		.vdso = &vdso,
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.events = &request->events,
	};
	sigset_t all;
	int err = vdso_files_place(&process_self, &start->follow.files, &vdso, error);

	if (err) {
		error_about(error, "run");
		return err;
	}
	vdso_files_close(&start->follow.files);
	keeper_release(&start->keeper);
	exec.close[0] = start->keeper.timekeeper.pidfd;
	exec.close[1] = start->keeper.watchdog.pidfd;
	if (!may_change_exe())
		event_verbose(&request->events, EVENT_EXE_STAYS,
			      .why = "changing it takes CAP_CHECKPOINT_RESTORE");
	tell_not_followed(start);
	/* Between two programs there is nobody to take a signal. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &exec.mask);
	err = exec_program(&exec, error);
	sigprocmask(SIG_SETMASK, &exec.mask, NULL);
	return err;
}

static int become_program(struct start *start, struct error *error)
{
	const struct run_request *request = start->request;
	char why[sizeof(error->why)] = "as asked for";
	int err;

	if (request->exec != RUN_BY_HAND) {
		err = become_by_kernel(start, error);
		start->cannot_follow = start->follows;
		if (start->traced || start->follows || request->exec == RUN_BY_KERNEL)
			return err;
		memcpy(why, error->why, sizeof(why));
	}
	if (start->program.other_format)
		return refuse_format(start, error);
	event_verbose(&request->events, EVENT_BY_HAND, .why = why);
	*error = (struct error){0};
	err = become_by_hand(start, error);
	/* What failed on both rungs, if it is we who failed. */
	if (request->exec == RUN_BY_ANY && error->status == ERROR_SELF)
		error_add(error, "; and by execve(2): %s", why);
	return err;
}

/*
 * A byte comes on go when our parent has become our tracer. The pipe ends without one if it is
 * gone, and nothing traces us; or if it has failed, has said so, and kills us.
 */
static int wait_for_tracer(int go, pid_t parent)
{
	int err = -ECHILD;
	char byte;

	for (unsigned turn = 0; err == -ECHILD && turn < TRACER_MS; turn++) {
		if (turn)
			pause_ns(1000000);
		err = attendant_receive(go, &byte, 1);
		if (err == -ECHILD && getppid() != parent)
			_exit(ERROR_SELF);
	}
	return err == -ECHILD ? error_by("read", -EIO) : err;
}

static int become_traced(struct start *start, int go, pid_t parent, const sigset_t *mask,
			 struct error *error)
{
	const struct run_request *request = start->request;
	int err = wait_for_tracer(go, parent);

	if (!err)
		err = trace_filter();
	if (err)
		return error_system(error, err, "trace");
	err = pass_on_files(&start->follow.files, error);
	if (err)
		return err;
	sigprocmask(SIG_SETMASK, mask, NULL);
	tell_not_followed(start);
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): program_open() found it */
	execve(start->program.path, request->argv, request->envp);
	return exec_failed(start, error);
}

/*
 * What the child does until it is the program. Only failures come back; they are told from
 * here, as base/event.h says, and become the exit status.
 */
static _Noreturn void run_child(struct start *start, int go, pid_t parent, const sigset_t *mask)
{
	const struct events *events = &start->request->events;
	struct error error = {0};

	become_traced(start, go, parent, mask, &error);
	event_tell(events,
		   &(struct event){.kind = EVENT_FAILED, .what = error.what, .why = error.why});
	_exit(error.status);
}

/*
 * With a trace: the program as a child. Returns its process id or -errno; or 0 with
 * *wait_status, if it has failed before it was traced, and has said why.
 */
static pid_t start_child(struct start *start, const sigset_t *mask, int *wait_status,
			 struct error *error)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, chld;
	pid_t parent = getpid(), child;
	int go[2], err;

	if (pipe2(go, O_CLOEXEC))
		return error_system(error, error_from("pipe2"), "trace");
	/* With SIGCHLD ignored wait(2) gives no status; the program may well ignore it. */
	sigaction(SIGCHLD, &plain, &chld);
	child = fork();
	if (child == 0) {
		sigaction(SIGCHLD, &chld, NULL);
		descriptor_close(go[1]);
		run_child(start, go[0], parent, mask);
	}
	err = child < 0 ? error_system(error, error_from("clone"), "trace")
			: follow_start(&start->follow, child, error);
	if (!err && write(go[1], "", 1) != 1)
		err = error_system(error, error_from("write"), "trace");
	if (err)
		error_about(error, "trace");
	descriptor_close(go[0]);
	descriptor_close(go[1]); /* without the byte it ends */
	if (err && child > 0) {
		process_kill(child);
		if (wait_for(child, wait_status, __WALL) == child && WIFEXITED(*wait_status))
			return 0;
	}
	return err ? err : child;
}

/* Signals are blocked before the fork, so that none is lost between the two. */
static int run_traced(struct start *start, int *wait_status, struct error *error)
{
	static const struct timespec now;
	sigset_t all, mask, none;
	pid_t child;

	/* Without either there is no waiting for the child. */
	sigemptyset(&none);
	if (sigtimedwait(&none, NULL, &now) < 0 && errno != EAGAIN)
		return error_system(error, error_from("rt_sigtimedwait"), "trace");
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &mask))
		return error_system(error, error_from("rt_sigprocmask"), "trace");
	child = start_child(start, &mask, wait_status, error);
	if (child <= 0) {
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return child;
	}
	*wait_status = supervise(child, &start->follow);
	supervise_rest(&start->follow);
	return 0;
}

/* In static storage: the process that prints it has one keeper. */
static const char *why_no_counter(const struct keeper *keeper)
{
	static char why[160];

	if (!keeper->counter_err)
		return keeper->why_no_counter;
	snprintf(why, sizeof(why), "%s: %s", keeper->why_no_counter,
		 error_words(error_by(keeper->counter_call, keeper->counter_err)));
	return why;
}

/* How fast the counter runs, or why there is none. */
static void tell_counter(const struct events *events, const struct keeper *keeper)
{
	if (keeper->why_no_counter && !events->verbose && keeper->slower > SLOWER_TO_TELL)
		event_tell(events, &(struct event){.kind = EVENT_SLOW_CLOCKS,
						   .why = why_no_counter(keeper),
						   .times = keeper->slower});
	else if (keeper->why_no_counter)
		event_verbose(events, EVENT_NO_COUNTER, .why = why_no_counter(keeper));
	else
		event_verbose(events, EVENT_COUNTER, .mhz = 1000.0 / keeper->rate,
			      .mult = keeper->mult, .shift = keeper->shift);
}

static void tell_finding(void *arg, const struct image_finding *finding)
{
	const struct events *events = arg;

	if (finding->rule->hurts)
		event_verbose(events, EVENT_BROKEN_RULE, .what = finding->rule->name,
			      .why = finding->message);
}

/* Which data pages the image reads. */
static int recognise(struct start *start, const struct foreign_layout **foreign,
		     struct error *error)
{
	const struct run_request *request = start->request;
	int err = foreign_recognise(&request->image, request->force, foreign, error);

	if (err) {
		error_about(error, request->image_name);
		return err;
	}
	if (*foreign && request->events.verbose) {
		event_verbose(&request->events, EVENT_FOREIGN, .what = (*foreign)->name);
		image_check(&request->image, tell_finding, (void *)&request->events);
	}
	return 0;
}

/*
 * Clocks that are not the kernel's, in all of a tree: timekeeper and tracer agree on them. It
 * takes a filter, which cannot be removed once it is installed.
 */
static int make_control(struct start *start, struct error *error)
{
	const struct run_request *request = start->request;
	uint32_t action = SECCOMP_RET_TRACE;

	start->follow.control = NULL;
	if (!start->follows || request->trace || clock_wish_says_nothing(&request->clocks))
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action))
		return error_system(error, error_from("seccomp"), what_of(start));
	start->follow.control = control_create();
	if (start->follow.control)
		start->follow.control->files = request->shift_files;
	return start->follow.control ? 0
				     : error_system(error, error_from("mmap"), what_of(start));
}

/* Data pages that are kept, and the image for them. */
static int make_data_pages(struct start *start, const struct foreign_layout *foreign,
			   const struct keeper_duty *duty, struct error *error)
{
	const struct run_request *request = start->request;
	struct keeper *keeper = &start->keeper;
	int err = vvar_create(&keeper->vvar);

	if (err)
		return error_system(error, err, "data page");
	keeper->vvar.foreign = foreign;
	keeper->wish = request->clocks;
	keeper->control = start->follow.control;
	keeper->counter = request->counter;
	keeper->apart = true;
	keeper->duty = duty;
	err = keeper_start(keeper, error);
	if (err)
		return err;
	/* The image while the counter is calibrated. */
	err = make_image(start, error);
	if (err) {
		error_about(error, request->image_name);
		return err;
	}
	if (start->follow.control)
		start->follow.files.slots = DEADLINE_SLOTS_SIZE;
	return keeper_ready(keeper, error);
}

/*
 * Until the seal, a process that may look into this one can open the data pages by its
 * /proc/PID/fd, and map them writable for good: any process of the same user, even where Yama
 * lets it trace nothing. The attendants inherit the flag.
 */
static bool hide(void)
{
	/* A tracer of the same user could not answer us any more, as in a tree whose clocks it
	 * keeps. */
	if (proc_tracer(0) > 0)
		return false;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Else our own files in /proc would be root's. Returns 0 or -errno. */
static int show(void)
{
	for (int turn = 0; turn < SHOWS_MAX; turn++)
		if (!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
			return 0;
	return error_from("prctl");
}

/* Everything up to the point where the program can be had. */
static int prepare(struct start *start, const struct keeper_duty *duty, struct error *error)
{
	const struct run_request *request = start->request;
	struct keeper *keeper = &start->keeper;
	const struct foreign_layout *foreign;
	struct rlimit stack;
	bool hidden;
	int err, shown;

	err = clocks_check(request, start->follows, error);
	if (err)
		return err;
	if (!getrlimit(RLIMIT_STACK, &stack) && stack.rlim_cur < STACK_NEEDED)
		return error_self(
			error, -ENOMEM, "run",
			"the stack may be %llu bytes long (ulimit -s), and %d are needed",
			(unsigned long long)stack.rlim_cur, STACK_NEEDED);
	err = program_open(&start->program, request->argv, error);
	if (err)
		return err;
	err = recognise(start, &foreign, error);
	if (err)
		return err;
	if (foreign && clocks_are_rated(request))
		return error_self(error, -ENOTSUP, clocks_rate_option(request),
				  "not on a kernel's image, in which all clocks have one rate");
	err = make_control(start, error);
	start->cannot_follow = err;
	if (err)
		return err;
	hidden = hide();
	err = make_data_pages(start, foreign, duty, error);
	shown = hidden ? show() : 0;
	if (err)
		return err;
	if (shown)
		return error_system(error, shown, "run");
	/* It has found out what is to be added to the clocks. */
	start->follow.files.in_namespace = !timens_is_empty(&keeper->timens);
	if (start->follows && !request->trace) {
		start->follow.settles = !start->follow.control && settle_is_needed();
		err = attendant_start(&start->tracer, true, trace_tree, start);
		start->cannot_follow = err;
		if (err)
			error_system(error, err, what_of(start));
	}
	return err;
}

/*
 * One attempt, with the tree or without. *again is set if it failed because of the tree, before
 * anything was done that cannot be undone.
 */
static int attempt(struct start *start, bool *again, int *wait_status, struct error *error)
{
	static struct vdso_files question;
	const struct run_request *request = start->request;
	const struct keeper_duty duty = {
		.begin = begin_tracing,
		.serve = trace_to_end,
		.arg = start,
		.question = &question,
		.size = sizeof(question),
	};
	bool attended = !request->trace && !start->follows && request->exec != RUN_BY_HAND;
	int err;

	start->follow = (struct follow){
		.files.image = -1,
		.timens = &start->keeper.timens,
		.events = &request->events,
		.first_only = !start->follows,
		.leave = !start->follows && !request->trace,
		.keep_kernel_vdso = request->keep_kernel_vdso,
		.desk = DESK_NONE,
	};
	err = prepare(start, attended ? &duty : NULL, error);
	if (!err)
		tell_counter(&request->events, &start->keeper);
	if (!err)
		err = request->trace ? run_traced(start, wait_status, error)
				     : become_program(start, error);
	*again = is_implied(start) && start->cannot_follow && !start->traced;
	attendant_release(&start->tracer);
	/* They end after a process that they trace, which has only to say now why it ends. */
	if (start->traced) {
		keeper_release(&start->keeper);
	} else {
		attendant_end(&start->tracer);
		keeper_end(&start->keeper);
	}
	vdso_files_close(&start->follow.files);
	program_close(&start->program);
	return err;
}

int run_program(const struct run_request *request, int *wait_status, struct error *error)
{
	static const struct start nothing = {.keeper = KEEPER_NONE, .tracer = ATTENDANT_NONE};
	static char why[sizeof(error->why)];
	static struct start start;
	bool again;
	int err;

	start = nothing;
	start.request = request;
	start.follows = clocks_follow(request);
	start.why_not = clocks_why_not_followed(request);
	err = attempt(&start, &again, wait_status, error);
	if (!again)
		return err;
	memcpy(why, error->why, sizeof(why));
	*error = (struct error){0};
	start = nothing;
	start.request = request;
	start.why_not = why;
	return attempt(&start, &again, wait_status, error);
}
