/*
 * calls.c - see calls.h.
 *
 * Everything is called from the same loop and through a pointer, as a C library calls a vDSO:
 * the vDSO's function, the system call, the bare counter, and a function that does nothing. So
 * the loop and the call are the same for all, and the last one says what to subtract.
 *
 * The arguments are in registers. The counter and the empty function are called with more
 * arguments than they take and ignore them.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <machine.h>

#include "calls.h"
#include "system_calls.h"
#include "kernel/arch/cpu.h"

typedef int gettimeofday_fn(struct timeval *, struct timezone *);
typedef time_t time_fn(time_t *);
typedef long getcpu_fn(unsigned *, unsigned *, void *);
typedef ssize_t getrandom_fn(void *, size_t, unsigned, void *, size_t);

static void loop_gettime(const struct target *target, long argument, long calls)
{
	gettime_fn *gettime = target->fn;
	struct timespec ts;

	while (calls-- > 0)
		gettime((clockid_t)argument, &ts);
}

static void loop_gettimeofday(const struct target *target, long argument, long calls)
{
	gettimeofday_fn *gettimeofday = target->fn;
	struct timeval tv;

	(void)argument;
	while (calls-- > 0)
		gettimeofday(&tv, NULL);
}

/* No vDSO of aarch64 has the next two, and none of riscv64 the first. */
__attribute__((unused)) static void loop_time(const struct target *target, long argument,
					      long calls)
{
	time_fn *time = target->fn;

	(void)argument;
	while (calls-- > 0)
		time(NULL);
}

__attribute__((unused)) static void loop_getcpu(const struct target *target, long argument,
						long calls)
{
	getcpu_fn *getcpu = target->fn;
	unsigned cpu, node;

	(void)argument;
	while (calls-- > 0)
		getcpu(&cpu, &node, NULL);
}

#define RANDOM_MOST 65536

static void loop_getrandom(const struct target *target, long argument, long calls)
{
	static unsigned char buffer[RANDOM_MOST];
	getrandom_fn *getrandom = target->fn;

	while (calls-- > 0)
		getrandom(buffer, (size_t)argument, 0, target->state, target->state_size);
}

static ssize_t system_getrandom(void *buffer, size_t size, unsigned flags)
{
	return syscall(SYS_getrandom, buffer, size, flags);
}

static long nothing(void)
{
	return 0;
}

/* ---- who answers ---- */

static u64 floor_any(void)
{
	return arch_counter();
}

#ifdef __x86_64__
static u64 floor_rdtscp(void)
{
	u32 low, high;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high) : : "ecx", "memory");
	return (u64)high << 32 | low;
}

static bool has_rdtscp(void)
{
	return cpu_has(VDSO_CPU_RDTSCP);
}

struct target target_floor(void)
{
	return (struct target){.fn = has_rdtscp() ? (void *)floor_rdtscp : (void *)floor_any};
}

const char *floor_instruction(void)
{
	return has_rdtscp() ? "RDTSCP" : "LFENCE, RDTSC";
}
#else
struct target target_floor(void)
{
	return (struct target){.fn = (void *)floor_any};
}

const char *floor_instruction(void)
{
	return "the counter";
}
#endif

struct target target_empty(void)
{
	return (struct target){.fn = (void *)nothing};
}

struct target target_system_call(const struct call *call)
{
	return (struct target){.fn = call->system_call};
}

/* What __vdso_getrandom writes when it is asked for its terms (linux/random.h). */
struct random_params {
	uint32_t size, prot, flags, reserved[13];
};

/*
 * The function has no generator of its own: the caller must bring the state of one, in the
 * kind of memory that the vDSO asks for. One state for each mapping wastes most of a page, but
 * no state can lie in two pages.
 */
static void give_state(struct target *target)
{
	getrandom_fn *getrandom = target->fn;
	struct random_params params = {0};

	if (getrandom(NULL, 0, 0, &params, ~0ul) == 0 && params.size != 0) {
		target->state =
			mmap(NULL, params.size, (int)params.prot, (int)params.flags, -1, 0);
		target->state_size = params.size;
		if (target->state != MAP_FAILED)
			return;
	}
	*target = (struct target){.fn = NULL};
}

void make_calls(const void *asked, long calls)
{
	const struct asked *a = asked;

	a->call->loop(a->target, a->call->argument, calls);
}

struct target target_in(const struct vdso_elf *vdso, const struct call *call)
{
	struct target target = {
		.fn = (void *)vdso_elf_symbol(vdso, call->symbol, VDSO_VERSION)};

	if (target.fn && call->loop == loop_getrandom)
		give_state(&target);
	return target;
}

/* ---- what is asked ---- */

/* clang-format off */
#define GETTIME(clock, suffix, counter)                                       \
	{"clock_gettime(" #clock ")" suffix, #clock, VDSO_NAME("clock_gettime"),  \
	 loop_gettime, CLOCK_##clock, (void *)system_gettime, counter}
#define GETRES(clock, title)                                                  \
	{"clock_getres(" #clock ")", title, VDSO_NAME("clock_getres"),            \
	 loop_gettime, CLOCK_##clock, (void *)system_getres, false}
#define OTHER(function, suffix, counter)                                      \
	{#function suffix, #function, VDSO_NAME(#function), loop_##function,   \
	 0, (void *)system_##function, counter}
#define GETRANDOM(bytes)                                                      \
	{"getrandom(" #bytes ")", "getrandom " #bytes, VDSO_NAME("getrandom"),    \
	 loop_getrandom, bytes, (void *)system_getrandom, false}

const struct call plain_calls[] = {
	GETTIME(REALTIME, "", true),
	GETTIME(MONOTONIC, "", true),
	GETTIME(BOOTTIME, "", true),
	GETTIME(TAI, "", true),
	GETTIME(MONOTONIC_RAW, "", true),
	GETTIME(REALTIME_COARSE, "", false),
	GETTIME(MONOTONIC_COARSE, "", false),
	/* One that no vDSO answers: what the detour to the system call costs. */
	GETTIME(PROCESS_CPUTIME_ID, "", false),
	OTHER(gettimeofday, "", true),
#if VDSO_KNOWS_TIME
	OTHER(time, "", false),
#endif
	GETRES(MONOTONIC, "clock_getres, fine"),
	GETRES(MONOTONIC_COARSE, "clock_getres, coarse"),
#if VDSO_KNOWS_CPU
	OTHER(getcpu, "", false),
#endif
};

const struct call shifted_calls[] = {
	GETTIME(REALTIME, " shifted", true),
	GETTIME(MONOTONIC, " shifted", true),
	GETTIME(BOOTTIME, " shifted", true),
	GETTIME(TAI, " shifted", true),
	GETTIME(MONOTONIC_RAW, " shifted", true),
	GETTIME(REALTIME_COARSE, " shifted", false),
	GETTIME(MONOTONIC_COARSE, " shifted", false),
	OTHER(gettimeofday, " shifted", true),
#if VDSO_KNOWS_TIME
	OTHER(time, " shifted", false),
#endif
};

const struct call random_calls[] = {
	GETRANDOM(4),
	GETRANDOM(256),
	GETRANDOM(65536),
};
/* clang-format on */
_Static_assert(RANDOM_MOST >= 65536, "the buffer has room for the longest call");

const size_t nr_plain_calls = ARRAY_SIZE(plain_calls);
const size_t nr_shifted_calls = ARRAY_SIZE(shifted_calls);
const size_t nr_random_calls = ARRAY_SIZE(random_calls);

int64_t in_ns(struct timespec ts)
{
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t kernel_ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, clock, &ts);
	return in_ns(ts);
}
