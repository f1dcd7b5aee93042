/*
 * questions.c - see questions.h. All of it runs in the attendant.
 */
#include <errno.h>
#include <host.h>
#include <machine.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h> /* snprintf */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "kernel/arch/cpu.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/page.h"
#include "kernel/foreign/mirror.h"
#include "kernel/foreign/questions.h"

/* Where nothing is: before the image and after it. More than any kernel's data pages. */
#define GUARD_PAGES 32

/* A call that takes so much time of a CPU does not come back. */
#define PATIENCE_US 50000

/* All of them, if they sleep; on any machine they take milliseconds. */
#define ALL_PATIENCE_S 20

/* A function that ignores the sequence number answers in far less. */
#define UPDATE_US 300

/* A call that fails is made so often: it may have been interrupted. */
#define FAILURES_MAX 4

const char *const question_names[QUESTIONS] = {
	"clock_gettime", "clock_gettime64", "gettimeofday", "time", "clock_getres", "getrandom",
};

/* Of the attendant alone: its owner may have threads that try other images. */
static struct {
	const struct questions *questions;
	int out;
	bool in_namespace;

	unsigned char *at; /* the image, mapped */
	struct mirror mirror;
	struct vdso_data from[CS_BASES];

	const char *asking; /* for messages, with asked */
	int asked;
	bool waiting; /* in a namespace: it may wait for ever */

	volatile sig_atomic_t updating; /* it has to wait; then it goes on at */
	sigjmp_buf waited;
} state;

static _Noreturn void report(const struct answers *report)
{
	attendant_tell(state.out, report, sizeof(*report));
	_exit(0);
}

static _Noreturn void refuse_for(const char *what, bool elsewhere)
{
	struct answers no = {.fits = false, .elsewhere = elsewhere};

	char about[12] = "";

	if (state.asked >= 0)
		snprintf(about, sizeof(about), "%d", state.asked);
	snprintf(no.words, sizeof(no.words), "%s(%s)%s %s", state.asking, about,
		 state.in_namespace ? ", in a time namespace," : "", what);
	report(&no);
}

static _Noreturn void refuse(const char *what)
{
	refuse_for(what, false);
}

/* The system has failed, not the image. */
static _Noreturn void fail(const char *call, int error)
{
	report(&(const struct answers){.err = -error, .call = call});
}

/* The CPU says whether it was a store; not every one, and not to us everywhere. */
static bool is_store(const void *context)
{
#if defined(__x86_64__) || defined(__i386__)
	return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2;
#else
	(void)context;
	return false;
#endif
}

/* It looked where nothing is, or did not come back. */
static void caught(int signal, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr, at = (uintptr_t)state.at;
	size_t guard = (size_t)GUARD_PAGES * page_size();
	const char *does = is_store(context) ? "writes to" : "reads at";
	char what[80];

	if (signal == SIGVTALRM && state.waiting)
		report(&(const struct answers){.fits = true, .no_namespace = true});
	if (signal == SIGALRM && state.updating)
		siglongjmp(state.waited, 1);
	if (signal == SIGVTALRM || signal == SIGALRM)
		refuse("does not come back");
	if (signal != SIGSEGV && signal != SIGBUS)
		refuse("meets an instruction that this CPU does not have");
	if (address >= at && address < at + state.questions->image_length + guard)
		snprintf(what, sizeof(what), "%s %#lx of the image", does,
			 (unsigned long)(address - at));
	else if (address < at && address >= at - guard)
		snprintf(what, sizeof(what), "%s %#lx before the image", does,
			 (unsigned long)(at - address));
	else
		snprintf(what, sizeof(what), "%s address %#lx, far from image and data pages",
			 does, (unsigned long)address);
	refuse_for(what, true);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGVTALRM, SIGALRM};
	/* With none blocked in the handler, to leave it takes no system call. */
	struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &action, NULL))
			fail("rt_sigaction", errno);
		sigaddset(&set, signals[i]);
	}
	if (sigprocmask(SIG_UNBLOCK, &set, NULL))
		fail("rt_sigprocmask", errno);
}

/* Without a timer we would wait for ever for a call that does not come back. */
static void set_timer(int which, time_t sec, suseconds_t usec)
{
	const struct itimerval timer = {.it_value = {sec, usec}};

	if (setitimer(which, &timer, NULL))
		fail("setitimer", errno);
}

static void be_patient(void)
{
	set_timer(ITIMER_REAL, ALL_PATIENCE_S, 0);
}

static void ask(const char *what, int about)
{
	state.asking = what;
	state.asked = about;
	set_timer(ITIMER_VIRTUAL, 0, PATIENCE_US);
}

static void *function(enum question which)
{
	return state.questions->function[which] ? state.at + state.questions->function[which]
						: NULL;
}

struct answer {
	s64 sec, nsec;
};

static const struct answer no_answer = {-1, -1};

/* That of the kernel itself, or 0. */
static int kernel_gettime(int clock, struct answer *answer)
{
#ifdef SYS_clock_gettime64
	return syscall(SYS_clock_gettime64, clock, answer) ? errno : 0;
#else
	return syscall(SYS_clock_gettime, clock, answer) ? errno : 0;
#endif
}

/*
 * For a function that has returned an error each time. The error may come from a system call
 * that it makes: then this call fails here, too.
 */
static _Noreturn void refuse_error(long result, const char *call, int kernels)
{
	char what[80];

	if (kernels)
		fail(call, kernels);
	snprintf(what, sizeof(what), "gives an error: %s", strerror((int)-result));
	refuse(what);
}

static int gettime_once(enum question which, int clock, struct answer *answer)
{
	long narrow[2] = {-1, -1};
	int result;

	if (sizeof(long) == 8 || which == GETTIME64)
		return ((int (*)(int, struct answer *))function(which))(clock, answer);
	result = ((int (*)(int, long *))function(GETTIME))(clock, narrow);
	*answer = (struct answer){narrow[0], narrow[1]};
	return result;
}

/* In a 32-bit image both functions, if it has them, are asked about all clocks. */
static struct answer gettime(enum question which, int clock)
{
	struct answer answer = no_answer, kernels;
	int result = -1;

	for (int turn = 0; result < 0 && turn < FAILURES_MAX; turn++) {
		ask(question_names[which], clock);
		result = gettime_once(which, clock, &answer);
	}
	if (result < 0)
		refuse_error(result, "clock_gettime", kernel_gettime(clock, &kernels));
	return answer;
}

static struct answer gettimeofday_(struct timezone *tz)
{
	struct {
		long sec, usec;
	} tv = {-1, -1};
	int result = -1;

	for (int turn = 0; result < 0 && turn < FAILURES_MAX; turn++) {
		ask(question_names[GETTIMEOFDAY], -1);
		result = ((int (*)(void *, struct timezone *))function(GETTIMEOFDAY))(&tv, tz);
	}
	if (result < 0)
		refuse_error(result, "gettimeofday",
			     syscall(SYS_gettimeofday, &tv, NULL) ? errno : 0);
	return (struct answer){tv.sec, tv.usec * 1000LL};
}

static bool map_slot(int slot, enum mirror_page page)
{
	unsigned char *want =
		state.at - (size_t)(state.questions->layout->pages - slot) * page_size();

	return mmap(want, page_size(), PROT_READ, MAP_SHARED | MAP_FIXED, state.questions->data,
		    page * VDSO_STRIDE) == want;
}

/* As place.c does it. */
static void map_slots(void)
{
	const struct foreign_layout *l = state.questions->layout;

	if (!map_slot(l->time, state.in_namespace ? MIRROR_OFFSETS : MIRROR_TIME) ||
	    (state.in_namespace && !map_slot(l->timens, MIRROR_TIME)) ||
	    (l->rng >= 0 && l->rng != l->time && !map_slot(l->rng, MIRROR_RNG)))
		fail("mmap", errno);
}

static void map_all(void)
{
	size_t guard = (size_t)GUARD_PAGES * page_size();
	unsigned char *area = mmap(NULL, 2 * guard + state.questions->image_length, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED ||
	    mmap(area + guard, state.questions->image_length, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_FIXED, state.questions->image, 0) == MAP_FAILED)
		fail("mmap", errno);
	state.at = area + guard;
	state.mirror = (struct mirror){.layout = state.questions->layout};
	state.mirror.pages = mmap(NULL, MIRROR_PAGES * VDSO_STRIDE, PROT_READ | PROT_WRITE,
				  MAP_SHARED, state.questions->data, 0);
	if (state.mirror.pages == MAP_FAILED)
		fail("mmap", errno);
}

/* Each base is one that no clock shows, and that no other base is. */
static s64 base_sec(int clock)
{
	return 1000 + 100 * clock;
}

static s64 base_nsec(int clock)
{
	return 123456 + 1000 * clock;
}

#define SHIFT     8
#define RES       7
#define TZ_WEST   (-61)
#define TZ_DST    3
#define PER_CYCLE 3 /* ns; of MONOTONIC_RAW one more */

/* What a namespace adds to a clock, in the kernel's way. */
static s64 more_sec(int clock)
{
	bool shifts = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
		      clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;

	return state.in_namespace && shifts ? -(100000 + 1000 * clock) : 0;
}

static void fill_offsets(void)
{
	struct timens_offset offset[VDSO_BASES];

	for (int clock = 0; clock < VDSO_BASES; clock++)
		offset[clock] = (struct timens_offset){more_sec(clock), 0};
	/* A clock that no namespace shifts has an offset of zero. */
	memset(&state.mirror.pages[MIRROR_OFFSETS], 0, VDSO_STRIDE);
	mirror_fill_offsets(state.questions->layout, &state.mirror.pages[MIRROR_OFFSETS],
			    offset);
}

/* All pages: what the layout does not name is filler. */
static void fill(unsigned char filler, u32 per_cycle, s32 mode)
{
	struct vdso_data *from = state.from;
	const s32 modes[CS_BASES] = {mode, mode};
	u64 now = arch_counter();

	memset(state.mirror.pages, filler, MIRROR_PAGES * VDSO_STRIDE);
	for (int cs = 0; cs < CS_BASES; cs++) {
		from[cs].cycle_last = now;
		from[cs].mask = cpu_counter_mask();
		from[cs].mult = per_cycle ? (per_cycle + (u32)cs) << SHIFT : 0;
		from[cs].shift = SHIFT;
		from[cs].tz_minuteswest = TZ_WEST;
		from[cs].tz_dsttime = TZ_DST;
		from[cs].hrtimer_res = RES;
		for (int clock = 0; clock < VDSO_BASES; clock++) {
			bool coarse = VDSO_BIT(clock) & VDSO_COARSE;

			from[cs].basetime[clock].sec = (u64)base_sec(clock);
			from[cs].basetime[clock].nsec = (u64)base_nsec(clock)
							<< (coarse ? 0 : SHIFT);
		}
	}
	mirror_begin(&state.mirror);
	mirror_end(&state.mirror, from, modes);
	if (state.in_namespace)
		fill_offsets();
}

static bool is_fine(int clock)
{
	return VDSO_BIT(clock) & (VDSO_HRES | VDSO_RAW);
}

static bool is_after(struct answer a, struct answer b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

/* unit is how exact it is, in ns. */
static void expect(struct answer answer, struct answer least, struct answer most, s64 unit)
{
	char what[120];

	least.nsec -= least.nsec % unit;
	if (answer.nsec >= 0 && answer.nsec < (s64)NSEC_PER_SEC && !is_after(least, answer) &&
	    !is_after(answer, most))
		return;
	snprintf(what, sizeof(what), "shows %lld.%09lld, and the data page says %lld.%09lld",
		 (long long)answer.sec, (long long)answer.nsec, (long long)least.sec,
		 (long long)least.nsec);
	refuse(what);
}

/* What a clock shows ns after its base. */
static struct answer shown(int clock, s64 ns)
{
	ns += base_nsec(clock);
	return (struct answer){base_sec(clock) + more_sec(clock) + ns / (s64)NSEC_PER_SEC,
			       ns % (s64)NSEC_PER_SEC};
}

static struct answer ask_kernel(int clock)
{
	struct answer answer = no_answer;
	int error = -1;

	for (int turn = 0; error && turn < FAILURES_MAX; turn++)
		error = kernel_gettime(clock, &answer);
	if (error)
		fail("clock_gettime", error);
	return answer;
}

/* Before and after an answer: by the counter, or, where that is unusable, by the kernel. */
static struct answer look(int clock, bool counted)
{
	int cs = VDSO_BIT(clock) & VDSO_RAW ? CS_RAW : CS_HRES_COARSE;
	const struct vdso_data *from = &state.from[cs];

	if (!counted)
		return ask_kernel(clock);
	return shown(clock, (s64)((arch_counter() - from->cycle_last) * (from->mult >> SHIFT)));
}

static void ask_about_time(bool counted)
{
	struct answer before, answer;

	for (int which = GETTIME; which <= GETTIME64; which++) {
		for (int clock = 0; clock < VDSO_BASES && function(which); clock++) {
			bool fine = is_fine(clock);

			if (!fine && !(VDSO_BIT(clock) & VDSO_COARSE))
				continue;
			/* One that knows no namespaces waits for the end of an update. */
			state.waiting = state.in_namespace;
			before = fine ? look(clock, counted) : shown(clock, 0);
			answer = gettime(which, clock);
			state.waiting = false;
			expect(answer, before, fine ? look(clock, counted) : before, 1);
		}
	}
	if (function(GETTIMEOFDAY)) {
		struct timezone tz = {0, 0};

		before = look(CLOCK_REALTIME, counted);
		answer = gettimeofday_(NULL);
		expect(answer, before, look(CLOCK_REALTIME, counted), 1000);
		before = look(CLOCK_REALTIME, counted);
		answer = gettimeofday_(&tz);
		/* A function that asks the kernel gets the zone of the kernel. */
		if (counted && (tz.tz_minuteswest != TZ_WEST || tz.tz_dsttime != TZ_DST))
			refuse("gives another time zone than the data page");
		expect(answer, before, look(CLOCK_REALTIME, counted), 1000);
	}
}

static void ask_about_the_rest(void)
{
	if (function(TIME)) {
		long (*time)(long *) = function(TIME), stored = -1;
		struct answer base = {base_sec(CLOCK_REALTIME), 0};

		ask(question_names[TIME], -1);
		expect((struct answer){time(NULL), 0}, base, base, 1);
		expect((struct answer){time(&stored), 0}, base, base, 1);
		expect((struct answer){stored, 0}, base, base, 1);
	}
	for (int clock = 0; clock < VDSO_BASES && function(GETRES); clock++) {
		long res[2] = {-1, -1};

		if (!is_fine(clock))
			continue;
		ask(question_names[GETRES], clock);
		((int (*)(int, long *))function(GETRES))(clock, res);
		if (res[0] != 0 || res[1] != RES)
			refuse("gives another resolution than the data page");
	}
}

/* With an odd number, which never changes. */
static void ask_meanwhile(enum question which, int clock)
{
	if (!function(which))
		return;
	if (sigsetjmp(state.waited, 0) == 0) {
		state.updating = true;
		set_timer(ITIMER_REAL, 0, UPDATE_US);
		if (which == GETTIMEOFDAY)
			gettimeofday_(NULL);
		else
			gettime(which, clock);
		refuse("does not wait for the end of an update");
	}
	state.updating = false;
	be_patient();
}

static void ask_about_updates(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC_RAW,
				     CLOCK_MONOTONIC_COARSE};

	fill(0xa5, 0, VDSO_CLOCKMODE_COUNTER);
	mirror_begin(&state.mirror);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		ask_meanwhile(GETTIME, clocks[i]);
		ask_meanwhile(GETTIME64, clocks[i]);
	}
	ask_meanwhile(GETTIMEOFDAY, -1);
}

static void random_numbers(void);

/* Each function, by the way that it takes outside of a namespace or in one. */
static void ask_all(bool in_namespace)
{
	state.in_namespace = in_namespace;
	map_slots();
	/* still */
	for (int filler = 0; filler < 0x100; filler += 0xa5) {
		fill((unsigned char)filler, 0, VDSO_CLOCKMODE_COUNTER);
		ask_about_time(true);
		ask_about_the_rest();
	}
	/* moving */
	fill(0xa5, PER_CYCLE, VDSO_CLOCKMODE_COUNTER);
	ask_about_time(true);
	/* none */
	fill(0xa5, PER_CYCLE, VDSO_CLOCKMODE_NONE);
	ask_about_time(false);
	ask_about_updates();
	if (function(GETRANDOM))
		random_numbers();
}

/* Does the state say that its key is of this generation? */
static bool has_generation(const unsigned char *state, size_t size, u64 generation)
{
	for (size_t at = 0; at + sizeof(generation) <= size; at += 4)
		if (!memcmp(state + at, &generation, sizeof(generation)))
			return true;
	return false;
}

static void random_numbers(void)
{
	static unsigned char opaque[2][VDSO_SMALLEST_PAGE]
		__attribute__((aligned(VDSO_SMALLEST_PAGE))); /* zeros */
	long (*getrandom)(void *, size_t, unsigned, void *, size_t) = function(GETRANDOM);
	struct vdso_rng_data rng = {.generation = 0x6a09e667f3bcc908, .is_ready = true};
	struct vgetrandom_opaque_params params = {0};
	static const unsigned char nothing[16];
	unsigned char bytes[16];

	memset(opaque, 0, sizeof(opaque));
	ask(question_names[GETRANDOM], -1);
	if (state.questions->layout->rng < 0)
		refuse("is there, and nothing is known of its data");
	if (getrandom(NULL, 0, 0, &params, ~(size_t)0) ||
	    params.size_of_opaque_state > VDSO_SMALLEST_PAGE)
		refuse("does not say what its state is");
	fill(0xa5, 0, VDSO_CLOCKMODE_COUNTER);
	for (int ready = 0; ready < 2; ready++) {
		bool fits = false;
		long got = -1;

		rng.is_ready = ready;
		mirror_rng(&state.mirror, &rng);
		memset(bytes, 0, sizeof(bytes));
		/* It asks the kernel, for a key or for the whole, and that may fail. */
		for (int turn = 0; !fits && turn < FAILURES_MAX; turn++) {
			ask(question_names[GETRANDOM], -1);
			got = getrandom(bytes, sizeof(bytes), 0, opaque[ready],
					params.size_of_opaque_state);
			fits = got == sizeof(bytes) &&
			       has_generation(opaque[ready], VDSO_SMALLEST_PAGE,
					      rng.generation) == ready;
		}
		if (got < 0)
			refuse_error(got, "getrandom",
				     syscall(SYS_getrandom, bytes, sizeof(bytes), 0) < 0 ? errno
											 : 0);
		if (!fits)
			refuse("does not go by its data page");
		if (!memcmp(bytes, nothing, sizeof(bytes)))
			refuse("gives no random numbers");
	}
}

void questions_ask(void *arg, int in, int out)
{
	const struct questions *questions = arg;
	const int keep[] = {in, out, questions->image, questions->data};

	state.questions = questions;
	state.out = out;
	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
	map_all();
	catch_signals();
	be_patient();
	ask_all(false);
	if (questions->layout->timens >= 0)
		ask_all(true);
	report(&(const struct answers){.fits = true});
}
