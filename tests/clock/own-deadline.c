/*
 * own-deadline.c - times that a program names, as times of the kernel's, and back: the
 * deadlines of clock_map.c.
 */
#include "kernel/clock/clock_map.h"
#include "tap.h"

#define RATE(times) (u64)((times)*CLOCK_RATE_ONE)
#define SECOND      INT64_C(1000000000)
#define NOW         (5000 * SECOND)
#define SHOWN       (1000000 * SECOND)

static void test_shift(void)
{
	struct clock_map map = clock_map_shift(SHOWN);

	if (!is(clock_map_kernel(&map, NOW + SHOWN + SECOND), NOW + SECOND,
		"to a clock that is ahead a deadline is as far away as to the kernel's"))
		because("who names a time of the program's world means that world's now");
}

static void test_rate(void)
{
	struct clock_map two = clock_map_from(NOW, SHOWN, RATE(2));
	struct clock_map slow = clock_map_from(NOW, SHOWN, RATE(0.001));

	if (!is(clock_map_kernel(&two, SHOWN + 10 * SECOND), NOW + 5 * SECOND,
		"at double speed ten seconds are over after five"))
		because("the kernel's clock is the slower one: divide by the rate");
	if (!is(clock_map_kernel(&slow, SHOWN + SECOND), NOW + 1000 * SECOND,
		"at a thousandth one second takes a thousand"))
		because("the kernel's clock is the faster one here, and the rule the same");
}

static u64 random_below(u64 limit)
{
	static u64 state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % limit;
}

static void test_early(void)
{
	int early = 0, late = 0;
	s64 wake = 0, asked = 0;
	u64 rate = 0;

	for (int i = 0; i < 10000; i++) {
		struct clock_map map =
			clock_map_from(NOW, SHOWN, 1 + random_below(1 << 31) * 7);
		s64 deadline = SHOWN + (s64)random_below(1 << 30);
		s64 kernel = clock_map_kernel(&map, deadline);

		if (clock_map_shown(&map, kernel) < deadline && !early++) {
			wake = kernel - NOW;
			asked = deadline - SHOWN;
			rate = map.rate;
		}
		late += clock_map_shown(&map, kernel - 1) >= deadline;
	}
	if (!is(early, 0,
		"ten thousand deadlines: nobody is woken before the clock shows it")) {
		diag("a wait of %ld ns, at rate %.9f, ends after %ld ns of the kernel's",
		     (long)asked, (double)rate / CLOCK_RATE_ONE, (long)wake);
		because("the program looks at its clock, finds that it is not time yet, and "
			"waits again, or takes it for an error. A division rounds down, and "
			"down "
			"is early");
	}
	if (!is(late, 0, "... and nobody a nanosecond later than that"))
		because("when the clock shows it first, it is time");
}

static void test_stopped(void)
{
	struct clock_map stopped = clock_map_from(NOW, SHOWN, 0);

	if (!cmp_ok(clock_map_kernel(&stopped, SHOWN + 1), >=, CLOCK_NEVER_NS,
		    "a clock that stands still never gets there"))
		because("the clock does not show it, however long the kernel waits");
	if (!is(clock_map_kernel(&stopped, SHOWN), (s64)0,
		"... and what it shows already is over"))
		because("as far as anybody knows it has shown that for ever");
}

static void test_back(void)
{
	struct clock_map quarter = clock_map_from(NOW, SHOWN, RATE(0.25));
	struct clock_map stopped = clock_map_from(NOW, SHOWN, 0);

	if (!is(clock_map_deadline(&quarter, NOW + 40 * SECOND), SHOWN + 10 * SECOND,
		"the other way, a time of the kernel's is what the clock shows then"))
		because("a program that asks for its own deadline, with timer_gettime(2), is "
			"to get what it has given");
	if (!is(clock_map_deadline(&stopped, clock_map_kernel(&stopped, SHOWN + 77)),
		SHOWN + 77, "... also a time that a clock that stands still will not show"))
		because("if the clock goes on, who knows then what was waited for? There is "
			"room for it after CLOCK_NEVER_NS");
}

int main(void)
{
	test_shift();
	test_rate();
	test_early();
	test_stopped();
	test_back();
	return done_testing();
}
