/*
 * timekeeper.c - see timekeeper.h.
 *
 * Measuring is sampler.c, deciding is bases.c. What is left here is to publish in such an
 * order that no reader is ever told a time before one that any reader has been told.
 */
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/arch/cpu.h"
#include "kernel/time/counter.h"
#include "kernel/time/sampler.h"
#include "kernel/time/timekeeper.h"

/* Brackets for each sample: in an update, and at the start, where nothing is known. */
#define TRIES       8
#define TRIES_START 64

/* Between the two samples of the start: 10 ns of doubt are then 4 ppm. */
#define CALIBRATION_NS 2500000

/* An update takes a small part of this; a reader waits about twice as long for it. */
#define TOO_LATE_NS 5000

/* Once a second, ask whether the kernel still trusts the counter. */
#define RECHECK_UPDATES (1000000000 / TIMELINE_PERIOD_NS)

/*
 * The time zone and the two resolutions. Asked of the kernel itself, not of the C
 * library, which would answer some of it from its own knowledge.
 */
static void publish_slow_fields(struct vdso_data *vd)
{
	struct timezone tz = {0, 0};
	struct timespec res = {0, 1}, coarse = {0, 4000000};

	syscall(SYS_gettimeofday, NULL, &tz);
	syscall(SYS_clock_getres, CLOCK_MONOTONIC, &res);
	syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &coarse);
	for (int cs = 0; cs < CS_BASES; cs++) {
		write_once_s32(&vd[cs].tz_minuteswest, tz.tz_minuteswest);
		write_once_s32(&vd[cs].tz_dsttime, tz.tz_dsttime);
		write_once32(&vd[cs].hrtimer_res, (u32)res.tv_nsec);
		write_once32(&vd[cs].coarse_res, (u32)coarse.tv_nsec);
	}
}

/*
 * The first base, as of now. Returns false if that took so long that readers may have given up
 * waiting: we lost the CPU in between.
 */
static bool write_first(struct timekeeper *tk)
{
	struct vdso_data *vd = &tk->data[CS_HRES_COARSE];

	if (tk->why_no_counter) {
		/* The fine bases are left as they are: in mode NONE they are not read. */
		u64 mono = sampler_clock(CLOCK_MONOTONIC);

		bases_write_coarse(vd, sampler_clock(CLOCK_REALTIME), mono);
		return sampler_clock(CLOCK_MONOTONIC) - mono < TOO_LATE_NS;
	} else {
		/* Read inside: up to here readers were on the old line. */
		u64 now = arch_counter();

		bases_write(&tk->bases, vd, now);
		return (double)(arch_counter() - now) * tk->bases.mono.rate < TOO_LATE_NS;
	}
}

static void write_second(struct timekeeper *tk)
{
	if (!tk->why_no_counter)
		bases_write_raw(&tk->bases, &tk->data[CS_RAW], arch_counter());
	bases_copy_coarse(tk->data);
}

/*
 * Begins a base. The fence keeps our look at the clock after our store of the odd number: by
 * then readers can know that the line is about to change. And a reader that finds an abandoned
 * number unchanged after its system call was told a time before ours (4, see gettime.c).
 */
static union vdso_head begin(struct vdso_data *vd)
{
	union vdso_head head = vdso_write_begin(vd);

	atomic_thread_fence(memory_order_seq_cst); /* 4 */
	return head;
}

/*
 * The data page was abandoned, or had no counter: readers have been told the kernel's own
 * times. Our line is a few nanoseconds off these, and milliseconds late if we were stopped
 * between the last look and here. So look again, and go on from the kernel's clocks.
 */
static void come_back(struct timekeeper *tk)
{
	struct clocks_look now;

	if (tk->why_no_counter)
		return;
	sampler_look(&now, TRIES);
	bases_steer(&tk->bases, &now);
	bases_restart(&tk->bases);
}

/*
 * Writes both bases, one after the other, so that a coarse clock can be read at any time
 * (vdso/seqcount.h). Whenever we come back from being stopped, the watchdog may have abandoned
 * the data page, and the kernel may have given readers later times than what we are about to
 * publish. Then the head is not ours any more, the end fails, and the base is written anew.
 *
 * A data page that comes back has no copy that readers could use meanwhile: they wait, for
 * about twice TOO_LATE_NS, and then make a system call. So there what took long is written
 * again.
 */
static void publish(struct timekeeper *tk)
{
	struct vdso_data *first = &tk->data[CS_HRES_COARSE], *second = &tk->data[CS_RAW];
	s32 mode = tk->why_no_counter ? VDSO_CLOCKMODE_NONE : VDSO_CLOCKMODE_COUNTER;
	union vdso_head head;
	bool in_use, punctual;

	do {
		/*
		 * We may have finished the second one between the watchdog's two steps. It must
		 * not count as current while the first one comes back.
		 */
		if (vdso_read_head(first).clock_mode == VDSO_CLOCKMODE_ABANDONED)
			vdso_abandon(second);
		head = begin(first);
		if (head.clock_mode == VDSO_CLOCKMODE_NONE && tk->updates > 0)
			come_back(tk);
		in_use = !(vdso_read_head(second).seq & 1);
		punctual = write_first(tk);
	} while ((!in_use && !punctual) || !vdso_write_end(first, head, mode));
	do {
		head = begin(second);
		write_second(tk);
	} while (!vdso_write_end(second, head, mode));
}

void timekeeper_start(struct timekeeper *tk, struct vdso_data *data, bool use_counter)
{
	*tk = (struct timekeeper){.data = data};

	if (!use_counter)
		tk->why_no_counter = "switched off";
	else
		counter_usable(&tk->why_no_counter);
	publish_slow_fields(data);

	if (!tk->why_no_counter) {
		struct timespec wait = {0, CALIBRATION_NS};
		struct clocks_look first, second;

		sampler_look(&first, TRIES_START);
		while (nanosleep(&wait, &wait) && errno == EINTR)
			;
		sampler_look(&second, TRIES_START);
		if (!bases_start(&tk->bases, cpu_counter_mask(), &first, &second))
			tk->why_no_counter = "the counter stood still while it was calibrated";
	}
	publish(tk);
}

void timekeeper_update(struct timekeeper *tk)
{
	struct clocks_look now;

	if (++tk->updates % RECHECK_UPDATES == 0) {
		publish_slow_fields(tk->data);
		if (!tk->why_no_counter)
			counter_usable(&tk->why_no_counter);
	}
	if (!tk->why_no_counter) {
		sampler_look(&now, TRIES);
		bases_steer(&tk->bases, &now);
	}
	publish(tk);
	rng_publish(&tk->rng);
}

void timekeeper_prioritise(void)
{
	struct sched_param param = {.sched_priority = 1};

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	/* Denied to most users; then the ordinary priority has to do. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}
