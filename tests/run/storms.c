/*
 * storms.c - what serves a program is stopped or killed at each of its steps, and so is the
 * program; and then all is well, and nothing is left.
 *
 *	storms [--number N] [--limit SECONDS] [--jobs N] [--kind K [--at STEP]]
 *
 * A storm: `uvdso run`, `run --follow` or `trace` is started with a program that holds its
 * clocks against the kernel's (programs/tree.c). One of its processes, the subject, is traced
 * from its birth on, and halted at the nth beginning or end of a system call. There a victim,
 * which may be the subject itself, is killed, or is stopped for a while and continued. So each
 * moment is made, not waited for: n goes through all that there are, evenly if there are to be
 * fewer storms than those.
 *
 * Held to, after each: a program whose clocks are right as long as it runs, with the offset
 * that was asked for, and which is not ended but where uvdso(1) says so; an end within a bound;
 * and no process of ours after it, running, stopped or dead.
 *
 * time/update goes through all steps within an update, with the timekeeper simulated, and
 * time/halted does that for real, instruction by instruction.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

/* How many in `make test`: four of each kind. */
#define NUMBER (4 * KINDS)

/* How long one is stopped: longer than the watchdog lets an update be. */
#define HOLD_MS 50

/* How long a storm may take, and what it leaves behind until it is gone. */
#define END_MS  60000
#define LEFT_MS 30000

/* At a time: mostly they wait. */
#define WORKERS      4
#define MOST_WORKERS 64

enum scenario { RUN, FOLLOW, TRACE };
enum role { NOBODY, FIRST, BETWEEN, KEEPER, WATCHDOG, TRACER, CHILD, ROLES };
enum what { KILL, STOP };

static const char *const scenario_names[] = {"run", "run --follow", "trace"};
static const char *const role_names[ROLES] = {
	[FIRST] = "program", [KEEPER] = "timekeeper", [WATCHDOG] = "watchdog",
	[TRACER] = "tracer", [CHILD] = "child",
};
static const char *const what_names[] = {"killed", "stopped"};

/*
 * With trace the first process is the tracer, and the program is its child; the program's own
 * child is not told apart there: it is either.
 */
static const struct kind {
	enum scenario scenario;
	enum role subject, victim;
	enum what what;
	bool may_end; /* the program may be ended with its victim, or not be started */
} kinds[] = {
	{RUN, KEEPER, KEEPER, KILL, true},     {RUN, KEEPER, KEEPER, STOP, false},
	{RUN, KEEPER, WATCHDOG, KILL, true},   {RUN, KEEPER, WATCHDOG, STOP, false},
	{RUN, KEEPER, FIRST, KILL, true},      {RUN, KEEPER, FIRST, STOP, false},
	{RUN, WATCHDOG, WATCHDOG, KILL, true}, {RUN, WATCHDOG, WATCHDOG, STOP, false},
	{RUN, WATCHDOG, KEEPER, KILL, true},   {RUN, WATCHDOG, KEEPER, STOP, false},
	{FOLLOW, TRACER, TRACER, KILL, true},  {FOLLOW, TRACER, TRACER, STOP, false},
	{FOLLOW, TRACER, KEEPER, KILL, true},  {FOLLOW, TRACER, KEEPER, STOP, false},
	{FOLLOW, TRACER, FIRST, KILL, true},   {FOLLOW, TRACER, FIRST, STOP, false},
	{FOLLOW, TRACER, CHILD, KILL, false},  {FOLLOW, TRACER, CHILD, STOP, false},
	{TRACE, FIRST, FIRST, KILL, true},     {TRACE, FIRST, FIRST, STOP, false},
	{TRACE, FIRST, KEEPER, KILL, true},    {TRACE, FIRST, KEEPER, STOP, false},
	{TRACE, FIRST, CHILD, KILL, true},     {TRACE, FIRST, CHILD, STOP, false},
};
#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

/* ---- one storm, in a process of its own that adopts all orphans -------------------------- */

static const char *uvdso, *tree;

static struct storm {
	const struct kind *kind;
	unsigned step;  /* at which it breaks loose */
	unsigned steps; /* so far */
	pid_t pid[ROLES];
	int between; /* how many of the first process's helpers were born */
	int status;  /* of the first process */
	bool first_ended, broken, hit;
	int errors;    /* a file with its standard error */
	char call[80]; /* that the subject was at: number and arguments */
	char why[1024];
} storm;

/* Those that we trace now. */
static struct tracee {
	pid_t pid;
	enum role role;
	bool stopped, interrupted;
	int signal; /* that it is to get when it goes on */
} tracees[32];
static int nr_tracees;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* What is wrong: the first of it. */
__attribute__((format(printf, 1, 2))) static void fault(const char *fmt, ...)
{
	va_list ap;

	if (storm.why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(storm.why, sizeof(storm.why), fmt, ap);
	va_end(ap);
}

static struct tracee *find(pid_t pid)
{
	for (int i = 0; i < nr_tracees; i++)
		if (tracees[i].pid == pid)
			return &tracees[i];
	if (nr_tracees == (int)(sizeof(tracees) / sizeof(tracees[0])))
		_exit(9);
	tracees[nr_tracees] = (struct tracee){.pid = pid};
	return &tracees[nr_tracees++];
}

static void forget(struct tracee *t)
{
	*t = tracees[--nr_tracees];
}

/* A process may be traced by one only, so ours must be gone before the tracer comes. */
static void let_go(struct tracee *t)
{
	ptrace(PTRACE_DETACH, t->pid, 0, (long)t->signal);
	forget(t);
}

static bool all_known(void)
{
	const struct kind *k = storm.kind;
	enum role victim = k->victim == CHILD ? FIRST : k->victim;

	/* With trace it is the program that must be there: before that nothing is traced. */
	return storm.pid[k->subject] && storm.pid[victim];
}

static bool is_subject(const struct tracee *t)
{
	return t->pid == storm.pid[storm.kind->subject];
}

static long long continue_at;

/* Any child of the program's, or of the program that is traced. */
static pid_t find_child(void)
{
	char path[64], text[64];
	long pid = 0, program = storm.kind->scenario == TRACE ? 0 : storm.pid[FIRST];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)storm.pid[FIRST],
		 (int)storm.pid[FIRST]);
	for (int depth = 0; depth < 2; depth++) {
		file = fopen(path, "re");
		if (!file)
			return 0;
		while (fscanf(file, "%63s", text) == 1)
			if (atoi(text) != storm.pid[KEEPER] &&
			    atoi(text) != storm.pid[WATCHDOG])
				pid = atol(text);
		fclose(file);
		if (program || !pid)
			break;
		program = pid;
		/* Every other storm is for the program itself. */
		if (storm.step % 2)
			break;
		snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	}
	return (pid_t)pid;
}

/* For finding the reason. */
static void note_call(pid_t pid)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(storm.call, sizeof(storm.call), file))
		storm.call[0] = 0;
	if (file)
		fclose(file);
	storm.call[strcspn(storm.call, "\n")] = 0;
}

static void break_loose(struct tracee *subject)
{
	const struct kind *k = storm.kind;
	pid_t victim = k->victim == CHILD ? find_child() : storm.pid[k->victim];

	note_call(subject->pid);
	storm.broken = true;
	storm.pid[CHILD] = k->victim == CHILD ? victim : 0;
	storm.hit = victim > 0 && !(k->victim == FIRST && storm.first_ended) &&
		    !kill(victim, k->what == KILL ? SIGKILL : 0);
	if (!storm.hit) {
		let_go(subject);
	} else if (k->what == STOP && victim == subject->pid) {
		continue_at = now_ms() + HOLD_MS; /* halted where it is */
	} else {
		if (k->what == STOP) {
			kill(victim, SIGSTOP);
			continue_at = now_ms() + HOLD_MS;
		}
		if (victim != subject->pid)
			let_go(subject);
	}
}

static void calm_down(void)
{
	const struct kind *k = storm.kind;
	pid_t victim = storm.pid[k->victim];

	continue_at = 0;
	for (int i = 0; i < nr_tracees; i++)
		if (tracees[i].pid == victim && is_subject(&tracees[i])) {
			let_go(&tracees[i]);
			return;
		}
	if (!(k->victim == FIRST && storm.first_ended))
		kill(victim, SIGCONT);
}

/* Somebody has cloned: who is it? */
static void name_child(const struct tracee *parent, int event)
{
	enum role role = NOBODY;
	unsigned long child = 0;
	struct tracee *t;

	ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &child);
	if (parent->role == FIRST && event == PTRACE_EVENT_VFORK) {
		storm.between++;
		role = BETWEEN;
	} else if (parent->role == FIRST && event == PTRACE_EVENT_FORK) {
		role = CHILD;
	} else if (parent->role == BETWEEN) {
		role = storm.between == 1 ? KEEPER : TRACER;
	} else if (parent->role == KEEPER) {
		role = WATCHDOG;
	}
	t = find((pid_t)child);
	t->role = role;
	if (!storm.pid[role] && role != CHILD)
		storm.pid[role] = t->pid;
}

static void proceed(struct tracee *t)
{
	if (!t->stopped)
		return;
	if (is_subject(t) && all_known()) {
		/* Alone: until then others might be held up by us. */
		if (nr_tracees > 1 || continue_at)
			return;
		t->stopped = false;
		ptrace(PTRACE_SYSCALL, t->pid, 0, (long)t->signal);
	} else if (all_known() || t->role == CHILD) {
		let_go(t);
	} else if (t->role != NOBODY) {
		t->stopped = false;
		ptrace(PTRACE_CONT, t->pid, 0, (long)t->signal);
	}
}

static void on_stop(struct tracee *t, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	t->stopped = true;
	t->signal = event || signal == (SIGTRAP | 0x80) ? 0 : signal;
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE) {
		pid_t pid = t->pid;

		name_child(t, event);
		t = find(pid);
	}
	if (signal == (SIGTRAP | 0x80) && is_subject(t) && all_known() && !storm.broken &&
	    storm.steps++ == storm.step)
		break_loose(t);
}

static void on_end(pid_t pid, int status)
{
	for (int i = 0; i < nr_tracees; i++)
		if (tracees[i].pid == pid)
			forget(&tracees[i]);
	if (pid == storm.pid[FIRST]) {
		storm.first_ended = true;
		storm.status = status;
	}
}

/* Everybody but the subject is asked to stop, and let go when it has. */
static void settle(void)
{
	/* Backwards, since those that are let go are forgotten. */
	for (int i = nr_tracees - 1; i >= 0; i--) {
		struct tracee *t = &tracees[i];

		if (!all_known() || is_subject(t) || t->stopped || t->interrupted)
			continue;
		t->interrupted = true;
		/* A child may have been let go, or have ended, before its maker names it. */
		if (ptrace(PTRACE_INTERRUPT, t->pid, 0, 0))
			forget(t);
	}
	for (int i = nr_tracees - 1; i >= 0; i--)
		if (i < nr_tracees)
			proceed(&tracees[i]);
}

/* The next event, or 0 after a while, or -1 if there is no process left. */
static pid_t next_event(int *status)
{
	static const struct timespec while_ = {0, 1000000};
	sigset_t chld;
	pid_t pid = waitpid(-1, status, __WALL | WNOHANG);

	if (pid)
		return pid;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigtimedwait(&chld, NULL, &while_);
	return waitpid(-1, status, __WALL | WNOHANG);
}

/* All processes that descend from us: by now none should. */
static void name_left(char *text, size_t size, bool end)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t used = 0;

	text[0] = 0;
	while (proc && (entry = readdir(proc))) {
		char path[64], name[32] = "?", state = '?';
		int pid = atoi(entry->d_name), parent = 0;
		FILE *stat;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		stat = pid > 0 ? fopen(path, "re") : NULL;
		if (!stat)
			continue;
		if (fscanf(stat, "%*d (%31[^)]) %c %d", name, &state, &parent) != 3)
			parent = 0;
		fclose(stat);
		if (parent != getpid())
			continue;
		if (end)
			kill(pid, SIGKILL);
		else if (used < size)
			used += (size_t)snprintf(text + used, size - used, " %s (%c)", name,
						 state);
	}
	if (proc)
		closedir(proc);
}

static void start_first(void)
{
	static const char *const args[][4] = {
		[RUN] = {"run", "--no-follow", "--offset=realtime=+1000", NULL},
		[FOLLOW] = {"run", "--follow", "--offset=realtime=+1000", NULL},
		[TRACE] = {"trace", "--follow", "--offset=realtime=+1000", NULL},
	};
	const char *const *extra = args[storm.kind->scenario];
	bool counts = storm.kind->scenario == TRACE;
	const char *argv[12] = {"uvdso"};
	int go[2], n = 1, nothing;
	sigset_t none;
	pid_t pid;

	while (*extra)
		argv[n++] = *extra++;
	argv[n++] = tree;
	argv[n++] = storm.kind->scenario == RUN ? "0" : "1";
	argv[n++] = counts ? "1" : "20";
	/* Where the tree has a clock of its own, system calls show it, too. */
	argv[n++] = storm.kind->scenario == FOLLOW ? "0" : "1000";
	/* What starts when the tracer is gone has the kernel's clocks. */
	if (storm.kind->victim == TRACER && storm.kind->what == KILL)
		argv[n++] = "maybe";
	if (pipe2(go, O_CLOEXEC))
		_exit(9);
	pid = fork();
	if (pid == 0) {
		char byte;

		nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(nothing, 0);
		dup2(nothing, 1);
		dup2(storm.errors, 2);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (read(go[0], &byte, 1) == 1)
			execv(uvdso, (char *const *)argv);
		_exit(126);
	}
	if (pid < 0 ||
	    ptrace(PTRACE_SEIZE, pid, 0,
		   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACESYSGOOD) ||
	    write(go[1], "", 1) != 1)
		_exit(9);
	close(go[0]);
	close(go[1]);
	storm.pid[FIRST] = pid;
	find(pid)->role = FIRST;
	/* Where the subject is the first process it must be stopped to be halted. */
	if (storm.kind->subject == FIRST)
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
}

static void judge(void)
{
	char text[512] = "", left[256];
	ssize_t got = pread(storm.errors, text, sizeof(text) - 1, 0);
	int status = storm.status;
	bool ended = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) == 125 && got > 0 &&
		       !strncmp(text, "uvdso: ", 7);

	text[got > 0 ? got : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	if (!storm.first_ended)
		name_left(left, sizeof(left), false);
	if (!storm.first_ended)
		fault("it hangs; there are:%s", left);
	else if (!(WIFEXITED(status) && !WEXITSTATUS(status)) &&
		 !(storm.kind->may_end && storm.hit && (ended || refused)))
		fault("%s %d%s%s", WIFSIGNALED(status) ? "it was ended by signal" : "status",
		      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		      *text ? ": " : "", text);
	else if (strstr(text, "tree: "))
		fault("%s", text);
}

static void run_storm(void)
{
	long long deadline;
	bool gone = false;
	char left[256];
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	storm.errors = memfd_create("uvdso-test-errors", MFD_CLOEXEC);
	start_first();
	deadline = now_ms() + END_MS;
	while (now_ms() < deadline) {
		int status;
		pid_t pid = next_event(&status);

		gone = pid < 0;
		if (gone)
			break;
		if (pid > 0 && WIFSTOPPED(status))
			on_stop(find(pid), status);
		else if (pid > 0)
			on_end(pid, status);
		if (pid > 0 && pid == storm.pid[FIRST] && storm.first_ended)
			deadline = now_ms() + LEFT_MS;
		if (continue_at && now_ms() >= continue_at)
			calm_down();
		settle();
	}
	judge();
	if (gone)
		return;
	name_left(left, sizeof(left), false);
	fault("left behind:%s", left);
	name_left(left, sizeof(left), true);
}

/* ---- all of them ------------------------------------------------------------------------- */

static struct shared {
	int next;
	struct counts {
		unsigned steps; /* that the subject takes when nobody disturbs it */
		int storms, hits, faults;
		char why[1024];
	} of[KINDS];
} * shared;

/* Returns how many steps the subject has taken. */
static unsigned one_storm(int kind, unsigned step, bool counts)
{
	struct counts *to = &shared->of[kind];
	struct result {
		unsigned steps;
		bool hit;
		char call[80], why[1024];
	} result = {.why = "the test itself has failed"};
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return 0;
	pid = fork();
	if (pid == 0) {
		alarm((END_MS + LEFT_MS) / 1000 * 2);
		storm.kind = &kinds[kind];
		storm.step = step;
		run_storm();
		result.steps = storm.steps;
		result.hit = storm.hit;
		memcpy(result.why, storm.why, sizeof(result.why));
		memcpy(result.call, storm.call, sizeof(result.call));
		_exit(write(out[1], &result, sizeof(result)) != sizeof(result));
	}
	close(out[1]);
	if (read(out[0], &result, sizeof(result)) != sizeof(result))
		result.steps = 0;
	close(out[0]);
	waitpid(pid, &status, 0);
	if (counts) {
		__atomic_fetch_add(&to->storms, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&to->hits, result.hit, __ATOMIC_RELAXED);
	}
	if (result.why[0] && !__atomic_fetch_add(&to->faults, 1, __ATOMIC_RELAXED))
		snprintf(to->why, sizeof(to->why), "at step %u: %.800s (system call %s)", step,
			 result.why, result.call);
	return result.steps;
}

/* The nth of all storms: each kind in turn, and its steps from the first to the last. */
static void nth_storm(int n, int number)
{
	int kind = n % KINDS, turns = (number + KINDS - 1) / KINDS, turn = n / KINDS;
	unsigned steps = shared->of[kind].steps;

	one_storm(kind,
		  (unsigned)((unsigned long long)steps * (2u * (unsigned)turn + 1) /
			     (2u * (unsigned)turns)),
		  true);
}

static int jobs = WORKERS;
static long long begin_until; /* no storm begins after that */

static void work(int number, void (*one)(int n, int number))
{
	pid_t workers[MOST_WORKERS];

	shared->next = 0;
	fflush(stdout);
	for (int i = 0; i < jobs; i++) {
		workers[i] = fork();
		if (workers[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int n;
		     (n = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) < number;)
			one(n, number);
		_exit(0);
	}
	for (int i = 0; i < jobs; i++)
		waitpid(workers[i], NULL, 0);
}

/* How many steps there are: with a kind that has the same subject, and no storm. */
static void count_steps(int n, int number)
{
	(void)number;
	shared->of[n].steps = one_storm(n, ~0u, false);
}

static const char *path_beside(const char *name)
{
	static char self[4096];
	char *path;

	if (!self[0]) {
		ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

		self[length > 0 ? length : 0] = 0;
		for (int i = 0; i < 3 && strrchr(self, '/'); i++)
			*strrchr(self, '/') = 0;
	}
	return asprintf(&path, "%s/%s", self, name) < 0 ? NULL : path;
}

static void report(int kind)
{
	const struct kind *k = &kinds[kind];
	const struct counts *c = &shared->of[kind];
	char name[160];

	snprintf(name, sizeof(name), "%s: the %s is %s at a step of the %s",
		 scenario_names[k->scenario],
		 k->scenario == TRACE && k->victim == FIRST   ? "tracer"
		 : k->scenario == TRACE && k->victim == CHILD ? "program, or its child,"
							      : role_names[k->victim],
		 what_names[k->what],
		 k->scenario == TRACE && k->subject == FIRST ? "tracer"
							     : role_names[k->subject]);
	if (!ok(c->steps > 0 && !c->faults, "%s", name))
		diag("%d of %d: %s", c->faults, c->storms,
		     c->steps ? c->why : "it takes no step, or cannot be traced");
	printf("# %d storms, %d of them hit, at %u steps\n", c->storms, c->hits, c->steps);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"number", required_argument, NULL, 'n'},
		{"limit", required_argument, NULL, 'l'},
		{"jobs", required_argument, NULL, 'j'},
		{"kind", required_argument, NULL, 'k'},
		{"at", required_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int number = NUMBER, option, kind = -1, storms = 0;
	long at = -1;

	begin_until = now_ms() + 100000;
	uvdso = path_beside("uvdso");
	tree = path_beside("tests/programs/tree.pie");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			number = (int)strtod(optarg, NULL);
		else if (option == 'l')
			begin_until = now_ms() + 1000 * atoll(optarg);
		else if (option == 'j')
			jobs = atoi(optarg);
		else if (option == 'k')
			kind = atoi(optarg);
		else if (option == 'a')
			at = atol(optarg);
		else
			number = 0;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED || number < 1 || jobs < 1 || jobs > MOST_WORKERS)
		bail_out("usage: storms [--number N] [--limit SECONDS] [--jobs N] "
			 "[--kind K [--at STEP]]");
	if (kind >= 0 && kind < KINDS) {
		shared->of[kind].steps = one_storm(kind, at < 0 ? ~0u : (unsigned)at, true);
		report(kind);
		return done_testing();
	}
	work(KINDS, count_steps);
	work(number, nth_storm);
	for (int i = 0; i < KINDS; i++) {
		report(i);
		storms += shared->of[i].storms;
	}
	printf("# %d storms\n", storms);
	if (storms < number)
		diag("%d storms of %d, when the time was over", storms, number);
	return done_testing();
}
