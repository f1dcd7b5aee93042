/*
 * port.c - what a port's machine.h supplies, tried on that machine: counter and system calls.
 *
 *	port IMAGE          the points of machines/port-ARCH.t
 *	port IMAGE clock    shows a clock that runs on the counter, beside the kernel's
 *
 * For those who write a machine.h: only that header and the image take part, and nothing of the
 * loader. The data page is written by hand, with a rate that was measured just now. No run can
 * show whether the counter is read in the right order; Port.pm reads the code of the image for
 * that, and of the function below whose name begins with code_.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/datapage.h>

#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#define MEASURE_NS 20000000
#define LOOK_NS    20000000
#define SHIFT      20
#define SECONDS    1000    /* what the base says; the kernel's clock says something else */
#define TOLERANCE  5000000 /* an emulator's counter may have steps */
#define NO_CLOCK   12345

/* ---- what goes wrong in the worst ways ---- */

static sigjmp_buf back;

static void on_fault(int signal)
{
	siglongjmp(back, signal);
}

/* NULL if it comes to its end, else what stops it. */
static const char *fault_in(void (*what)(void))
{
	static const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGSYS, SIGALRM};
	int caught = sigsetjmp(back, 1);

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], caught ? SIG_DFL : on_fault);
	if (!caught) {
		alarm(5);
		what();
	}
	alarm(0);
	return !caught ? NULL : caught == SIGALRM ? "no end" : strsignal(caught);
}

static int64_t kernel(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* ---- system calls ---- */

static const struct {
	const char *name;
	long ours, real;
} calls[] = {
	{"GETTIMEOFDAY", ARCH_NR_GETTIMEOFDAY, SYS_gettimeofday},
	{"CLOCK_GETTIME", ARCH_NR_CLOCK_GETTIME, SYS_clock_gettime},
	{"CLOCK_GETRES", ARCH_NR_CLOCK_GETRES, SYS_clock_getres},
	{"GETRANDOM", ARCH_NR_GETRANDOM, SYS_getrandom},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void test_numbers(void)
{
	volatile size_t wrong = 0;

	while (wrong < CALLS && calls[wrong].ours == calls[wrong].real)
		wrong++;
	if (!ok(wrong == CALLS, "the numbers of the system calls are those of this machine")) {
		expected("ARCH_NR_%s as in its asm/unistd.h", calls[wrong].name);
		but_got("%ld", calls[wrong].ours);
		because("every machine has a table of its own, and a wrong number is another "
			"system call, which may even succeed");
	}
}

/* What a C library's own call has left in the number's register may be right by accident. */
#ifdef __aarch64__
#	define FORGET_NUMBER() __asm__ volatile("mov x8, #-1" : : : "x8")
#else
#	define FORGET_NUMBER() __asm__ volatile("li a7, -1" : : : "a7")
#endif

static struct {
	long ret, nothing, address, bytes;
	int64_t before, after;
} called;

/*
 * Where the kernel writes: at an address of more than 32 bits, of which none may be lost. And
 * volatile, since whether the compiler is told of it is another point's business.
 */
static volatile struct {
	struct timespec ts;
	unsigned char random[16];
} * far;

static void call(void)
{
	far->ts.tv_sec = far->ts.tv_nsec = 0;
	called.before = kernel(CLOCK_MONOTONIC);
	FORGET_NUMBER();
	called.ret = arch_syscall2(ARCH_NR_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&far->ts);
	called.after = kernel(CLOCK_MONOTONIC);
	called.bytes =
		arch_syscall3(ARCH_NR_GETRANDOM, (long)far->random, sizeof(far->random), 0);
}

static const char *error_name(long ret)
{
	if (ret == -ENOSYS)
		return ", which is ENOSYS: no such system call";
	return ret == -EFAULT ? ", which is EFAULT: the address has not arrived as it was" : "";
}

static void call_wrongly(void)
{
	struct timespec ts;

	FORGET_NUMBER();
	called.nothing = arch_syscall2(ARCH_NR_CLOCK_GETTIME, NO_CLOCK, (long)&ts);
	called.address = arch_syscall2(ARCH_NR_CLOCK_GETTIME, CLOCK_MONOTONIC, 8);
}

static void test_call(void)
{
	const char *fault = fault_in(call);
	int64_t said = far->ts.tv_sec * 1000000000ll + far->ts.tv_nsec;
	bool right = !called.ret && said >= called.before && said <= called.after;

	if (ok(!fault && right && called.bytes == sizeof(far->random),
	       "number and arguments arrive, and the kernel's answer comes back"))
		return;
	if (fault) {
		but_got("%s", fault);
	} else if (!right) {
		expected("clock_gettime(CLOCK_MONOTONIC): 0, and %lld ns or a little more",
			 (long long)called.before);
		but_got("%ld%s, and %lld ns", called.ret, error_name(called.ret),
			(long long)said);
	} else {
		expected("getrandom(buffer, %zu, 0), which has three arguments: %zu bytes",
			 sizeof(far->random), sizeof(far->random));
		but_got("%ld%s", called.bytes, error_name(called.bytes));
	}
	because("the ABI of each machine says which register the number goes in, which the "
		"arguments, and where the result comes back");
}

static void test_refused(void)
{
	const char *fault;

	called.nothing = called.address = 0;
	fault = fault_in(call_wrongly);
	if (ok(!fault && called.nothing == -EINVAL && called.address == -EFAULT,
	       "what the kernel refuses comes back as a negative errno"))
		return;
	expected("%d for a clock that does not exist, %d for a bad address", -EINVAL, -EFAULT);
	if (fault)
		but_got("%s", fault);
	else
		but_got("%ld and %ld", called.nothing, called.address);
	because("there is no errno in a vDSO; the C library makes it out of the number");
}

/*
 * Does the compiler know that a system call writes to memory? It sees the whole of this
 * function, and may keep what it has stored in a register unless it is told.
 */
__attribute__((noinline)) static long code_written(void)
{
	struct timespec ts = {-1, -1};

	FORGET_NUMBER();
	arch_syscall2(ARCH_NR_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&ts);
	return ts.tv_nsec;
}

__attribute__((noinline)) static long code_filled(void)
{
	long word = -1;

	FORGET_NUMBER();
	arch_syscall3(ARCH_NR_GETRANDOM, (long)&word, sizeof(word), 0);
	return word;
}

static long written, filled;
static void call_written(void)
{
	written = code_written();
	filled = code_filled();
}

static void test_written(void)
{
	const char *fault;
	bool two;

	written = filled = -1;
	fault = fault_in(call_written);
	two = written >= 0 && written < 1000000000;
	if (!ok(!fault && two && filled != -1,
		"what the kernel writes into the caller's memory is seen after the call")) {
		expected("the %s that the kernel has written (%s arguments)",
			 two ? "random bytes" : "nanoseconds", two ? "three" : "two");
		but_got("%ld%s", two ? filled : written,
			two || written == -1 ? ", which stood there before" : "");
		because("the compiler sees an address that has become a number. That memory "
			"changes is something that it has to be told, by the clobber");
	}
}

/* As many values in registers as there are, or more. */
/* clang-format off */
#define VALUES 24
#define ALL(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
/* clang-format on */
#define IN_REGISTER(i) __asm__ volatile("" : "+r"(v##i));
#define LOAD(i)        long v##i = source[i];
#define COMPARE(i)     changed += v##i != source[i];

static volatile long source[VALUES];
static long changed;

static void keep_by_call(void)
{
	struct timespec ts;

	ALL(LOAD)
	ALL(IN_REGISTER)
	arch_syscall2(ARCH_NR_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&ts);
	ALL(IN_REGISTER)
	ALL(COMPARE)
}

static void keep_by_counter(void)
{
	ALL(LOAD)
	ALL(IN_REGISTER)
	arch_counter();
	ALL(IN_REGISTER)
	ALL(COMPARE)
}

static void test_registers(void)
{
	static void (*const keep[])(void) = {keep_by_call, keep_by_counter};
	static const char *const what[] = {"a system call", "a read of the counter"};
	volatile int bad = -1;

	for (int i = 0; i < VALUES; i++)
		source[i] = 0x5151000 + i;
	changed = 0;
	/* What stops on its way is told by other points. */
	for (volatile int i = 0; i < 2 && bad < 0; i++)
		if (!fault_in(keep[i]) && changed)
			bad = i;
	if (!ok(bad < 0, "no register changes that the compiler was not told of")) {
		expected("%d values in registers as they were before %s", VALUES, what[bad]);
		but_got("%ld others", changed);
		because("the compiler keeps its variables in all registers that the statement "
			"does not name");
	}
}

/* ---- the counter ---- */

struct moment {
	u64 cycles;
	int64_t ns, width;
};

/* Counter and kernel's clock of one moment: the tightest of several brackets. */
static struct moment this_moment(void)
{
	struct moment best = {.width = INT64_MAX};

	for (int i = 0; i < 50; i++) {
		int64_t before = kernel(CLOCK_MONOTONIC);
		u64 cycles = arch_counter();
		int64_t width = kernel(CLOCK_MONOTONIC) - before;

		if (width < best.width)
			best = (struct moment){cycles, before, width};
	}
	return best;
}

static u64 whole_register(void)
{
	u64 now;

#ifdef __aarch64__
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now) : : "memory");
#else
	__asm__ volatile("rdtime %0" : "=r"(now) : : "memory");
#endif
	return now;
}

static struct moment first, middle, last;
static u64 whole[3];
static void measure(void)
{
	whole[0] = whole_register();
	whole[1] = arch_counter();
	whole[2] = whole_register();
	first = this_moment();
	while (kernel(CLOCK_MONOTONIC) - first.ns < MEASURE_NS)
		;
	middle = this_moment();
	while (kernel(CLOCK_MONOTONIC) - middle.ns < MEASURE_NS)
		;
	last = this_moment();
}

/* How many cycles a second, from one moment to the other. */
static double rate(struct moment a, struct moment b)
{
	return (double)(int64_t)(b.cycles - a.cycles) * 1e9 / (double)(b.ns - a.ns);
}

/* What the machine says itself; 0 if it does not. */
static double nominal_rate(void)
{
#ifdef __aarch64__
	u64 hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return (double)hz;
#else
	return 0;
#endif
}

static bool test_counter(void)
{
	const char *fault = fault_in(measure);
	double one = fault ? 0 : rate(first, middle), two = fault ? 0 : rate(middle, last);
	double nominal = nominal_rate(), wanted = nominal > 0 ? nominal : one;
	bool all = whole[0] <= whole[1] && whole[1] <= whole[2];

	if (ok(!fault && all && one > 1e5 && one > two * 0.5 && one < two * 2 &&
		       one > wanted * 0.5 && one < wanted * 2,
	       "the counter is the whole register, and counts at its rate"))
		return true;
	if (!fault && !all)
		expected("%#llx or a little more: all bits of the register",
			 (unsigned long long)whole[0]);
	else if (nominal > 0)
		expected("%.0f cycles a second, as cntfrq_el0 says", nominal);
	else
		expected("the same number of cycles in each second");
	if (fault)
		but_got("%s", fault);
	else if (!all)
		but_got("%#llx", (unsigned long long)whole[1]);
	else
		but_got("%.0f, and then %.0f", one, two);
	if (fault)
		because("a program may not read every register that counts");
	else
		because("all clocks are a base and what this register has made since");
	return false;
}

/*
 * May the compiler move a store past the counter, or do without it? The first of these two
 * would be for nothing then. The code is read, and never run.
 */
extern void code_stores(long *p);
__attribute__((noinline)) void code_stores(long *p)
{
	*p = 1;
	arch_counter();
	*p = 2;
}

/* ---- the image ---- */

static union vdso_data_store *pages;
static int (*gettime)(clockid_t, struct timespec *);

/* No image is larger. */
#define IMAGE_ROOM 8192

/* The image, with data pages of its own right below it. */
static void map_image(const char *path)
{
	size_t below = VDSO_NR_DATA_PAGES * VDSO_STRIDE, size = below + IMAGE_ROOM;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vdso_elf elf;

	if (fd < 0 || at == MAP_FAILED ||
	    mmap(at + below, IMAGE_ROOM, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
		 0) == MAP_FAILED)
		bail_out("%s cannot be mapped", path);
	close(fd);
	if (vdso_elf_open(&elf, at + below, 0))
		bail_out("%s is no image", path);
	pages = (union vdso_data_store *)at;
	gettime = vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (!gettime)
		bail_out("%s has no clock_gettime", path);
}

/* From now on the image knows where the counter was, and what a cycle is. */
static void write_data_page(s64 sec)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &pages[VDSO_TIME_PAGE].data[cs];
		u64 counted = last.cycles - first.cycles;

		vd->clock_mode = VDSO_CLOCKMODE_COUNTER;
		vd->mask = ~0ull >> 8;
		vd->max_cycles = counted * 1000;
		vd->shift = SHIFT;
		vd->mult = (u32)((u64)(last.ns - first.ns) * (1u << SHIFT) / counted);
		vd->cycle_last = first.cycles & vd->mask;
		vd->basetime[VDSO_CLOCK_MONOTONIC].sec = (u64)sec;
	}
}

static int64_t image_clock(clockid_t clock, int *ret)
{
	struct timespec ts = {0, 0};

	*ret = gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static struct {
	int64_t worst, cpu, kernel_cpu;
	int64_t ours, real; /* where it was worst */
	int ret, cpu_ret, none;
} seen;

static void look(void)
{
	int64_t before = 0;

	seen.worst = -1;
	while (before < LOOK_NS) {
		int64_t after, ours, off;

		before = kernel(CLOCK_MONOTONIC) - first.ns;
		ours = image_clock(CLOCK_MONOTONIC, &seen.ret) - SECONDS * 1000000000ll;
		after = kernel(CLOCK_MONOTONIC) - first.ns;
		off = ours < before ? before - ours : ours > after ? ours - after : 0;
		if (off > seen.worst) {
			seen.worst = off;
			seen.ours = ours;
			seen.real = before;
		}
		before -= last.ns - first.ns;
	}
}

static void ask(void)
{
	struct timespec ts;

	seen.cpu = image_clock(CLOCK_PROCESS_CPUTIME_ID, &seen.cpu_ret);
	seen.kernel_cpu = kernel(CLOCK_PROCESS_CPUTIME_ID);
	seen.none = gettime(NO_CLOCK, &ts);
}

static void test_image(bool counts)
{
	const char *fault = NULL;

	if (counts) {
		write_data_page(SECONDS);
		fault = fault_in(look);
	}
	if (!ok(counts && !fault && !seen.ret && seen.worst >= 0 && seen.worst < TOLERANCE,
		"the image goes on from its base as the counter does")) {
		if (!counts) {
			expected("a counter");
			but_got("none");
		} else {
			expected("%d s and %lld ns", SECONDS, (long long)seen.real);
			if (fault)
				but_got("%s", fault);
			else
				but_got("%d s and %lld ns", SECONDS, (long long)seen.ours);
		}
		because("this is clock_gettime() of the image, with the counter in it: the "
			"same "
			"arithmetic as on every other machine");
	}
	fault = fault_in(ask);
	if (!ok(!fault && !seen.cpu_ret && seen.cpu > 0 && seen.cpu <= seen.kernel_cpu &&
			seen.none == -EINVAL,
		"what the data page does not know the image asks the kernel")) {
		expected("CLOCK_PROCESS_CPUTIME_ID: 0; a clock that does not exist: %d",
			 -EINVAL);
		if (fault)
			but_got("%s", fault);
		else
			but_got("%d, and %d%s", seen.cpu_ret, seen.none,
				seen.none == NO_CLOCK ? ": what was asked for, and no result"
						      : "");
		because("a program calls the vDSO for every clock, and must not find out which "
			"of them it has");
	}
}

/* ---- the clock to look at ---- */

static void show_time(const char *who, int64_t ns)
{
	int64_t tenth = ns / 100000 % 10000;

	printf("%s %5lld.%04lld s", who, (long long)(ns / 1000000000), (long long)tenth);
}

static int show_clock(void)
{
	const char *fault = fault_in(measure);
	int ret;

	if (fault || last.cycles == first.cycles) {
		printf("The counter cannot be read: %s.\n", fault ? fault : "it stands still");
		return 1;
	}
	write_data_page(first.ns / 1000000000);
	for (int cs = 0; cs < CS_BASES; cs++)
		pages[VDSO_TIME_PAGE].data[cs].basetime[VDSO_CLOCK_MONOTONIC].nsec =
			(u64)(first.ns % 1000000000) << SHIFT;
	printf("the counter: %.0f cycles a second\n", rate(first, last));
	for (int i = 0; i < 6; i++) {
		int64_t real = kernel(CLOCK_MONOTONIC),
			ours = image_clock(CLOCK_MONOTONIC, &ret);

		show_time("the kernel says", real);
		show_time(",  your image", ours);
		printf(",  %.1f us apart\n", (double)llabs(ours - real) / 1000);
		fflush(stdout);
		usleep(100000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool counts;

	if (argc < 2)
		bail_out("port IMAGE [clock]");
	map_image(argv[1]);
	far = mmap(NULL, VDSO_SMALLEST_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (far == MAP_FAILED)
		bail_out("no memory");
	if (argc > 2)
		return show_clock();
	test_numbers();
	test_registers();
	test_call();
	test_refused();
	test_written();
	counts = test_counter();
	test_image(counts);
	return done_testing();
}
