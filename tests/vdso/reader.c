/*
 * reader.c - a reader of the clocks, and a writer who comes at the worst of moments.
 *
 * The rules of the sequence counter one by one, in the order in which a reader is written. Each
 * moment is made, not waited for: on the machine made for tests (fake.h) a call of the vDSO is
 * a row of events, and the writer acts before the one that is named. interleave.c goes through
 * all combinations of them; here a failure shows the one that it is about.
 */
#include "fake.h"

#define CLOCK VDSO_CLOCK_MONOTONIC

static struct vdso_data old_state[CS_BASES], new_state[CS_BASES];
static unsigned moment; /* the event before which the writer acts */

static void begin(bool namespace)
{
	reset(namespace);
	set_state(old_state, 0);
	set_state(new_state, 1);
}

/* Both bases at once: a fine clock reads one of them. */
static union vdso_head heads[CS_BASES];

static void write_begin(void)
{
	for (int cs = 0; cs < CS_BASES; cs++)
		heads[cs] = vdso_write_begin(&fake.data[cs]);
}

static void write_end(void)
{
	for (int cs = 0; cs < CS_BASES; cs++)
		vdso_write_end(&fake.data[cs], heads[cs], heads[cs].clock_mode);
}

/* One update. set_state() leaves the number alone. */
static void update(unsigned event)
{
	if (event != moment)
		return;
	write_begin();
	set_state(fake.data, 1);
	write_end();
}

/* Again and again, so that no copy is ever of one piece. */
static void update_always(unsigned event)
{
	write_begin();
	set_state(fake.data, event % 2);
	write_end();
}

/* The rest of an update that has begun before the reader came. */
static void end_after_three_turns(unsigned event)
{
	(void)event;
	if (fake.relaxes != 3 || !(fake.data->seq & 1))
		return;
	set_state(fake.data, 1);
	write_end();
}

static void tell(const char *what, struct answer answer)
{
	diag("%-9s %ld.%09ld", what, answer.sec, answer.nsec);
}

static struct answer knows(const struct vdso_data *state)
{
	struct answer answer = {0, -1, -1};

	page_knows(state, CLOCK, &answer);
	return answer;
}

static void tell_events(void)
{
	diag("what the reader of %s did: %s", name_of(CLOCK), fake.log);
	diag(FAKE_EVENTS);
}

static void test_quiet(void)
{
	struct answer got, want;

	begin(false);
	got = ask(CLOCK);
	want = knows(old_state);
	if (!ok(same(got, want) && !fake.syscalls,
		"with no writer about, the answer is exact")) {
		tell("expected", want);
		tell("got", got);
		if (fake.syscalls)
			because("the number is even, and the same after the copy: this copy is "
				"whole, and nobody needs to ask the kernel");
		else
			because("what is copied is the base, with what the counter adds to it");
		tell_events();
	}
}

static void test_update(void)
{
	struct answer got, before, after;
	bool right = true;

	for (moment = 0; right; moment++) {
		begin(false);
		fake.step = update;
		got = ask(CLOCK);
		before = knows(old_state);
		after = knows(new_state);
		right = !fake.syscalls && (same(got, before) || same(got, after));
		if (fake.events <= moment)
			break;
	}
	if (ok(right, "an update between any two loads is noticed, and the copy thrown away"))
		return;
	diag("a whole update came before event %u of the reader", moment - 1);
	tell("expected", before);
	tell("or", after);
	tell("got", got);
	because("old and new numbers make a time that never was; to a program the clock has "
		"jumped, and has jumped back at its next call");
	tell_events();
}

static void test_odd(void)
{
	struct answer got, want;

	begin(false);
	/* Half of the update is there: the base, but not yet what goes with it. */
	write_begin();
	for (int cs = 0; cs < CS_BASES; cs++)
		memcpy(fake.data[cs].basetime, new_state[cs].basetime,
		       sizeof(new_state[cs].basetime));
	fake.step = end_after_three_turns;
	got = ask(CLOCK);
	want = knows(new_state);
	if (ok(same(got, want) && fake.relaxes >= 3 && !fake.syscalls,
	       "while the number is odd the reader waits for the writer"))
		return;
	diag("the writer was in the middle of an update, and would have ended it in three "
	     "turns");
	tell("expected", want);
	tell("got", got);
	because("%s",
		!fake.syscalls
			? "an odd number says that the data is half old and half new. Such "
			  "a copy is wrong although the number does not change while "
			  "it is made"
		: fake.odd > 1
			? "it looked again and again without a pause, and was at its "
			  "end before the writer was. arch_relax() is a turn of waiting"
			: "an update is over in less time than a system call takes, so it "
			  "is worth a few turns of waiting");
	tell_events();
}

static void test_never_ends(void)
{
	struct answer got, want;

	begin(false);
	write_begin();
	got = ask(CLOCK);
	want = kernel_says(CLOCK);
	if (ok(same(got, want) && fake.syscalls == 1 && fake.relaxes <= MANY_TRIES,
	       "a writer that never ends: the reader gives up, and asks the kernel"))
		return;
	expected("at most %d turns of waiting, then one system call", MANY_TRIES);
	but_got("%u turns of waiting, %u system calls", fake.relaxes, fake.syscalls);
	because("who writes may be stopped or killed at any place. A program that waits for it "
		"would hang in a function that is said to take nanoseconds");
}

static void test_never_pauses(void)
{
	struct answer got, want;

	begin(false);
	fake.step = update_always;
	got = ask(CLOCK);
	want = kernel_says(CLOCK);
	if (ok(same(got, want) && fake.syscalls == 1 && fake.counters <= MANY_TRIES,
	       "a writer that never pauses: the reader gives up, too"))
		return;
	expected("at most %d tries, then one system call", MANY_TRIES);
	but_got("%u tries, %u system calls", fake.counters, fake.syscalls);
	tell("answer", got);
	because("if each try can fail, all can. The number of tries must have an end, and what "
		"the last of them has copied is not an answer");
}

static void test_namespace(void)
{
	struct answer got, want = {0, -1, -1};

	begin(true);
	got = ask(CLOCK);
	page_knows(fake.data, CLOCK, &want);
	if (ok(same(got, want) && !fake.relaxes && !fake.syscalls,
	       "a page of offsets is odd for ever: the reader does not wait, but leaves"))
		return;
	tell("expected", want);
	tell("got", got);
	diag("turns of waiting: %u, system calls: %u", fake.relaxes, fake.syscalls);
	because("in a time namespace the first page holds offsets, not times. It says so by an "
		"odd number, so that asking costs nothing where there is no namespace");
}

static void test_abandoned(void)
{
	struct answer got, want;

	begin(false);
	for (unsigned step = 0; abandon_step(step); step++)
		;
	got = ask(CLOCK);
	want = kernel_says(CLOCK);
	if (ok(same(got, want) && !fake.relaxes && fake.syscalls == 1,
	       "nobody keeps the data page any more: the reader asks the kernel at once"))
		return;
	tell("expected", want);
	tell("got", got);
	diag("turns of waiting: %u, system calls: %u", fake.relaxes, fake.syscalls);
	because("the watchdog has left the number odd, and nobody will make it even");
}

static void test_no_counter(void)
{
	struct answer got, want;

	begin(false);
	for (int cs = 0; cs < CS_BASES; cs++)
		fake.data[cs].clock_mode = VDSO_CLOCKMODE_NONE;
	got = ask(CLOCK);
	want = kernel_says(CLOCK);
	if (ok(same(got, want) && !fake.counters && fake.syscalls == 1,
	       "where no counter is usable none is read, and the kernel is asked"))
		return;
	tell("expected", want);
	tell("got", got);
	because("the mode is NONE. Such a counter may show anything, or end the program that "
		"reads it");
	tell_events();
}

/* The writer is at the first copy of the coarse clocks, and its second copy is whole. */
static void test_coarse(void)
{
	const struct vdso_timestamp *copy;
	struct answer got, want;

	begin(false);
	vdso_write_begin(&fake.data[CS_HRES_COARSE]);
	got = ask(VDSO_CLOCK_MONOTONIC_COARSE);
	copy = &old_state[CS_RAW].basetime[VDSO_CLOCK_MONOTONIC_COARSE];
	want = (struct answer){0, (long)copy->sec, (long)copy->nsec};
	if (ok(same(got, want) && !fake.relaxes && !fake.syscalls,
	       "in the middle of an update a coarse clock is read from its second copy"))
		return;
	tell("expected", want);
	tell("got", got);
	diag("turns of waiting: %u, system calls: %u", fake.relaxes, fake.syscalls);
	because("the kernel's answer is ahead of what the writer is about to publish, and who "
		"is told it sees the clock go back at its next call");
}

/* Why these events are not a reader's, or NULL. The mode may be asked for at any time. */
static const char *wrong_order(void)
{
	const struct vdso_timestamp *base = &fake.data[CS_HRES_COARSE].basetime[CLOCK];
	unsigned looks = 0;
	char last = 0;

	for (const char *event = fake.log; *event; event++) {
		if (*event == 'M')
			continue;
		if (!looks && *event != 'S')
			return strchr(event, 'S')
				       ? "what is read before the first look may be older than "
					 "the number"
				       : "the number was not looked at. A plain load of "
					 "vd->seq "
					 "does not count: vdso_read_begin() has a barrier with "
					 "it";
		looks += *event == 'S';
		last = *event;
	}
	if (looks == 1)
		return "the number was looked at once. Whether a writer has come meanwhile "
		       "only a "
		       "second look can tell, by vdso_read_retry(), which has a barrier with "
		       "it";
	if (last != 'S')
		return "what is read behind the last look has been looked at by nobody";
	if (!strchr(fake.log, 'C'))
		return "the counter was not read";
	if (!was_loaded(&base->sec) || !was_loaded(&base->nsec))
		return "somebody else writes this memory. A plain load may be made twice, or "
		       "elsewhere, as it suits the compiler: read_once64() loads once, and "
		       "here";
	return NULL;
}

static void test_order(void)
{
	const char *why;

	begin(false);
	ask(CLOCK);
	why = wrong_order();
	if (ok(!why, "counter and data are read between two looks at the number"))
		return;
	expected("S, then C and D, then S");
	but_got("%s", fake.log);
	diag(FAKE_EVENTS);
	because("%s", why);
}

int main(void)
{
	test_quiet();
	test_order();
	test_update();
	test_odd();
	test_namespace();
	test_abandoned();
	test_no_counter();
	test_never_pauses();
	test_never_ends();
	test_coarse();
	return done_testing();
}
