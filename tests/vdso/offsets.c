/*
 * offsets.c - the clocks in a time namespace: a page of offsets first, the data page behind it.
 *
 * The rules one by one, on the machine made for tests (fake.h). The page of offsets is filled
 * as the kernel does it: MONOTONIC and BOOTTIME with their relatives are shifted, REALTIME and
 * TAI are not. What it says of times is wrong in every field, so whoever takes one is noticed.
 */
#include "fake.h"

#define CLOCK VDSO_CLOCK_MONOTONIC
#define DAY   86400

/* More than any call takes; a call that goes in a circle takes more. */
#define ENDLESS 5000

#define KERNEL_ANSWERED                                                                    \
	"1 is how gettime() says to you that the kernel has answered. A program takes it " \
	"for an error"

static struct vdso_data old_state[CS_BASES], new_state[CS_BASES];
static unsigned moment; /* the event before which the writer acts */

static void limit(unsigned event)
{
	if (event != ENDLESS)
		return;
	ok(false, "a call in a namespace comes to an end");
	expected("a dozen steps");
	but_got("%u, and no end; they begin with %.30s", event, fake.log);
	diag(FAKE_EVENTS);
	because("with the page of offsets gettime() ends where it was called. The data page "
		"is the next one");
	exit(done_testing());
}

static void set_offset(int clock, s64 sec, u64 nsec)
{
	for (int cs = 0; cs <= CS_KERNEL; cs++) {
		/* The kernel has added something already: ten seconds. */
		s64 already = cs == CS_KERNEL && sec ? 10 : 0;

		fake_pages[VDSO_TIME_PAGE].offsets[cs].offset[clock] =
			(struct timens_offset){sec - already, nsec};
	}
}

static void enter(s64 mono, s64 boot, u64 nsec)
{
	reset(true);
	fake.step = limit;
	for (int clock = 0; clock < VDSO_BASES; clock++)
		set_offset(clock, 0, 0);
	set_offset(VDSO_CLOCK_MONOTONIC, mono, nsec);
	set_offset(VDSO_CLOCK_MONOTONIC_RAW, mono, nsec);
	set_offset(VDSO_CLOCK_MONOTONIC_COARSE, mono, nsec);
	set_offset(VDSO_CLOCK_BOOTTIME, boot, nsec);
	set_offset(VDSO_CLOCK_BOOTTIME_ALARM, boot, nsec);
}

static void tell(const char *what, struct answer answer)
{
	if (answer.ret)
		diag("%-9s %ld, an error or worse", what, answer.ret);
	else
		diag("%-9s %ld.%09ld", what, answer.sec, answer.nsec);
}

static void tell_both(int what, struct answer got, struct answer want)
{
	const struct timens_offset *offset = fake_pages[VDSO_TIME_PAGE].offsets[0].offset;

	diag("%s, whose offset is %lld s and %llu ns:", name_of(what),
	     (long long)offset[clock_of(what)].sec,
	     (unsigned long long)offset[clock_of(what)].nsec);
	tell("expected", want);
	tell("got", got);
	if (fake.syscalls)
		diag("and made %u system call%s", fake.syscalls, fake.syscalls == 1 ? "" : "s");
}

/* Asks. True if the answer is what the data page knows, shifted, and no system call is made. */
static bool right(int what, struct answer *got, struct answer *want)
{
	*want = (struct answer){0, -1, -1};
	page_knows(fake.data, what, want);
	*got = ask(what);
	return same(*got, *want) && !fake.syscalls;
}

static void test_fine(void)
{
	struct answer got, want;

	enter(2 * DAY, 3 * DAY, 0);
	if (ok(right(CLOCK, &got, &want),
	       "a fine clock is what the data page behind says, and its offset"))
		return;
	tell_both(CLOCK, got, want);
	if (fake.syscalls)
		because("the reader left because the number is odd, and nobody has asked why. "
			"Offsets are on this page, and the times on the next one");
	else if (got.sec == want.sec - 2 * DAY && got.nsec == want.nsec)
		because("these are the times, and no offset added. It is on the page that has "
			"the odd number");
	else if (got.sec == want.sec - 10 && got.nsec == want.nsec)
		because("what [CS_KERNEL] has is for answers of the kernel, and this one came "
			"without a system call");
	else if (got.sec == want.sec - 4 * DAY && got.nsec == want.nsec)
		because("an offset is added to the time. One that leads back is negative "
			"itself");
	else
		because("both pages look alike: on the first there are offsets where the next "
			"one has the times, and only there");
}

static void test_each(void)
{
	static const int whats[] = {VDSO_CLOCK_REALTIME, TIMEOFDAY,
				    VDSO_CLOCK_TAI,      VDSO_CLOCK_MONOTONIC_RAW,
				    VDSO_CLOCK_BOOTTIME, VDSO_CLOCK_MONOTONIC};
	struct answer got, want;
	bool passed = true;
	size_t i;

	for (i = 0; passed && i < sizeof(whats) / sizeof(whats[0]); i++) {
		enter(2 * DAY, 3 * DAY, 0);
		passed = right(whats[i], &got, &want);
	}
	if (ok(passed, "each clock has an offset of its own, and that of REALTIME is zero"))
		return;
	tell_both(whats[i - 1], got, want);
	because("a machine has booted once, and has one date. Which clock is shifted by what "
		"is said on the page, for every clock id");
}

static void test_carry(void)
{
	static const struct timens_offset offsets[] = {{5, 999999999}, {-5, 999999999}, {0, 1}};
	struct answer got, want;
	bool passed = true;

	for (size_t i = 0; passed && i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		enter(offsets[i].sec, 0, offsets[i].nsec);
		/* The clock itself stands a nanosecond before the next second. */
		for (int cs = 0; cs < CS_BASES; cs++) {
			fake.data[cs].cycle_last = NOW;
			fake.data[cs].basetime[CLOCK].nsec = (u64)999999999
							     << fake.data[cs].shift;
		}
		passed = right(CLOCK, &got, &want);
	}
	if (ok(passed, "nanoseconds that come to a second are carried"))
		return;
	tell_both(CLOCK, got, want);
	because("both summands have up to 999999999 ns, and a program must not see more than "
		"that. The nanoseconds of an offset are never negative, its seconds may be");
}

static void update(unsigned event)
{
	union vdso_head head;

	limit(event);
	if (event != moment)
		return;
	/* MONOTONIC is in the first base. */
	head = vdso_write_begin(fake.data);
	set_state(fake.data, 1);
	vdso_write_end(fake.data, head, VDSO_CLOCKMODE_COUNTER);
}

static void test_update(void)
{
	struct answer got, before = {0, -1, -1}, after = {0, -1, -1};
	bool passed = true;

	for (moment = 0; passed; moment++) {
		enter(2 * DAY, 3 * DAY, 0);
		page_knows(old_state, CLOCK, &before);
		page_knows(new_state, CLOCK, &after);
		fake.step = update;
		got = ask(CLOCK);
		passed = !fake.syscalls && (same(got, before) || same(got, after));
		if (fake.events <= moment)
			break;
	}
	if (ok(passed, "the data page behind has a writer, too, and is read under its number"))
		return;
	diag("a whole update of the data page came before event %u of the reader", moment - 1);
	tell("expected", before);
	tell("or", after);
	tell("got", got);
	diag("what the reader did: %s", fake.log);
	diag(FAKE_EVENTS);
	because("the number on the page of offsets is 1 for ever and says nothing about the "
		"data");
}

static void test_coarse(void)
{
	const int clock = VDSO_CLOCK_MONOTONIC_COARSE;
	const struct vdso_timestamp *copy;
	struct answer got, want;
	bool passed;

	enter(2 * DAY, 3 * DAY, 500000000);
	passed = right(clock, &got, &want) && !fake.relaxes;
	if (passed) {
		/* The writer is at the first copy: the second one has the answer. */
		vdso_write_begin(&fake.data[CS_HRES_COARSE]);
		copy = &old_state[CS_RAW].basetime[clock];
		want = with_offset(clock, (struct answer){0, (long)copy->sec, (long)copy->nsec},
				   CS_HRES_COARSE);
		got = ask(clock);
		passed = same(got, want) && !fake.relaxes && !fake.syscalls;
	}
	if (ok(passed, "a coarse clock is shifted, too, and does not wait for a writer"))
		return;
	tell_both(clock, got, want);
	diag("turns of waiting: %u", fake.relaxes);
	because("of its two copies on the data page one is always whole (chapter 06)");
}

static void test_kernel(void)
{
	static const int clocks[] = {CLOCK, VDSO_CLOCK_REALTIME, VDSO_CLOCK_BOOTTIME_ALARM};
	struct answer got, want;
	bool passed = true;
	size_t i;

	for (i = 0; passed && i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		enter(2 * DAY, 3 * DAY, 700000000);
		for (int cs = 0; cs < CS_BASES; cs++)
			fake.data[cs].clock_mode = VDSO_CLOCKMODE_NONE;
		want = kernel_says(clocks[i]);
		got = ask(clocks[i]);
		passed = same(got, want) && fake.syscalls == 1;
	}
	if (ok(passed, "an answer of the kernel is shifted by what the kernel has not added"))
		return;
	diag("no counter is usable, so the data page has no answer and the kernel is asked");
	tell_both(clocks[i - 1], got, want);
	diag("on the page of offsets, [CS_KERNEL] has %lld s for it",
	     (long long)fake_pages[VDSO_TIME_PAGE]
		     .offsets[CS_KERNEL]
		     .offset[clocks[i - 1]]
		     .sec);
	if (got.ret == 1)
		because(KERNEL_ANSWERED);
	else
		because("a program may be in a namespace of the kernel's as well. Its system "
			"calls are shifted by that one already");
}

static void test_errors(void)
{
	static const int unknown[] = {VDSO_BASES, VDSO_BASES + 1, 100, -1, -6};
	struct answer got, want = {-22, -1, -1};
	const char *why;
	bool passed;

	enter(2 * DAY, 3 * DAY, 0);
	fake.data->clock_mode = VDSO_CLOCKMODE_NONE;
	fake.error = -22;
	got = ask(CLOCK);
	passed = got.ret == -22 && fake.syscalls == 1;
	why = "the kernel has refused, and there is no time to shift";
	if (fake.syscalls > 1)
		why = "whoever asks the kernel again may get a time, and from there it is not "
		      "shifted";
	for (size_t i = 0; passed && i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		enter(2 * DAY, 3 * DAY, 0);
		want = kernel_says(unknown[i]);
		got = ask(unknown[i]);
		passed = same(got, want) && fake.syscalls == 1;
		why = "the page has an offset for each id below VDSO_BASES. Beyond them is "
		      "something else";
	}
	if (ok(passed,
	       "an error stays one, and a clock that is not on the page stays as it is"))
		return;
	diag("the system call was for clock %ld", fake.a);
	if (fake.syscalls != 1)
		diag("and there were %u of them", fake.syscalls);
	if (want.ret)
		diag("expected  %ld, the system call's error", want.ret);
	else
		tell("expected", want);
	tell("got", got);
	if (got.ret == 1)
		because(KERNEL_ANSWERED);
	else
		because("%s", why);
}

/*
 * gettimeofday() goes to read_hres() at once, so what clock_gettime() does beyond it is what it
 * asks for all the clocks. The rest catches who asks without read_once. An even number says
 * that these are times, and a mode beside it that says otherwise must not be looked at. And a
 * page that is one of offsets until the first look by read_once is none to those who look there
 * first.
 */
static void to_data(unsigned event)
{
	limit(event);
	if (event == 0) {
		set_state(fake.data, 0);
		set_seq(2);
	}
}

static void test_free(void)
{
	struct answer got, want;
	char plain[LOG_EVENTS];
	bool found, more, believed = false, early = false;

	enter(2 * DAY, 3 * DAY, 0);
	found = right(CLOCK, &got, &want);
	reset(false);
	fake.step = limit;
	ask(TIMEOFDAY);
	memcpy(plain, fake.log, sizeof(plain));
	ask(VDSO_CLOCK_REALTIME);
	more = memcmp(plain, fake.log, sizeof(plain)) != 0;
	page_knows(fake.data, CLOCK, &want);
	if (!more) {
		for (int cs = 0; cs < CS_BASES; cs++)
			fake.data[cs].clock_mode = VDSO_CLOCKMODE_TIMENS;
		got = ask(CLOCK);
		believed = !same(got, want);
	}
	if (!more && !believed) {
		set_seq(1);
		fake.step = to_data;
		ask(VDSO_CLOCK_REALTIME);
		early = memcmp(plain, fake.log, sizeof(plain)) != 0;
	}
	if (ok(found && !more && !believed && !early,
	       "a namespace is found by its odd number, and nobody else pays for the question"))
		return;
	if (!found) {
		diag("in a namespace the answer is not right yet, so there is nothing to pay "
		     "for");
		return;
	}
	if (early) {
		expected("the first look at the number is S, as every reader takes it");
		but_got("a plain load of it before");
	} else {
		expected("no look at the mode unless the number is odd");
		if (more)
			but_got("%s, where %s is enough", fake.log, plain);
		else
			but_got("%s: the number was even, and a mode that says TIMENS was "
				"believed",
				fake.log);
	}
	diag(FAKE_EVENTS);
	because("nearly all programs are in no namespace. They must not pay for the few that "
		"are");
}

int main(void)
{
	set_state(old_state, 0);
	set_state(new_state, 1);
	test_fine();
	test_each();
	test_carry();
	test_update();
	test_coarse();
	test_kernel();
	test_errors();
	test_free();
	return done_testing();
}
