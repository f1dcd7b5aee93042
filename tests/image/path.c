/*
 * path.c - which instructions of an image a call really executes, one by one.
 *
 * A child calls the function under PTRACE_SINGLESTEP. Without arguments: a TAP test that a
 * call on the plain image never looks at the exceptions (a namespace, an abandoned data page):
 * on x86 a comparison with one of their modes would stand in the path as an immediate.
 */
#include <elf.h>
#include <errno.h>
#include <regs.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vdso/datapage.h>

#include "libc/vdso_elf.h"
#include "tap.h"
#include "libc/vdso_names.h"
#include "uvdso.h"

#define STEPS_MAX 2000

typedef int gettime_fn(clockid_t, struct timespec *);

struct path {
	int steps, branches, exceptions, syscalls;
};

#if defined(__x86_64__)

/* A conditional jump: 70..7f, or 0f 80..8f with a 32-bit distance. */
static bool is_branch(const unsigned char *code)
{
	return (code[0] & 0xf0) == 0x70 || (code[0] == 0x0f && (code[1] & 0xf0) == 0x80);
}

/* cmp with a 32-bit immediate (81 /7, or 3d for eax) that is one of the exceptions' modes. */
static bool is_exception(const unsigned char *code)
{
	uint32_t immediate;
	int at = code[0] == 0x3d ? 1 : -1;

	if (code[0] == 0x81 && (code[1] & 0x38) == 0x38) {
		int mod = code[1] >> 6, rm = code[1] & 7;

		at = mod == 3 ? 2 : mod == 1 ? 3 : mod == 2 || rm == 5 ? 6 : 2;
	}
	if (at < 0)
		return false;
	memcpy(&immediate, code + at, sizeof(immediate));
	/* The compiler may turn >= into > one less. */
	return immediate >= VDSO_CLOCKMODE_ABANDONED - 1u && immediate <= VDSO_CLOCKMODE_TIMENS;
}

static bool is_syscall(const unsigned char *code)
{
	return code[0] == 0x0f && code[1] == 0x05;
}

#elif defined(__aarch64__)

static uint32_t word_at(const unsigned char *code)
{
	uint32_t word;

	memcpy(&word, code, sizeof(word));
	return word;
}

/* b.cond, cbz and cbnz, tbz and tbnz. */
static bool is_branch(const unsigned char *code)
{
	uint32_t word = word_at(code);

	return (word & 0xff000010) == 0x54000000 || (word & 0x7c000000) == 0x34000000;
}

/* mov of one of the exceptions' modes: both are immediates, and one less is movz, movk. */
static bool is_exception(const unsigned char *code)
{
	uint32_t word = word_at(code) & ~31u;

	return word == 0x12b00000 || word == 0x321f77e0 || word == 0x72afffe0;
}

static bool is_syscall(const unsigned char *code)
{
	return word_at(code) == 0xd4000001;
}

#else /* ptrace(2) has no single steps there */

static bool is_branch(const unsigned char *code)
{
	(void)code;
	return false;
}

static bool is_exception(const unsigned char *code)
{
	return is_branch(code);
}

static bool is_syscall(const unsigned char *code)
{
	return is_branch(code);
}

#endif

static int follow(gettime_fn *gettime, clockid_t clock, struct path *path)
{
	uintptr_t page = (uintptr_t)gettime & ~4095ul;
	bool inside = false;
	int status, err = 0;
	pid_t child = fork();

	*path = (struct path){0};
	if (child == 0) {
		struct timespec ts;

		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		gettime(clock, &ts); /* once, so that every page is there */
		raise(SIGSTOP);
		gettime(clock, &ts);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return -EPERM;
	for (int i = 0; i < STEPS_MAX; i++) {
		struct user_regs_struct regs;
		struct iovec iov = {&regs, sizeof(regs)};

		if (ptrace(PTRACE_SINGLESTEP, child, 0, 0)) {
			err = i ? 0 : -errno;
			break;
		}
		if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
		    ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &iov))
			break;
		if (regs_pc(&regs) - page < 4096) {
			/* The child is a copy of us, so that its code can be read here. */
			const unsigned char *code = (const unsigned char *)regs_pc(&regs);

			inside = true;
			path->steps++;
			path->branches += is_branch(code);
			path->exceptions += is_exception(code);
			path->syscalls += is_syscall(code);
		} else if (inside) {
			break;
		}
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return err;
}

/*
 * Steps take so long on a busy machine that the data page may grow too old on the way, or that
 * the timekeeper is met in the middle of an update.
 */
static void follow_quickly(gettime_fn *gettime, clockid_t clock, bool namespace,
			   struct path *path)
{
	for (int tries = 0; tries < 20; tries++) {
		follow(gettime, clock, path);
		if (!path->syscalls && (path->exceptions > 0) == namespace)
			break;
	}
}

int main(void)
{
	struct uvdso_options shifted = {.offset = {[UVDSO_MONOTONIC] = 1000}};
	static const struct {
		clockid_t id;
		const char *name;
	} clocks[] = {{CLOCK_REALTIME, "REALTIME"},
		      {CLOCK_MONOTONIC, "MONOTONIC"},
		      {CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW"},
		      {CLOCK_MONOTONIC_COARSE, "MONOTONIC_COARSE"}};
	const void *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
	gettime_fn *ours, *theirs, *kernels = NULL;
	struct uvdso *plain, *behind;
	struct vdso_elf kernel;
	struct path path, other, far;
	char why[256];

	if (uvdso_boot(&plain, NULL, why, sizeof(why)) ||
	    uvdso_boot(&behind, &shifted, why, sizeof(why)))
		bail_out("%s", why);
	ours = uvdso_symbol(plain, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	theirs = uvdso_symbol(behind, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (ehdr && !vdso_elf_open(&kernel, ehdr, 0))
		kernels = (gettime_fn *)vdso_elf_symbol(&kernel, VDSO_NAME("clock_gettime"),
							VDSO_VERSION);
	if (uvdso_why_no_counter(plain) || follow(ours, CLOCK_MONOTONIC, &path)) {
		puts("1..0 # SKIP needs a usable counter, and ptrace with single steps");
		uvdso_shutdown(plain);
		uvdso_shutdown(behind);
		return 0;
	}
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		follow_quickly(ours, clocks[i].id, false, &path);
		follow_quickly(theirs, clocks[i].id, true, &far);
		other = (struct path){0};
		if (kernels)
			follow(kernels, clocks[i].id, &other);
		printf("# %s: %d instructions, %d conditional jumps; shifted %d, %d; the "
		       "kernel's "
		       "image %d, %d\n",
		       clocks[i].name, path.steps, path.branches, far.steps, far.branches,
		       other.steps, other.branches);
		ok(path.steps > 10 && path.exceptions == 0,
		   "%s: nothing on the plain path asks for a namespace", clocks[i].name);
		ok(path.syscalls == 0 && far.syscalls == 0,
		   "%s: no system call, shifted or not", clocks[i].name);
		ok(far.exceptions > 0 && far.branches > path.branches,
		   "%s: control: in a namespace it is asked for", clocks[i].name);
	}
	uvdso_shutdown(plain);
	uvdso_shutdown(behind);
	return done_testing();
}
