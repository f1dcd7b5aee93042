/*
 * inject.c - the vDSO is put into a program from outside: its vector, and nothing else.
 *
 * This test is its own program: it starts itself under ptrace(2), is told of the execve(2),
 * and looks at the new stack before and after the vDSO has been put in. Nothing of the new
 * program has run until then. follow.t does it with real programs, and whole trees of them.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <host.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/ptrace/inject.h"
#include "tap.h"

#define DESCRIPTORS 64
#define FOUND       42 /* the status of a program that finds our vDSO */
#define VARIABLES   3000
#define WORDS       (VARIABLES + 512)

static struct image image;
static struct vdso_files files;
static char *none[] = {NULL}, *few[] = {"HOME=/", "TZ=UTC", NULL}, *many[VARIABLES + 1];

/* One program, up to its first instruction. */
static struct {
	pid_t pid;
	uintptr_t sp;
	uint64_t before[WORDS], after[WORDS];
	size_t words; /* from sp upwards, as many as there are */
	struct injection injection;
	struct error error;
	int err;
	unsigned stops, again; /* on its way to its end, and injections once more */
} run;

/* How it is done, and which call a filter of the program's own answers like that. */
static struct {
	unsigned how;
	long nr;
	unsigned action;
} wanted;

/* What the new program does: says whether its vector leads to our vDSO, and uses it. */
static int be_the_program(void)
{
	const void *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct timespec ts;
	sigset_t mask;

	image = image_builtin();
	/* As it was started: SIGUSR2 is blocked, and only the first three descriptors are open.
	 */
	if (sigprocmask(SIG_SETMASK, NULL, &mask) || !sigismember(&mask, SIGUSR2) ||
	    sigismember(&mask, SIGUSR1))
		return 3;
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 4;
	return ehdr && !memcmp(ehdr, image.bytes, 64) && !clock_gettime(CLOCK_MONOTONIC, &ts)
		       ? FOUND
		       : 1;
}

static size_t look(uint64_t *words)
{
	size_t count = 0;

	while (count < WORDS &&
	       !traced_read(run.pid, run.sp + count * 8, words + count, sizeof(words[0])))
		count++;
	return count;
}

static void install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)wanted.nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, wanted.action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(2);
}

/* False where nobody may trace. */
static bool start(char **envp)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct user_regs_struct regs;
	struct traced traced;
	int go[2], status;
	sigset_t mask;
	char byte = 1;

	memset(&run, 0, sizeof(run));
	if (pipe(go))
		bail_out("no pipe");
	run.pid = fork();
	if (run.pid == 0) {
		close(go[1]);
		/* So that the stack is as long each time. */
		personality(ADDR_NO_RANDOMIZE);
		byte = 0;
		if (read(go[0], &byte, 1) == 1 && wanted.action)
			install_filter();
		for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
			close(fd);
		sigemptyset(&mask);
		sigaddset(&mask, SIGUSR2);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		if (byte)
			execve("/proc/self/exe", (char *[]){"inject", "program", NULL}, envp);
		_exit(1);
	}
	close(go[0]);
	if (run.pid < 0 || ptrace(PTRACE_SEIZE, run.pid, NULL, (void *)options)) {
		close(go[1]);
		waitpid(run.pid, &status, 0);
		return false;
	}
	if (write(go[1], &byte, 1) != 1 || waitpid(run.pid, &status, __WALL) != run.pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8) || traced_regs(run.pid, &regs))
		bail_out("no stop at execve(2)");
	close(go[1]);
	run.sp = regs_sp(&regs);
	run.words = look(run.before);
	run.err = inject_vdso(&traced, run.pid, &files, wanted.how, &run.injection, &run.error);
	look(run.after);
	return true;
}

/* Lets it run to its end. */
static int finish(void)
{
	struct traced traced;
	int status = 0;

	ptrace(PTRACE_CONT, run.pid, NULL, NULL);
	while (waitpid(run.pid, &status, __WALL) == run.pid && WIFSTOPPED(status)) {
		run.stops++;
		if (run.injection.left && inject_has_stopped(run.pid)) {
			run.again++;
			run.err = inject_vdso(&traced, run.pid, &files, INJECT_AGAIN,
					      &run.injection, &run.error);
		}
		ptrace(PTRACE_CONT, run.pid, NULL, NULL);
	}
	return status;
}

/* The first word of the vector, counted from sp. */
static size_t find_first(void)
{
	unsigned nulls = 0;
	size_t i = 1;

	while (i < run.words && nulls < 2)
		nulls += run.before[i++] == 0;
	return i;
}

/* The word with the vDSO's address; 0 if there is none. */
static size_t find_ehdr(void)
{
	size_t i = find_first();

	for (; i + 1 < run.words && run.before[i] != AT_NULL; i += 2)
		if (run.before[i] == AT_SYSINFO_EHDR)
			return i + 1;
	return 0;
}

static void tell_failure(const char *why)
{
	size_t at = find_ehdr();

	if (run.err) {
		diag("it was left as it was: %s", run.error.why);
		diag("(its vector is word %zu from the stack pointer, behind the second NULL;",
		     find_first());
		diag(" and a read that goes beyond the end of the stack fails as a whole)");
	}
	if (run.injection.vdso.ehdr)
		expected("AT_SYSINFO_EHDR is %#lx", (unsigned long)run.injection.vdso.ehdr);
	else
		expected("AT_SYSINFO_EHDR is an address of ours");
	but_got("AT_SYSINFO_EHDR is %#lx", (unsigned long)(at ? run.after[at] : 0));
	because("%s",
		at && run.after[at - 1] != AT_SYSINFO_EHDR
			? "a pair is a type and a value, and it was the type that has changed"
			: why);
}

static bool points_to_ours(void)
{
	size_t at = find_ehdr();

	return !run.err && at && run.after[at] == run.injection.vdso.ehdr;
}

static void test_vector(void)
{
	start(few);
	if (!ok(points_to_ours(), "the vector of a new program leads to our vDSO"))
		tell_failure("a program that is not told uses the kernel's vDSO, and nobody "
			     "notices");
	finish();
}

static void test_nothing_else(void)
{
	size_t at, wrong = 0;

	start(few);
	at = find_ehdr();
	while (wrong < run.words && (wrong == at || run.before[wrong] == run.after[wrong]))
		wrong++;
	if (!ok(points_to_ours() && wrong == run.words,
		"of its stack, nothing but that one value has changed")) {
		expected("word %zu from the stack pointer, and no other", at);
		if (wrong < run.words)
			but_got("word %zu: %#lx was %#lx", wrong,
				(unsigned long)run.after[wrong],
				(unsigned long)run.before[wrong]);
		else
			but_got("no change at all");
		because("whatever else stands there is the program's own");
	}
	finish();
}

static void test_many(void)
{
	start(many);
	if (!ok(points_to_ours(), "also behind an environment of %d variables", VARIABLES))
		tell_failure("execve(2) accepts as many, and nobody tells how many there are");
	finish();
}

static void test_none(void)
{
	start(none);
	if (!ok(points_to_ours(), "also where the stack ends a few hundred bytes above"))
		tell_failure("there is nothing to read beyond its end, and a read that goes "
			     "beyond fails as a whole");
	finish();
}

/* AT_CLKTCK stands for whatever must go. On x86-64 no image makes it necessary. */
static void test_ignored(void)
{
	struct auxvec vec;
	int err, err_absent;
	size_t at, wrong;

	start(few);
	at = find_first();
	while (at + 1 < run.words && run.before[at] != AT_CLKTCK)
		at += 2;
	err = auxvec_read(&vec, run.pid);
	if (!err)
		err = inject_rewrite_entry(run.pid, run.sp + find_first() * 8, &vec, AT_CLKTCK,
					   0);
	memcpy(run.before, run.after, sizeof(run.before));
	look(run.after);
	err_absent = inject_rewrite_entry(run.pid, run.sp + find_first() * 8, &vec, 9999, 1);
	for (wrong = 0; wrong < run.words; wrong++)
		if (wrong != at && wrong != at + 1 && run.before[wrong] != run.after[wrong])
			break;
	if (!ok(!err && run.after[at] == AT_IGNORE && wrong == run.words &&
			err_absent == -ENOENT,
		"an entry that must go becomes one that is ignored")) {
		expected("type %d (AT_IGNORE) at word %zu; and -ENOENT for a type that is not "
			 "there",
			 AT_IGNORE, at);
		but_got("type %lu there, the first call gave %d, the second one %d",
			(unsigned long)run.after[at], err, err_absent);
		because("%s",
			run.after[at] == AT_CLKTCK
				? "a value of 0 says that there is none. An address of 0 that "
				  "is "
				  "still said to be one is a call to address 0"
				: "an entry cannot be taken out, but it can be given a type "
				  "that every reader passes over; all others stay as they are");
	}
	finish();
}

static void test_runs(void)
{
	int status;

	start(few);
	status = finish();
	if (ok(WIFEXITED(status) && WEXITSTATUS(status) == FOUND,
	       "the program runs, finds our vDSO and asks it"))
		return;
	expected("status %d", FOUND);
	but_got("%s %d", WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	because("all that was done to it is of no use if it cannot go on");
}

/* Left to itself; where that is not possible we see it through, and it is the same. */
static void test_left(void)
{
	size_t at, wrong = 0;
	int status;

	wanted.how = INJECT_LEAVE;
	start(few);
	is(run.injection.left, HOST_CALLS,
	   HOST_CALLS ? "from the second program on it goes the rest of the way by itself"
		      : "on this machine a program is not left to itself");
	at = find_ehdr();
	while (wrong < run.words && (wrong == at || run.before[wrong] == run.after[wrong]))
		wrong++;
	if (!ok(points_to_ours() && wrong == run.words,
		"... and of its stack that one value has changed"))
		tell_failure("the rest is the program's own");
	status = finish();
	is(status, FOUND << 8, "... it runs and finds our vDSO");
	is(run.stops, 0u, "... without another stop");
	wanted.how = 0;
}

static void test_denied(void)
{
	static const struct {
		const char *what;
		long nr;
		unsigned action;
		int status;
		unsigned again;
	} tries[] = {
		{"madvise(2) fails", SYS_madvise, SECCOMP_RET_ERRNO | EPERM, FOUND, 1},
		{"prctl(2) is answered by a signal", SYS_prctl, SECCOMP_RET_TRAP, FOUND, 1},
		{"rt_sigreturn(2) fails", SYS_rt_sigreturn, SECCOMP_RET_ERRNO | EPERM, FOUND,
		 1},
		{"recvmsg(2) fails", SYS_recvmsg, SECCOMP_RET_ERRNO | EPERM, 1, 1},
		{"socketpair(2) fails", SYS_socketpair, SECCOMP_RET_ERRNO | EPERM, 1, 0},
	};

	wanted.how = INJECT_LEAVE;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int status;

		wanted.nr = tries[i].nr;
		wanted.action = tries[i].action;
		start(few);
		status = finish();
		is(status, tries[i].status << 8, "where %s a program runs, on %s vDSO",
		   tries[i].what, tries[i].status == FOUND ? "our" : "the kernel's");
		is(run.again, HOST_CALLS ? tries[i].again : 0, "... it comes back %s",
		   tries[i].again ? "once" : "never");
	}
	wanted.how = wanted.action = 0;
}

int main(int argc, char **argv)
{
	struct error error;
	struct vvar vvar;

	bool alone = argc > 1 && !strcmp(argv[1], "alone");

	/* At once: a program that is traced cannot be looked through for leaks. */
	if (argc > 1 && !alone)
		_exit(be_the_program());
	for (int i = 0; i < VARIABLES; i++)
		many[i] = "A=1";
	image = image_builtin();
	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar))
		bail_out("no data page");
	if (vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("%s", error.why);
	if (!start(few)) {
		skip(20, "ptrace is denied here");
		return done_testing();
	}
	finish();
	if (run.err == -EPERM) {
		skip(20, "a tracer may not share descriptors here");
		return done_testing();
	}
	/* There is no entry to be rewritten, and no code of the kernel's to make calls from. */
	if (!getauxval(AT_SYSINFO_EHDR)) {
		skip(20, "the kernel has given us no vDSO");
		return done_testing();
	}
	if (alone) {
		test_left();
		test_denied();
	} else {
		test_vector();
		test_nothing_else();
		test_many();
		test_none();
		test_ignored();
		test_runs();
	}
	vdso_files_close(&files);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
