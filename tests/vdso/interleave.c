/*
 * interleave.c - a writer between any two steps of a reader, one case after the other.
 *
 * seqcount.c lets a writer and a reader run at full speed and hopes for the bad moment.
 * Here every moment comes: on the machine made for tests (fake.h) a call of the vDSO is a
 * row of events, loads and looks at the counter, and the writer may act before each of
 * them. An update is a row of stores:
 *
 *   writer   begin | cycle_last | mult | ... | base | end          0 to all of them at
 *                                                                  one event, the rest
 *   reader   number | mode | counter | ... | base | number         at a later one, or
 *            ^0       ^1     ^2              ^k                    never
 *
 * Whatever the case, the answer must be exactly that of a state which the data page had during
 * the call. A system call is right where such a state has no answer, or where the writer
 * never came to an end. Each case is so small that there is no luck in it, and it comes
 * again with every run.
 *
 * What this cannot show is a missing barrier: here all loads and stores keep their order.
 */
#include "fake.h"

#define NEVER  UINT32_MAX
#define WINDOW 14 /* how many events a writer may be interrupted for */

static const int whats[] = {0, 1, 4, 5, 6, 7, 11, TIMEOFDAY, TIME};
#define WHATS ((int)(sizeof(whats) / sizeof(whats[0])))

/* ---- the writer, store by store ---------------------------------------------------------- */

static struct vdso_data states[3][CS_BASES];

/* The fields that the clock in question is made of, each a store of its own. */
static const struct {
	size_t at, size;
} fields[] = {
#define FIELD(name)                                                                     \
	{                                                                               \
		offsetof(struct vdso_data, name), sizeof(((struct vdso_data *)0)->name) \
	}
	FIELD(cycle_last), FIELD(max_cycles), FIELD(mask), FIELD(mult), FIELD(shift),
};
#define FIELDS ((unsigned)(sizeof(fields) / sizeof(fields[0])))
/* begin, all that no reader of this clock should look at, the fields, sec and nsec, end */
#define BASE_STEPS (FIELDS + 5)
#define STEPS      (CS_BASES * BASE_STEPS) /* one base after the other */

static enum scenario {
	ORDINARY,
	BEHIND,
	OLD,
	GOES,
	COMES,
	NONE,
	ABANDONED,
	SCENARIOS,
} scenario;

static struct {
	int clock;       /* the one that is read meanwhile */
	unsigned done;   /* how many steps of the update */
	unsigned target; /* the state that it leads to */
	bool reversed;   /* the fields in the other order */
	union vdso_head head;
} writer;

static void copy(int cs, size_t at, size_t size, bool whole)
{
	char *to = (char *)&fake.data[cs];
	const char *from = (const char *)&states[writer.target][cs];
	struct vdso_data kept = fake.data[cs];

	memcpy(to + at, from + at, size);
	if (!whole)
		return;
	/* And then back with what is a step of its own. */
	for (unsigned i = 0; i < FIELDS; i++)
		memcpy(to + fields[i].at, (char *)&kept + fields[i].at, fields[i].size);
	fake.data[cs].basetime[writer.clock] = kept.basetime[writer.clock];
}

static void write_step(void)
{
	unsigned step = writer.done++;
	int cs = step < BASE_STEPS ? CS_HRES_COARSE : CS_RAW;
	struct vdso_data *vd = &fake.data[cs];
	size_t base = offsetof(struct vdso_data, basetime) +
		      sizeof(struct vdso_timestamp) * (unsigned)writer.clock;

	if (scenario == ABANDONED && writer.target == 1) {
		if (step < CS_BASES)
			abandon_step(step);
		return;
	}
	step %= BASE_STEPS;
	if (step == 0) {
		if (cs == CS_HRES_COARSE && vd->clock_mode == VDSO_CLOCKMODE_ABANDONED)
			vdso_abandon(&fake.data[CS_RAW]);
		writer.head = vdso_write_begin(vd);
		return;
	}
	if (step == BASE_STEPS - 1) {
		vdso_write_end(vd, writer.head, states[writer.target][cs].clock_mode);
		return;
	}
	if (writer.reversed)
		step = BASE_STEPS - 1 - step;
	if (step == 1)
		copy(cs, offsetof(struct vdso_data, cycle_last),
		     sizeof(struct vdso_data) - offsetof(struct vdso_data, cycle_last), true);
	else if (step < 2 + FIELDS)
		copy(cs, fields[step - 2].at, fields[step - 2].size, false);
	else
		copy(cs, base + (step - 2 - FIELDS) * sizeof(u64), sizeof(u64), false);
}

static void write_until(unsigned steps)
{
	while (writer.done < steps)
		write_step();
}

static void update(unsigned target)
{
	write_until(writer.done ? STEPS : 0);
	writer.done = 0;
	writer.target = target;
	write_until(STEPS);
}

/* ---- the cases --------------------------------------------------------------------------- */

static struct {
	unsigned start, count; /* at event start the first count steps of an update */
	unsigned resume;       /* at event resume the rest of them */
	unsigned again;        /* at event again a second update, to state 2 */
} plan;

static void carry_out(unsigned number)
{
	if (number == plan.start)
		write_until(plan.count);
	if (number == plan.resume && writer.done)
		write_until(STEPS);
	if (number == plan.again && writer.done == STEPS)
		update(2);
}

static struct {
	unsigned cases, wrong, from_kernel;
} tally;

static void explain(int what, struct answer got, const char *why)
{
	struct answer state = {0};

	diag("%s, %s: %u steps of the writer%s at event %u, the rest at %d, a second update at "
	     "%d",
	     name_of(what), fake.namespace ? "in a namespace" : "outside", plan.count,
	     writer.reversed ? ", backwards," : "", plan.start, (int)plan.resume,
	     (int)plan.again);
	diag("%s: %ld: %ld.%09ld, %u system calls; events %s", why, got.ret, got.sec, got.nsec,
	     fake.syscalls, fake.log);
	for (int k = 0; k < 3; k++)
		if (page_knows(states[k], what, &state))
			diag("state %d of the data page: %ld.%09ld", k, state.sec, state.nsec);
	diag("S is the number, D data, C the counter, R a turn of waiting");
}

/*
 * The states that the data page had during the call, as bits, and the one that was on its way
 * there when the call ended, if any. An answer may come from the first only; a reader that
 * sees of the second that it has no answer may leave at once.
 */
static void judge(int what, struct answer got, unsigned had, unsigned unfinished)
{
	bool coarse = VDSO_BIT(writer.clock) & VDSO_COARSE && scenario != ABANDONED;
	bool kernel = unfinished && fake.odd > 0 && !coarse, right = false;
	struct answer want;

	for (unsigned k = 0; k < 3; k++) {
		if (!((had | unfinished) & 1u << k))
			continue;
		if (!page_knows(states[k], what, &want))
			kernel = true;
		else if (had & 1u << k)
			right |= fake.syscalls <= (scenario == ABANDONED) && same(got, want);
		/* A reader need not wait for an update that would not help fine clocks. */
		if (states[k]->clock_mode == VDSO_CLOCKMODE_NONE && fake.odd > 0 && !coarse)
			kernel = true;
	}
	if (fake.syscalls > 0 && kernel)
		right |= same(got, kernel_says(what));
	right &= fake.relaxes <= (coarse ? 0 : MANY_TRIES);
	tally.cases++;
	tally.from_kernel += fake.syscalls;
	if (!right && !tally.wrong++)
		explain(what, got, "no answer of a state that the data page had");
}

/* Back to state 0. The numbers of a later run wrap around. */
static void rewind_writer(void)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		fake.data[cs] = states[0][cs];
		atomic_store(&fake.data[cs].seq, writer.reversed ? 0xfffffffe : 2);
	}
	writer.done = 0;
	writer.target = 1;
}

/* With which step the clock in question has its new state. The watchdog has two steps. */
static unsigned published(void)
{
	if (scenario == ABANDONED && writer.target == 1)
		return CS_BASES;
	return writer.clock == VDSO_CLOCK_MONOTONIC_RAW ? STEPS : BASE_STEPS;
}

/* One call under the plan. Returns false if the call was over before the writer came. */
static bool one_case(int what)
{
	struct answer got;
	unsigned had = 1, unfinished = 0;
	bool begun;

	rewind_writer();
	fake.step = carry_out;
	got = ask(what);
	fake.step = NULL;
	begun = writer.done > 0;
	if (begun && writer.done < published())
		unfinished = 1u << writer.target;
	else if (begun)
		had |= writer.target == 2 ? 6 : 2;
	judge(what, got, had, unfinished);

	/* If nothing changes it does not go back, whichever function is asked next. */
	if (VDSO_BIT(writer.clock) & VDSO_COARSE && scenario != ABANDONED) {
		struct answer next = ask(what);

		if ((next.sec < got.sec || (next.sec == got.sec && next.nsec < got.nsec)) &&
		    !tally.wrong++)
			explain(what, next, "went back");
		if (writer.clock == VDSO_CLOCK_REALTIME_COARSE) {
			next = ask(what == TIME ? VDSO_CLOCK_REALTIME_COARSE : TIME);
			if (next.sec < got.sec && !tally.wrong++)
				explain(what, next, "of time() and its clock, one went back");
		}
	}

	/* Whatever came of it, afterwards the data page is as it should be. */
	if (unfinished) {
		write_until(STEPS);
		got = ask(what);
		judge(what, got, unfinished, 0);
	}
	return begun;
}

static void explore(int what)
{
	writer.clock = clock_of(what);

	/* One update, in at most two pieces. */
	for (plan.start = 0;; plan.start++) {
		bool came = false;

		plan.again = NEVER;
		for (plan.count = 1; plan.count <= STEPS; plan.count++) {
			plan.resume = NEVER;
			came |= one_case(what);
			if (plan.count == STEPS)
				break;
			for (plan.resume = plan.start; plan.resume < plan.start + WINDOW;
			     plan.resume++)
				came |= one_case(what);
		}
		/* A second one, after it. */
		plan.resume = NEVER;
		for (plan.again = plan.start; plan.again < plan.start + 2 * WINDOW;
		     plan.again++)
			came |= one_case(what);
		if (!came)
			return;
	}
}

/* ---- what the states are ----------------------------------------------------------------- */

static void both(unsigned k, s32 mode, u64 cycle_last, u64 max_cycles)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		states[k][cs].clock_mode = mode;
		states[k][cs].cycle_last = cycle_last;
		states[k][cs].max_cycles = max_cycles;
		states[k][cs].mask = ~0ull; /* no data page changes that */
	}
}

static const char *set_scenario(enum scenario which)
{
	const s32 counter = VDSO_CLOCKMODE_COUNTER, none = VDSO_CLOCKMODE_NONE;

	for (unsigned k = 0; k < 3; k++) {
		set_state(states[k], k);
		/* The two copies of the coarse clocks. */
		for (int clock = VDSO_CLOCK_REALTIME_COARSE;
		     clock <= VDSO_CLOCK_MONOTONIC_COARSE; clock++)
			states[k][CS_RAW].basetime[clock] =
				states[k][CS_HRES_COARSE].basetime[clock];
	}
	scenario = which;
	switch (scenario) {
	case BEHIND:
		both(1, counter, NOW + 500, 1000000000);
		return "an update that is ahead of the reader's counter";
	case OLD:
		both(0, counter, NOW - 5000, 4999);
		return "an update that replaces a base too old";
	case GOES:
		both(1, none, 0, 0);
		both(2, none, 0, 0);
		return "the counter becomes unusable";
	case COMES:
		both(0, none, 0, 0);
		return "the counter becomes usable";
	case NONE:
		for (unsigned k = 0; k < 3; k++)
			both(k, none, 0, 0);
		return "an update without a usable counter";
	case ABANDONED:
		both(1, VDSO_CLOCKMODE_ABANDONED, 0, 0);
		return "the data page is abandoned, and comes back";
	default:
		return "an ordinary update";
	}
}

static void test_scenarios(bool namespace)
{
	for (enum scenario which = ORDINARY; which < SCENARIOS; which++) {
		const char *what = set_scenario(which);

		reset(namespace);
		tally.cases = tally.wrong = tally.from_kernel = 0;
		for (int i = 0; i < WHATS; i++) {
			for (int reversed = 0; reversed < 2; reversed++) {
				writer.reversed = reversed;
				explore(whats[i]);
			}
		}
		if (!is(tally.wrong, 0, "%s%s: no mix of two states, wherever it falls",
			namespace ? "in a namespace: " : "", what))
			diag("%u of %u cases went wrong", tally.wrong, tally.cases);
		printf("# %u cases, %u of them with a system call\n", tally.cases,
		       tally.from_kernel);
	}
}

/* ---- writers that leave no gap ----------------------------------------------------------- */

static void always(unsigned number)
{
	update(number % 3);
}

static void test_livelock(bool namespace)
{
	int wrong = 0;

	set_scenario(ORDINARY);
	reset(namespace);
	rewind_writer();
	fake.step = always;
	for (int i = 0; i < WHATS; i++) {
		struct answer got;

		writer.clock = clock_of(whats[i]);
		got = ask(whats[i]);
		if (fake.syscalls == 1 && same(got, kernel_says(whats[i])) &&
		    fake.counters <= MANY_TRIES)
			continue;
		if (!wrong++)
			diag("%s gave %ld.%09ld after %u events", name_of(whats[i]), got.sec,
			     got.nsec, fake.events);
	}
	is(wrong, 0, "%san update before each load: the reader gives up and asks the kernel",
	   namespace ? "in a namespace: " : "");
}

/*
 * That the explorer can fail: a reader without a number, as small as can be, and the same
 * judge.
 */
static void test_explorer(void)
{
	unsigned torn = 0, whole = 0;

	set_scenario(ORDINARY);
	reset(false);
	writer.reversed = false;
	writer.clock = VDSO_CLOCK_REALTIME_COARSE;
	plan.again = plan.resume = NEVER;
	for (plan.start = 0; plan.start < 2; plan.start++) {
		for (plan.count = 1; plan.count <= STEPS; plan.count++) {
			const struct vdso_timestamp *base = &fake.data->basetime[writer.clock];
			struct answer got = {0}, old, new;

			rewind_writer();
			watch();
			fake.step = carry_out;
			got.sec = (long)read_once64(&base->sec);
			got.nsec = (long)read_once64(&base->nsec);
			fake.step = NULL;
			page_knows(states[0], writer.clock, &old);
			page_knows(states[1], writer.clock, &new);
			torn += !same(got, old) && !same(got, new);
			whole += same(got, old) || same(got, new);
		}
	}
	ok(torn && whole, "a reader that looks at no number is caught: this test can fail");
}

int main(void)
{
	test_explorer();
	for (int namespace = 0; namespace < 2; namespace ++) {
		test_scenarios(namespace);
		test_livelock(namespace);
	}
	return done_testing();
}
