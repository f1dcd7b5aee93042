/*
 * timekeeper.c - see timekeeper.h.
 *
 * How to compare two clocks that cannot be read at once? Read one, the other, and
 * the first again: whatever the other showed, it showed it in between. The shorter
 * the time between the outer two, the less is left to doubt, so we try several times
 * and keep the tightest.
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
#include "kernel/time/timekeeper.h"

/* Brackets for each sample: in an update, and at the start, where nothing is known. */
#define TRIES       8
#define TRIES_START 64

/* Between the two samples of the start: 10 ns of doubt are then 4 ppm. */
#define CALIBRATION_NS 2500000

/* An update takes a small part of this, and a reader waits for it about twice as long. */
#define TOO_LATE_NS 5000

/* Once a second, ask whether the kernel still trusts the counter. */
#define RECHECK_UPDATES (1000000000 / TIMELINE_PERIOD_NS)

static u64 kernel_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static struct timeline_sample sample_clock(clockid_t clock, int tries)
{
	struct timeline_sample best = {.width = ~0ull};

	while (tries-- > 0) {
		u64 before = arch_counter();
		u64 ns = kernel_clock(clock);
		u64 width = arch_counter() - before;

		if (width < best.width)
			best = (struct timeline_sample){before + width / 2, ns, width};
	}
	return best;
}

/* The distance of a clock from MONOTONIC: where all the brackets overlap. */
static struct interval sample_distance(clockid_t clock, int tries)
{
	struct interval all = {INT64_MIN, INT64_MAX};

	while (tries-- > 0) {
		u64 before = kernel_clock(CLOCK_MONOTONIC);
		u64 ns = kernel_clock(clock);
		u64 after = kernel_clock(CLOCK_MONOTONIC);
		struct interval one = {(s64)(ns - after), (s64)(ns - before)};

		/* No overlap: the clock was set in between, and only the last one counts. */
		if (one.low > all.high || one.high < all.low)
			all = one;
		if (one.low > all.low)
			all.low = one.low;
		if (one.high < all.high)
			all.high = one.high;
	}
	return all;
}

static void look(struct clocks_look *look, int tries)
{
	look->mono = sample_clock(CLOCK_MONOTONIC, tries);
	look->raw = sample_clock(CLOCK_MONOTONIC_RAW, tries);
	look->real = sample_distance(CLOCK_REALTIME, tries);
	look->boot = sample_distance(CLOCK_BOOTTIME, tries);
	look->tai = sample_distance(CLOCK_TAI, 2);
}

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
 * The first base, as of now. Returns false if that took so long that readers may have become
 * tired of waiting: we lost the CPU in between.
 */
static bool write_first(struct timekeeper *tk)
{
	struct vdso_data *vd = &tk->data[CS_HRES_COARSE];

	if (tk->why_no_counter) {
		/* The fine bases are left as they are: in mode NONE nobody reads them. */
		u64 mono = kernel_clock(CLOCK_MONOTONIC);

		timekeeping_write_coarse(vd, kernel_clock(CLOCK_REALTIME), mono);
		return kernel_clock(CLOCK_MONOTONIC) - mono < TOO_LATE_NS;
	} else {
		/* Read inside: up to here readers were on the old line. */
		u64 now = arch_counter();

		timekeeping_write(&tk->time, vd, now);
		return (double)(arch_counter() - now) * tk->time.mono.rate < TOO_LATE_NS;
	}
}

static void write_second(struct timekeeper *tk)
{
	if (!tk->why_no_counter)
		timekeeping_write_raw(&tk->time, &tk->data[CS_RAW], arch_counter());
	timekeeping_copy_coarse(tk->data);
}

/*
 * Begins a base. The fence keeps our look at the clock behind our store of the odd number:
 * by then readers can know that the line is about to change. And who finds an abandoned
 * number as it was, after his system call, was told a time before ours (4, see gettime.c).
 */
static union vdso_head begin(struct vdso_data *vd)
{
	union vdso_head head = vdso_write_begin(vd);

	atomic_thread_fence(memory_order_seq_cst); /* 4 */
	return head;
}

/*
 * The page was abandoned, or had no counter: readers have been told the kernel's own times.
 * Our line is a few nanoseconds beside these, and if we were stopped between the last look and
 * here, it may be milliseconds behind. So look again, and go on from the kernel's clocks.
 */
static void come_back(struct timekeeper *tk)
{
	struct clocks_look now;

	if (tk->why_no_counter)
		return;
	look(&now, TRIES);
	timekeeping_look(&tk->time, &now);
	timekeeping_restart(&tk->time);
}

/*
 * Writes both bases, one after the other, so that a coarse clock can be read at any time
 * (vdso/seqcount.h). Whenever we come back from being stopped, it may be that the watchdog
 * has abandoned the page, and that readers have been given later times by the kernel than
 * what we are about to publish. Then the head is not ours any more, the end fails, and the
 * base is written anew.
 *
 * A page that comes back has no copy that readers could use meanwhile: they wait, for about
 * twice TOO_LATE_NS, and then ask the kernel. So there what took long is written again.
 */
static void publish(struct timekeeper *tk)
{
	struct vdso_data *first = &tk->data[CS_HRES_COARSE], *second = &tk->data[CS_RAW];
	s32 mode = tk->why_no_counter ? VDSO_CLOCKMODE_NONE : VDSO_CLOCKMODE_COUNTER;
	union vdso_head head;
	bool in_use, punctual;

	do {
		/*
		 * We may have finished it over the watchdog's head, between his two steps. It
		 * must not be taken for the last word while the first one comes back.
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

		look(&first, TRIES_START);
		while (nanosleep(&wait, &wait) && errno == EINTR)
			;
		look(&second, TRIES_START);
		if (!timekeeping_start(&tk->time, counter_mask(), &first, &second))
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
		look(&now, TRIES);
		timekeeping_look(&tk->time, &now);
	}
	publish(tk);
	rng_publish(&tk->rng);
}

void timekeeper_prioritise(void)
{
	struct sched_param param = {.sched_priority = 1};

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	/* Denied to most users, and then the ordinary priority has to do. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

void timekeeper_next(struct timespec *deadline)
{
	u64 now = kernel_clock(CLOCK_MONOTONIC);
	u64 due = (u64)deadline->tv_sec * NSEC_PER_SEC + (u64)deadline->tv_nsec;

	due += TIMELINE_PERIOD_NS;
	if (due <= now)
		due = now + TIMELINE_PERIOD_NS - (now - due) % TIMELINE_PERIOD_NS;
	deadline->tv_sec = (time_t)(due / NSEC_PER_SEC);
	deadline->tv_nsec = (long)(due % NSEC_PER_SEC);
}

struct timespec timekeeper_wait(const struct timespec *deadline)
{
	u64 now = kernel_clock(CLOCK_MONOTONIC);
	u64 due = (u64)deadline->tv_sec * NSEC_PER_SEC + (u64)deadline->tv_nsec;
	u64 left = due > now ? due - now : 0;

	return (struct timespec){(time_t)(left / NSEC_PER_SEC), (long)(left % NSEC_PER_SEC)};
}

bool timekeeper_is_due(const struct timespec *deadline)
{
	struct timespec left = timekeeper_wait(deadline);

	return left.tv_sec == 0 && left.tv_nsec == 0;
}
