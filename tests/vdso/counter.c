/*
 * counter.c - the vDSO's way through the counter of this machine.
 *
 * Where the loader does not trust the counter (an emulator's, for one) every fine clock is a
 * system call, and a wrong instruction in arch_counter() would never be noticed. So here the
 * data page is written by hand, with a rate that was measured just now, and the vDSO must
 * come out where the kernel's clock is. Roughly: how good a clock can be made of the counter
 * is what clocks.c asks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/arch/cpu.h"
#include "kernel/map/place.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#define MEASURE_NS 20000000
#define LOOK_NS    50000000
#define SHIFT      20
#define SECONDS    1000 /* what the base says; the kernel's clock says something else */
#define TOLERANCE  1000000

static int64_t kernel(void)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Counter and kernel's clock of one moment: the tightest of several brackets. */
struct moment {
	u64 cycles;
	int64_t ns, width;
};

static struct moment this_moment(void)
{
	struct moment best = {.width = INT64_MAX};

	for (int i = 0; i < 50; i++) {
		int64_t before = kernel();
		u64 cycles = arch_counter();
		int64_t width = kernel() - before;

		if (width < best.width)
			best = (struct moment){cycles, before, width};
	}
	return best;
}

int main(void)
{
	int (*gettime)(clockid_t, struct timespec *);
	struct image image = image_builtin();
	struct placement page;
	struct error error;
	struct vdso_elf elf;
	struct vdso_data *vd;
	struct vvar vvar;
	int64_t last = 0, worst = 0, moved = 0, backwards = 0;
	int64_t shown = 0;
	struct moment first, second;
	u64 counted;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data page");
	vd = vvar.writable[0].data;

	first = this_moment();
	while (kernel() - first.ns < MEASURE_NS)
		;
	second = this_moment();
	counted = (second.cycles - first.cycles) & cpu_counter_mask();
	if (!cmp_ok(counted, >, 0, "the counter counts"))
		return done_testing();
	for (int cs = 0; cs < CS_BASES; cs++) {
		vd[cs].clock_mode = VDSO_CLOCKMODE_COUNTER;
		vd[cs].mask = cpu_counter_mask();
		vd[cs].max_cycles = counted * 1000;
		vd[cs].shift = SHIFT;
		vd[cs].mult = (u32)((u64)(second.ns - first.ns) * (1u << SHIFT) / counted);
		vd[cs].cycle_last = first.cycles & cpu_counter_mask();
		vd[cs].basetime[VDSO_CLOCK_MONOTONIC].sec = SECONDS;
	}
	if (vvar_seal(&vvar) || vdso_place(&image, &vvar, false, false, &page, &error))
		bail_out("no vDSO: %s", error.why);
	if (vdso_elf_open(&elf, (void *)page.ehdr, 0))
		bail_out("the vDSO cannot be read");
	gettime = vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (!gettime)
		bail_out("no clock_gettime in the vDSO");

	/* Longer on a machine that gives us no time: the point is that it moves. */
	while (last < LOOK_NS || (moved <= 100 && last < 100ll * LOOK_NS)) {
		int64_t before = kernel() - first.ns, after, ours;
		struct timespec ts = {0, 0};

		gettime(CLOCK_MONOTONIC, &ts);
		after = kernel() - first.ns;
		ours = (ts.tv_sec - SECONDS) * 1000000000ll + ts.tv_nsec;
		if (before - ours > worst)
			worst = before - ours;
		if (ours - after > worst)
			worst = ours - after;
		moved += ours > shown;
		backwards += ours < shown;
		last = after;
		shown = ours;
	}
	if (!cmp_ok(worst, <, TOLERANCE, "the vDSO goes on from its base as the counter does"))
		because("wrong arithmetic, or another clock's answer");
	if (!ok(moved > 100 && !backwards, "between two updates it moves, and only forwards"))
		diag("%lld times forwards, %lld times backwards", (long long)moved,
		     (long long)backwards);
	return done_testing();
}
