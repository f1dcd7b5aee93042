/*
 * measure.c - what `make bench` says a call costs: the arithmetic, held against numbers made
 * up.
 *
 * Nothing is timed here. The batches of the first half are written down; in the second half the
 * clock is the test's own, and goes on when a call is made, by what the call is to cost.
 */
#include <math.h>
#include <string.h>

#include "../bench/measure.h"
#include "tap.h"

#define CALLS 1000

static struct cost cost;

static struct batches batches(long calls, size_t nr, const double *ns_a_call)
{
	struct batches b = {.calls = calls, .nr = nr};

	for (size_t i = 0; i < nr; i++)
		b.ns[i] = ns_a_call[i] * (double)calls;
	return b;
}

#define BATCHES(calls, ...)                                              \
	batches(calls, sizeof((double[]){__VA_ARGS__}) / sizeof(double), \
		(double[]){__VA_ARGS__})

static void ask(struct batches of, struct batches empty)
{
	cost = cost_of(&of, &empty);
}

/* In tenths, as the table shows them. */
static bool same(double got, double want)
{
	return fabs(got - want) < 0.05;
}

static void tell(double best, double median, const char *why)
{
	diag("expected  best %.1f, median %.1f", best, median);
	diag("got       best %.1f, median %.1f (ns a call)", cost.best, cost.median);
	diag("why: %s", why);
}

static void costs(double best, double median, const char *what, const char *why)
{
	if (!ok(same(cost.best, best) && same(cost.median, median), "%s", what))
		tell(best, median, why);
}

static void test_arithmetic(void)
{
	double undisturbed;

	ask(BATCHES(CALLS, 20, 20, 20), BATCHES(CALLS, 0, 0, 0));
	costs(20, 20, "a call costs its part of the batch", "a batch is 1000 calls here");

	ask(BATCHES(CALLS, 20, 20, 20), BATCHES(5 * CALLS, 4, 4, 4));
	costs(16, 16, "what a call of an empty function costs, in the same loop, is subtracted",
	      "the loop is not what was asked for. Its batches have 5000 calls here");

	ask(BATCHES(CALLS, 26, 20, 29, 22, 24), BATCHES(CALLS, 6, 7, 4, 9, 5));
	costs(16, 18,
	      "the best comes from the best batches, and the median from those in the middle",
	      "what disturbs only adds; and the best of one beside the middle of the other\n"
	      "#      compares a quiet moment with a busy one");
	undisturbed = cost.best;

	ask(BATCHES(CALLS, 26, 20, 9e6, 22, 24), BATCHES(CALLS, 6, 7, 4, 9e6, 5));
	if (!ok(same(cost.best, undisturbed) && same(cost.median, 18),
		"one batch in which the machine was elsewhere moves nothing"))
		tell(undisturbed, 18, "9 ms of somebody else's work are no part of a call");

	ask(BATCHES(CALLS, 4, 4.2, 5), BATCHES(CALLS, 4.1, 4.3, 4.5));
	costs(0, 0, "nothing costs less than nothing",
	      "two numbers that are nearly the same differ by noise, in either direction");
}

/* ---- all of it, by a clock that goes on when a call is made ---- */

#define ROUNDS 6

static uint64_t clock_ns;
static char turns[1000];

uint64_t now_ns(void)
{
	return clock_ns;
}

struct player {
	char name;
	uint64_t ns;
};

static void play(const void *whom, long calls)
{
	const struct player *player = whom;
	size_t length = strlen(turns);

	clock_ns += (uint64_t)calls * player->ns;
	if (length < sizeof(turns) - 1)
		turns[length] = player->name;
}

static void test_turns(void)
{
	static const struct player players[] = {{'p', 20}, {'s', 120}, {'e', 4}};
	struct way ways[] = {
		{play, &players[0]}, {NULL, NULL}, {play, &players[1]}, {play, &players[2]}};
	struct cost all[4];
	const char *last;

	memset(turns, 0, sizeof(turns));
	measure(ways, 4, ROUNDS, all);
	last = turns + strlen(turns) - 3 * ROUNDS;
	if (!ok(!strcmp(last, "pseesppseesppseesp"),
		"they take turns, and every other round goes backwards")) {
		diag("expected  pseesppseesppseesp");
		diag("got       %s", last);
		diag("why: whoever always comes after the system calls finds the caches as "
		     "they left them");
	}
	if (!ok(isnan(all[1].best) && isnan(all[1].median), "who is not there has no cost")) {
		diag("expected  no number");
		diag("got       best %.1f, median %.1f", all[1].best, all[1].median);
		diag("why: a 0 in the table would be the fastest of all");
	}
}

int main(void)
{
	test_arithmetic();
	test_turns();
	return done_testing();
}
