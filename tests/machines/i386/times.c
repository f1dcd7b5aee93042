/*
 * times.c - the clock functions of the 32-bit page: the right time, in both widths.
 *
 * To be run on the page. Each answer has to lie between two system calls. Where the seconds are
 * more than 32 bits hold (--offset realtime=+80000d), the old functions give the lower half,
 * and clock_gettime64 gives all of it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

#include "i386.h"

struct wide {
	int64_t sec, nsec;
};
struct narrow {
	int32_t sec, nsec;
};

static int (*gettime64)(int, struct wide *);
static int (*gettime)(int, struct narrow *), (*getres)(int, struct narrow *);
static int (*timeofday)(struct narrow *, int32_t[2]);
static long (*seconds)(long *), (*cpu)(unsigned *, unsigned *, void *);

static int64_t ns_of(struct wide t)
{
	return t.sec * 1000000000 + t.nsec;
}

static int64_t kernel(int id)
{
	struct wide t = {0, 0};

	syscall(SYS_clock_gettime64, id, &t);
	return ns_of(t);
}

/* How far the shifted clock is from the kernel's: whole seconds, 0 without an offset. */
static int64_t shift_of(int id)
{
	int64_t before = kernel(id);
	struct wide t = {0, 0};

	gettime64(id, &t);
	return (ns_of(t) - before + 500000000) / 1000000000 * 1000000000;
}

/* Between two system calls; coarse clocks are up to a tenth of a second old. */
static bool is_between(int id, int fine, struct wide t, int64_t before, int64_t shift)
{
	int64_t ns = ns_of(t) - shift, after = kernel(fine), old = id == fine ? 0 : 100000000;

	return ns >= before - old - 1000 && ns <= after + 1000 && t.nsec >= 0 &&
	       t.nsec < 1000000000;
}

static void test_clock(int id, int fine)
{
	int64_t shift = shift_of(id), before;
	struct wide wide = {-1, -1}, all;
	struct narrow narrow = {-1, -1}, res = {-1, -1}, kernel_res = {-2, -2};

	before = kernel(fine);
	if (!ok(gettime64(id, &wide) == 0 && is_between(id, fine, wide, before, shift),
		"clock_gettime64(%d) is the time", id))
		diag("%lld.%09lld, shifted by %lld ns", (long long)wide.sec,
		     (long long)wide.nsec, (long long)shift);
	before = kernel(fine);
	gettime(id, &narrow);
	/* The upper half from the other function: it is the same for a century. */
	gettime64(id, &all);
	all.sec = (all.sec & ~0xffffffffll) | (uint32_t)narrow.sec;
	all.nsec = narrow.nsec;
	if (!ok(is_between(id, fine, all, before, shift),
		"clock_gettime(%d) is the time, or its lower 32 bits", id))
		diag("%d.%09d", narrow.sec, narrow.nsec);
	getres(id, &res);
	syscall(SYS_clock_getres, id, &kernel_res);
	ok(res.sec == kernel_res.sec && res.nsec == kernel_res.nsec,
	   "clock_getres(%d) is the kernel's", id);
}

static void test_seconds(void)
{
	int32_t zone[2] = {77, 77}, kernel_zone[2] = {78, 78};
	struct narrow tv = {-1, -1};
	struct wide before, after;
	long stored = -1, now;

	gettime64(CLOCK_REALTIME, &before);
	ok(timeofday(&tv, zone) == 0, "gettimeofday() answers");
	now = seconds(&stored);
	gettime64(CLOCK_REALTIME, &after);
	ok((uint32_t)tv.sec - (uint32_t)before.sec <= 1 && tv.nsec >= 0 && tv.nsec < 1000000,
	   "its seconds are those of the clock, or their lower 32 bits");
	syscall(SYS_gettimeofday, NULL, kernel_zone);
	ok(zone[0] == kernel_zone[0] && zone[1] == kernel_zone[1],
	   "the time zone is the kernel's");
	ok(now == stored && (uint32_t)after.sec - (uint32_t)now <= 1,
	   "time() returns and stores them, too");
	printf("# %lld seconds, time() says %ld\n", (long long)after.sec, now);
}

static void test_errors(void)
{
	struct wide wide;
	struct narrow narrow;
	unsigned here = ~0u, node = ~0u, kernel_here = 0, kernel_node = 0;

	ok(gettime64(-1, &wide) == -EINVAL && gettime64(99, &wide) == -EINVAL &&
		   gettime(-1, &narrow) == -EINVAL && getres(-1, &narrow) == -EINVAL,
	   "an unknown clock is -EINVAL, for each of them");
	/* We may be moved in between. */
	for (int i = 0; i < 100 && here != kernel_here; i++) {
		cpu(&here, &node, NULL);
		syscall(SYS_getcpu, &kernel_here, &kernel_node, NULL);
	}
	ok(here == kernel_here && node == kernel_node, "getcpu() says CPU and node");
}

/* A sandbox of before 2019: it answers with an error what it has not heard of. */
static void test_old_sandbox(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EBADMSG),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct narrow narrow = {-1, -1};
	struct wide wide = {-1, -1};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		skip(2, "no filter can be set here");
		return;
	}
	if (!ok(gettime(CLOCK_PROCESS_CPUTIME_ID, &narrow) == 0 && narrow.sec == 0 &&
			narrow.nsec > 0,
		"what the page leaves to the kernel, the old function asks in the old way"))
		diag("%d.%09d: an old sandbox would have killed the program", narrow.sec,
		     narrow.nsec);
	ok(gettime64(CLOCK_PROCESS_CPUTIME_ID, &wide) == -EBADMSG,
	   "and the new one in the new way, with all 64 bits");
}

static void *time_function(const char *name)
{
	const void *address = vdso_elf_symbol(&page, name, "LINUX_2.6");

	if (!address)
		bail_out("the vDSO has no %s", name);
	return (void *)address;
}

int main(void)
{
	static const int clocks[][2] = {{CLOCK_REALTIME, CLOCK_REALTIME},
					{CLOCK_MONOTONIC, CLOCK_MONOTONIC},
					{CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_RAW},
					{CLOCK_REALTIME_COARSE, CLOCK_REALTIME},
					{CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC},
					{CLOCK_BOOTTIME, CLOCK_BOOTTIME},
					{CLOCK_TAI, CLOCK_TAI},
					{CLOCK_PROCESS_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID}};

	alarm(20);
	function("__kernel_vsyscall");
	gettime64 = time_function("__vdso_clock_gettime64");
	gettime = time_function("__vdso_clock_gettime");
	getres = time_function("__vdso_clock_getres");
	timeofday = time_function("__vdso_gettimeofday");
	seconds = time_function("__vdso_time");
	cpu = time_function("__vdso_getcpu");
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		test_clock(clocks[i][0], clocks[i][1]);
	test_seconds();
	test_errors();
	test_old_sandbox();
	return done_testing();
}
