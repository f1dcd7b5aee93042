/*
 * compare.c - each function of our vDSO next to the kernel's.
 *
 * Two clocks cannot be read at the same moment. So the kernel's is read before ours and
 * again after it: ours must be between the two. Of several such sandwiches the thinnest is
 * shown, since it leaves the least room for an error. The difference is measured from its
 * middle.
 *
 * The coarse clocks show the last update. Ours and the kernel's are updated at different
 * moments, so they may differ by a few milliseconds and both be right.
 */
#include <inttypes.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../../tests/lib/system_calls.h"
#include "demo.h"

#define TRIES 50

typedef int gettime_fn(clockid_t, struct timespec *);
typedef int gettimeofday_fn(struct timeval *, struct timezone *);
typedef time_t time_fn(time_t *);
typedef long getcpu_fn(unsigned *, unsigned *, void *);

/* The functions of one vDSO. */
struct answers {
	gettime_fn *gettime, *getres;
	gettimeofday_fn *gettimeofday;
	time_fn *time;
	getcpu_fn *getcpu;
};

static void *find(const struct vdso_elf *elf, const char *name, void *otherwise)
{
	void *address = (void *)vdso_elf_symbol(elf, name, VDSO_VERSION);

	return address ? address : otherwise;
}

static struct answers resolve(const struct vdso_elf *elf)
{
	return (struct answers){
		.gettime = find(elf, VDSO_NAME("clock_gettime"), system_gettime),
		.getres = find(elf, VDSO_NAME("clock_getres"), system_getres),
		.gettimeofday = find(elf, VDSO_NAME("gettimeofday"), system_gettimeofday),
		.time = find(elf, VDSO_NAME("time"), system_time),
		.getcpu = find(elf, VDSO_NAME("getcpu"), system_getcpu),
	};
}

static int64_t to_ns(struct timespec ts)
{
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

struct sandwich {
	int64_t before, ours, after;
};

static struct sandwich thinnest(const struct answers *ours, const struct answers *kernel,
				clockid_t clock)
{
	struct sandwich best = {0, 0, INT64_MAX};

	for (int i = 0; i < TRIES; i++) {
		struct timespec before, middle, after;
		struct sandwich now;

		kernel->gettime(clock, &before);
		ours->gettime(clock, &middle);
		kernel->gettime(clock, &after);
		now = (struct sandwich){to_ns(before), to_ns(middle), to_ns(after)};
		if (now.after - now.before < best.after - best.before)
			best = now;
	}
	return best;
}

static void print_row(const char *name, const struct sandwich *s, bool coarse)
{
	const int64_t second = 1000000000;
	int64_t ours = s->ours, kernel = s->before + (s->after - s->before) / 2;
	bool inside = s->before <= s->ours && s->ours <= s->after;

	printf("  %-16s %10" PRId64 ".%09" PRId64 " %10" PRId64 ".%09" PRId64 " %10" PRId64
	       "  %s\n",
	       name, ours / second, ours % second, kernel / second, kernel % second,
	       ours - kernel,
	       coarse   ? "coarse"
	       : inside ? "yes"
			: "no");
}

static void compare_clocks(const struct answers *ours, const struct answers *kernel)
{
	static const struct {
		const char *name;
		clockid_t id;
		bool coarse;
	} clocks[] = {
		{"REALTIME", CLOCK_REALTIME, false},
		{"MONOTONIC", CLOCK_MONOTONIC, false},
		{"MONOTONIC_RAW", CLOCK_MONOTONIC_RAW, false},
		{"BOOTTIME", CLOCK_BOOTTIME, false},
		{"TAI", CLOCK_TAI, false},
		{"REALTIME_COARSE", CLOCK_REALTIME_COARSE, true},
		{"MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE, true},
	};

	printf("  %-16s %20s %20s %10s  %s\n", "clock_gettime", "our vDSO, s", "kernel's, s",
	       "ns apart", "inside");
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		struct sandwich s = thinnest(ours, kernel, clocks[i].id);

		print_row(clocks[i].name, &s, clocks[i].coarse);
	}
}

static int64_t microseconds(gettimeofday_fn *gettimeofday)
{
	struct timeval tv = {0, 0};

	gettimeofday(&tv, NULL);
	return (tv.tv_sec * INT64_C(1000000) + tv.tv_usec) * 1000;
}

static void compare_rest(const struct answers *ours, const struct answers *kernel)
{
	struct sandwich s = {
		microseconds(kernel->gettimeofday),
		microseconds(ours->gettimeofday),
		microseconds(kernel->gettimeofday),
	};
	struct timespec fine[2], coarse[2];
	unsigned cpu[2], node[2];
	cpu_set_t here;

	print_row("gettimeofday", &s, false);
	printf("  time             ours %ld, kernel's %ld\n", ours->time(NULL),
	       kernel->time(NULL));

	/* Held on one CPU: between the two questions the scheduler could move us. */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	ours->getcpu(&cpu[0], &node[0], NULL);
	kernel->getcpu(&cpu[1], &node[1], NULL);
	printf("  getcpu           ours cpu %u node %u, kernel's cpu %u node %u\n", cpu[0],
	       node[0], cpu[1], node[1]);

	ours->getres(CLOCK_MONOTONIC, &fine[0]);
	kernel->getres(CLOCK_MONOTONIC, &fine[1]);
	ours->getres(CLOCK_MONOTONIC_COARSE, &coarse[0]);
	kernel->getres(CLOCK_MONOTONIC_COARSE, &coarse[1]);
	printf("  clock_getres     ours %ld and %ld ns (coarse), kernel's %ld and %ld ns\n",
	       fine[0].tv_nsec, coarse[0].tv_nsec, fine[1].tv_nsec, coarse[1].tv_nsec);
}

int main(void)
{
	struct vdsos vdsos;
	struct answers ours, kernel;

	vdsos_open(&vdsos, "compare");
	ours = resolve(&vdsos.ours);
	kernel = resolve(&vdsos.kernel);
	if (vdsos.kernel_error)
		printf("  The kernel gives no vDSO here; its column is made by system "
		       "calls.\n");
	if (uvdso_why_no_counter(vdsos.booted))
		printf("  Without a counter the fine clocks of our vDSO are system calls.\n");
	compare_clocks(&ours, &kernel);
	compare_rest(&ours, &kernel);
	uvdso_shutdown(vdsos.booted);
	return 0;
}
