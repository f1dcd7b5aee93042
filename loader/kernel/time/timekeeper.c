/*
 * timekeeper.c - see timekeeper.h.
 *
 * Measuring is sampler.c, deciding is bases.c. What is left here is to publish in such an
 * order that no reader is ever told a time before one that any reader has been told.
 */
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/arch/cpu.h"
#include "kernel/time/sampler.h"
#include "kernel/time/timekeeper.h"

/* Brackets for each sample: in an update, and at the start, where nothing is known. */
#define TRIES       8
#define TRIES_START 32

/* The looks of the start take some microseconds each. They end, even if a clock stands still.
 */
#define LOOKS_START 1000

/*
 * How long readers wait for the end of an update before they ask the kernel, at least:
 * MAX_TRIES turns of 20 ns for a fine clock, COARSE_WAITS for a coarse one without a second
 * copy (gettime.c). The second is longer than a watchdog lets an update be. An update takes 300
 * ns.
 */
#define FINE_PATIENCE_NS   5000
#define COARSE_PATIENCE_NS 10000000

/* How often an update is tried, if we are stopped in it, before that is left to the next one.
 */
#define ATTEMPTS 8

/* So many looks in a row without a rate: there will be none. */
#define HOPELESS 64

/* Once a second, ask for what hardly ever changes. */
#define RECHECK_UPDATES (1000000000 / TIMELINE_PERIOD_NS)

/* A fast clock is updated up to so many times as often. */
#define FAST_TIMES 4

/* So many looks at a counter that comes back, before it is used: 64 ms. */
#define TRIAL_LOOKS 16

/*
 * Asked of the kernel itself, not of the C library, which would answer from its own knowledge.
 * Nothing tells when the zone changes, so it is asked for with each update.
 */
static void publish_zone(struct vdso_data *vd)
{
	struct timezone tz = {0, 0};

	syscall(SYS_gettimeofday, NULL, &tz);
	for (int cs = 0; cs < CS_BASES; cs++) {
		write_once_s32(&vd[cs].tz_minuteswest, tz.tz_minuteswest);
		write_once_s32(&vd[cs].tz_dsttime, tz.tz_dsttime);
	}
}

/* For the same reason. */
static void publish_resolutions(struct vdso_data *vd)
{
	struct timespec res = {0, 1}, coarse = {0, 4000000};

	syscall(SYS_clock_getres, CLOCK_MONOTONIC, &res);
	syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &coarse);
	for (int cs = 0; cs < CS_BASES; cs++) {
		write_once32(&vd[cs].hrtimer_res, (u32)res.tv_nsec);
		write_once32(&vd[cs].coarse_res, (u32)coarse.tv_nsec);
	}
}

/*
 * Begins a base whose head is *head; false if it is not, any more. The fence keeps our look at
 * the clock after our store of the odd number: by then readers can know that the line is about
 * to change. And a reader that finds an abandoned number unchanged after its system call was
 * told a time before ours (4, see gettime.c).
 */
static bool begin(struct vdso_data *vd, union vdso_head *head)
{
	bool begun = vdso_try_begin(vd, head);

	atomic_thread_fence(memory_order_seq_cst); /* 4 */
	return begun;
}

static s32 mode(const struct timekeeper *tk)
{
	return tk->why_no_counter ? VDSO_CLOCKMODE_NONE : VDSO_CLOCKMODE_COUNTER;
}

static void look(struct timekeeper *tk)
{
	struct clocks_look now;

	tk->bases.mono.followed_ns = tk->mirror.layout ? MIRROR_PATIENCE_NS : 0;
	tk->bases.raw.followed_ns = tk->bases.mono.followed_ns;
	sampler_look(&now, &tk->ahead, TRIES);
	bases_steer(&tk->bases, &now);
}

static double ns_since(const struct timekeeper *tk, u64 count)
{
	return (double)(arch_counter() - count) * tk->bases.mono.rate;
}

/*
 * The count at which the next line begins. To be called with the number odd, when no reader can
 * follow the old line any more. Where the next one must begin at the kernel's clock, that is
 * looked at here. False if it cannot be: we are stopped again and again, or know no rate.
 */
static bool ready(struct timekeeper *tk, struct timeline *line, u64 *now)
{
	for (int tries = ATTEMPTS; tries > 0 && !bases_lost(&tk->bases); tries--) {
		*now = arch_counter();
		if (timeline_ready(line, *now))
			return true;
		look(tk);
	}
	return false;
}

/* Without a counter: the coarse clocks. The fine bases are not read in mode NONE. */
static void write_coarse(struct timekeeper *tk)
{
	u64 mono = sampler_clock(CLOCK_MONOTONIC), real = sampler_clock(CLOCK_REALTIME);

	bases_write_coarse(&tk->bases, &tk->data[CS_HRES_COARSE], real - (u64)tk->ahead.real,
			   mono - (u64)tk->ahead.mono);
}

static void abandon_mirror(struct timekeeper *tk)
{
	u64 head[CS_BASES], mono, real;

	if (!tk->mirror.layout)
		return;
	mirror_abandon(&tk->mirror, head);
	mono = sampler_clock(CLOCK_MONOTONIC);
	real = sampler_clock(CLOCK_REALTIME);
	mirror_stand_in(&tk->mirror, head, real - (u64)tk->ahead.real,
			mono - (u64)tk->ahead.mono);
}

void timekeeper_stand_in(struct timekeeper *tk)
{
	abandon_mirror(tk);
	if (tk->mirror.layout)
		mirror_abandon_rng(&tk->mirror);
}

/* What the data page says. False if the mirror was abandoned meanwhile; true without one. */
static bool end_mirror(struct timekeeper *tk)
{
	const s32 modes[CS_BASES] = {
		[CS_HRES_COARSE] = mode(tk),
		[CS_RAW] = tk->bases.raw.max_cycles ? mode(tk) : VDSO_CLOCKMODE_NONE,
	};

	return !tk->mirror.layout || mirror_end(&tk->mirror, tk->data, modes);
}

/*
 * Writes the fine clocks of a base that was begun at the count begun, or a little later. Its
 * readers wait, and ask the kernel if that takes too long; then the next line must begin at the
 * kernel's clock. One that does so may take any time; but what is old when it is written is not
 * worth publishing while there is better. Returns false if there is no next line.
 *
 * What is left: we lose our CPU in the nanoseconds from the last look at the counter to the
 * end. A reader that waits in vain is told the kernel's time, and the next one the line's,
 * which may be behind by as much as its error, TIMELINE_STEP_NS. A system call takes about as
 * long.
 */
static bool write_fine(struct timekeeper *tk, int cs, u64 begun)
{
	struct timeline *line = cs == CS_RAW ? &tk->bases.raw : &tk->bases.mono;
	bool punctual = false;

	for (int tries = ATTEMPTS; tries > 0 && !punctual; tries--) {
		bool anew;
		u64 now;

		if (!ready(tk, line, &now))
			return false;
		anew = line->restart;
		if (cs == CS_RAW)
			bases_write_raw(&tk->bases, &tk->data[cs], now);
		else
			bases_write(&tk->bases, &tk->data[cs], now);
		punctual = ns_since(tk, anew ? now : begun) <= FINE_PATIENCE_NS;
		if (!punctual)
			timeline_restart(line);
	}
	return true;
}

/* The first base of data pages in use. Readers of coarse clocks have the second copy meanwhile.
 */
static bool continue_first(struct timekeeper *tk, union vdso_head head)
{
	struct vdso_data *vd = &tk->data[CS_HRES_COARSE];
	u64 begun = tk->why_no_counter ? 0 : arch_counter();

	if (!begin(vd, &head))
		return false;
	if (tk->why_no_counter)
		write_coarse(tk);
	else if (!write_fine(tk, CS_HRES_COARSE, begun))
		return false;
	return vdso_write_end(vd, head, mode(tk));
}

/*
 * The first base of data pages that were abandoned. All readers have been told the kernel's own
 * time, of coarse clocks, too. From the beginning on they wait, since there is no second copy;
 * if any may have waited too long, it knows a later time than what is written, and that is no
 * use. So what takes long, the look, is done before the beginning.
 */
static bool return_first(struct timekeeper *tk, union vdso_head head)
{
	struct vdso_data *vd = &tk->data[CS_HRES_COARSE];
	struct timeline *line = &tk->bases.mono;
	u64 begun, now;

	/* It is older than what readers know, and must not be found once the first is odd. */
	vdso_abandon(&tk->data[CS_RAW]);
	if (tk->why_no_counter) {
		begun = sampler_clock(CLOCK_MONOTONIC);
		if (!begin(vd, &head))
			return false;
		write_coarse(tk);
		return sampler_clock(CLOCK_MONOTONIC) - begun <= COARSE_PATIENCE_NS &&
		       vdso_write_end(vd, head, mode(tk));
	}
	bases_restart(&tk->bases);
	look(tk);
	if (bases_lost(&tk->bases))
		return false;
	begun = arch_counter();
	if (!begin(vd, &head))
		return false;
	now = arch_counter();
	if (!timeline_ready(line, now))
		return false;
	bases_write(&tk->bases, vd, now);
	return ns_since(tk, begun) <= COARSE_PATIENCE_NS && vdso_write_end(vd, head, mode(tk));
}

/*
 * The second base. Nobody but us changes its head, so it comes to its end. If MONOTONIC_RAW has
 * no line, its readers are sent to the kernel, since the coarse clocks need this copy.
 */
static void write_second(struct timekeeper *tk)
{
	struct vdso_data *vd = &tk->data[CS_RAW];
	union vdso_head head = vdso_read_head(vd);
	u64 begun = tk->why_no_counter ? 0 : arch_counter();

	begin(vd, &head);
	bases_copy_coarse(tk->data);
	if (tk->why_no_counter || !write_fine(tk, CS_RAW, begun))
		bases_close_raw(&tk->bases, vd);
	vdso_write_end(vd, head, mode(tk));
}

/*
 * Writes both bases, one after the other, so that a coarse clock can be read at any time
 * (vdso/seqcount.h). We may be stopped anywhere. Then readers ask the kernel: those of fine
 * clocks past max_cycles or after a long wait, all of them once the watchdog has abandoned the
 * data page. The rule for what comes after that is in timeline.h. Where it cannot be kept,
 * after some attempts, the data page stays abandoned until the next update.
 */
static void publish(struct timekeeper *tk)
{
	struct vdso_data *first = &tk->data[CS_HRES_COARSE];

	for (int tries = ATTEMPTS; tries > 0; tries--) {
		union vdso_head head = vdso_read_head(first);

		if (tk->mirror.layout)
			mirror_begin(&tk->mirror);
		if (head.seq & 1 ? return_first(tk, head) : continue_first(tk, head)) {
			write_second(tk);
			if (end_mirror(tk))
				return;
			bases_restart(&tk->bases);
			continue;
		}
		if (vdso_read_head(first).clock_mode != VDSO_CLOCKMODE_ABANDONED)
			vdso_abandon(first);
	}
	abandon_mirror(tk);
}

/*
 * The second of two looks at all clocks, one FIRST_PERIOD apart. What is left of it is spun,
 * since to sleep would take twice as long.
 */
static const char *calibrate(struct timekeeper *tk)
{
	struct clocks_look second;

	for (int i = 0; i < LOOKS_START; i++) {
		sampler_look(&second, &tk->ahead, TRIES_START);
		if (second.mono.ns - tk->first.mono.ns >= TIMELINE_FIRST_PERIOD_NS)
			break;
	}
	if (bases_start(&tk->bases, cpu_counter_mask(), &tk->first, &second))
		return NULL;
	return "the counter stood still while it was calibrated";
}

void timekeeper_start(struct timekeeper *tk, struct vdso_data *data, enum counter_choice choice)
{
	*tk = (struct timekeeper){.data = data, .counter.choice = choice};

	counter_usable(&tk->counter, &tk->why_no_counter);
	publish_zone(data);
	publish_resolutions(data);
	sampler_find_ahead(&tk->ahead);
	if (!tk->why_no_counter)
		sampler_look(&tk->first, &tk->ahead, TRIES_START);
}

void timekeeper_first(struct timekeeper *tk)
{
	if (!tk->why_no_counter)
		tk->why_no_counter = calibrate(tk);
	publish(tk);
}

/*
 * Measures and decides. Returns false if there is nothing to publish. A counter is not left
 * while its line is ahead of the kernel's clock: the answers of the kernel would be a step
 * back.
 */
static bool follow_clocks(struct timekeeper *tk)
{
	look(tk);
	if (tk->leaving && !bases_ahead(&tk->bases)) {
		tk->why_no_counter = tk->leaving;
		tk->leaving = NULL;
		return true;
	}
	if (!bases_lost(&tk->bases))
		return true;
	if (tk->bases.mono.strange >= HOPELESS || tk->bases.raw.strange >= HOPELESS) {
		tk->why_no_counter = "the counter has lost its rate";
		tk->retry = true;
		return true;
	}
	vdso_abandon(&tk->data[CS_RAW]);
	vdso_abandon(&tk->data[CS_HRES_COARSE]);
	abandon_mirror(tk);
	return false;
}

/* The kernel has taken another clocksource; or it is time to see whether there is a rate again.
 */
static void reconsider(struct timekeeper *tk, bool now_and_then)
{
	const char *why;

	if (!counter_changed(&tk->counter) && !(tk->retry && now_and_then))
		return;
	tk->leaving = NULL;
	if (counter_usable(&tk->counter, &why)) {
		if (tk->why_no_counter && !tk->trial)
			tk->trial = 1;
		return;
	}
	tk->trial = 0;
	if (tk->why_no_counter)
		tk->why_no_counter = why;
	else
		tk->leaving = why;
}

/*
 * One look of the trial: does the rate hold? The clocks are the kernel's meanwhile, and so the
 * first line begins at the kernel's clock.
 */
static void try_counter(struct timekeeper *tk)
{
	struct clocks_look now;
	bool holds = true;

	sampler_look(&now, &tk->ahead, TRIES);
	if (tk->trial == 1) {
		tk->first = now;
	} else if (tk->trial == 2) {
		holds = bases_start(&tk->bases, cpu_counter_mask(), &tk->first, &now);
	} else {
		bases_steer(&tk->bases, &now);
		holds = !tk->bases.mono.strange && !tk->bases.raw.strange;
	}
	tk->retry |= !holds;
	if (!holds || tk->trial++ == TRIAL_LOOKS)
		tk->trial = 0;
	if (holds && !tk->trial) {
		bases_restart(&tk->bases);
		tk->why_no_counter = NULL;
		tk->retry = false;
	}
}

void timekeeper_clock_was_set(struct timekeeper *tk)
{
	if (tk->why_no_counter || follow_clocks(tk))
		publish(tk);
}

void timekeeper_update(struct timekeeper *tk)
{
	bool now_and_then = ++tk->updates % RECHECK_UPDATES == 0;

	publish_zone(tk->data);
	if (now_and_then)
		publish_resolutions(tk->data);
	reconsider(tk, now_and_then);
	if (tk->trial)
		try_counter(tk);
	timekeeper_clock_was_set(tk);
	rng_publish(&tk->rng);
	if (tk->mirror.layout && tk->rng.data)
		mirror_rng(&tk->mirror, tk->rng.data);
}

/* A coarse clock is as old as the last update; on a clock that is fast that is a long time. */
static u64 longest_period(const struct own *own)
{
	u64 times = own->pair ? own_rate(own) / CLOCK_RATE_ONE : 1;

	return TIMELINE_PERIOD_NS / (times < 1 ? 1 : times > FAST_TIMES ? FAST_TIMES : times);
}

u64 timekeeper_period(const struct timekeeper *tk)
{
	u64 longest = longest_period(&tk->bases.own);
	u64 period = tk->why_no_counter ? longest : bases_period(&tk->bases);

	return period < longest ? period : longest;
}

/*
 * On any CPU that we may have, not only on the one that the program keeps to itself. The kernel
 * takes away what the machine or the cpuset does not have.
 */
static void use_all_cpus(void)
{
	unsigned char all[1024];

	memset(all, 0xff, sizeof(all));
	syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
}

void timekeeper_prioritise(void)
{
	struct sched_param own = {0}, more;
	int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	int most = sched_get_priority_max(SCHED_FIFO);

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	use_all_cpus();
	sched_getparam(0, &own);
	more.sched_priority = own.sched_priority < most ? own.sched_priority + 1 : most;
	if (!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &more))
		return;
	/*
	 * Denied to most users. What a real-time program has, we have inherited, and keep; but
	 * the idle policy would give us no time at all while others work.
	 */
	if (policy == SCHED_IDLE || policy == SCHED_BATCH)
		sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &own);
}
