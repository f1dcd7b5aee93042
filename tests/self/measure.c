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
static struct batches asked_of, asked_empty; /* as they were when cost_of() was asked */

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
	asked_of = of;
	asked_empty = empty;
	cost = cost_of(&of, &empty);
}

/* In tenths, as the table shows them. */
static bool same(double got, double want)
{
	return fabs(got - want) < 0.05;
}

/* ---- what goes wrong, by the number that comes of it ---- */

static double mean(const struct batches *b)
{
	double sum = 0;

	for (size_t i = 0; i < b->nr; i++)
		sum += b->ns[i];
	return sum / (double)b->nr / (double)b->calls;
}

static double least(const struct batches *b)
{
	double least = b->ns[0];

	for (size_t i = 1; i < b->nr; i++)
		least = fmin(least, b->ns[i]);
	return least / (double)b->calls;
}

static double middle(struct batches b)
{
	return median(b.ns, b.nr) / (double)b.calls;
}

static double first(const struct batches *b)
{
	return b->ns[0] / (double)b->calls;
}

/* Round by round: what remains of each batch. */
static struct batches differences(void)
{
	struct batches d = {.calls = 1, .nr = asked_of.nr};

	for (size_t i = 0; i < d.nr; i++)
		d.ns[i] = asked_of.ns[i] / (double)asked_of.calls -
			  asked_empty.ns[i] / (double)asked_empty.calls;
	return d;
}

static bool came(double got, double want, double wrong)
{
	return same(got, wrong) && !same(got, want);
}

/* What the numbers that came look like, or NULL. */
static const char *cause(double best, double median)
{
	struct batches d = differences();
	const struct batches *of = &asked_of, *empty = &asked_empty;

	if (cost.best < 0 || cost.median < 0)
		return NULL;           /* it is its sign that is wrong */
	if (same(mean(of), least(of))) /* nothing to tell them apart by */
		return came(cost.best, best, least(of)) ||
				       came(cost.median, median, middle(*of))
			       ? "nothing was subtracted. The loop is not what was asked for"
			       : NULL;
	if (came(cost.best, best, mean(of)) || came(cost.best, best, mean(of) - mean(empty)) ||
	    came(cost.best, best, mean(of) - least(empty)))
		return "that best is a mean. What disturbs only adds, so one slow batch moves "
		       "a "
		       "mean, and a shortest batch is moved by none";
	if (came(cost.best, best, least(&d)) || came(cost.median, median, middle(d)))
		return "that is what comes of subtracting round by round. The two batches of a "
		       "round were disturbed independently: a quiet one less a disturbed one "
		       "costs too little. First the best of each set, and then one difference";
	if (came(cost.best, best, first(of) - first(empty)) || came(cost.best, best, first(of)))
		return "that best comes from the batches that were made first. The shortest is "
		       "the first only when they are in order, and median() puts them so";
	if (came(cost.median, median, middle(*of) - least(empty)))
		return "that median has lost the best of the empty function. It compares a "
		       "busy "
		       "moment with a quiet one: the middle is subtracted from the middle";
	if (came(cost.best, best, least(of) - middle(*empty)))
		return "that best has lost the median of the empty function. It compares a "
		       "quiet "
		       "moment with a busy one: best is subtracted from best";
	if (came(cost.best, best, least(of)) || came(cost.median, median, middle(*of)))
		return "nothing was subtracted. The loop is not what was asked for";
	return NULL;
}

static void tell(double best, double median, const char *why)
{
	const char *seen = cause(best, median);

	expected("best %.1f, median %.1f", best, median);
	but_got("best %.1f, median %.1f (ns a call)", cost.best, cost.median);
	because("%s", seen ? seen : why);
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
	      "an empty batch is divided by the calls of its own, and these have 5000 here");

	ask(BATCHES(CALLS, 26, 20, 29, 22, 24), BATCHES(CALLS, 6, 7, 4, 9, 5));
	costs(16, 18,
	      "the best comes from the best batches, and the median from those in the middle",
	      "the best is the shortest batch of each set, divided by its calls, and their "
	      "difference; the median the same with the batches in the middle");
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
		expected("pseesppseesppseesp");
		but_got("%s", last);
		because("whoever always comes after the system calls finds the caches as they "
			"left them");
	}
	if (!ok(isnan(all[1].best) && isnan(all[1].median), "who is not there has no cost")) {
		expected("no number");
		but_got("best %.1f, median %.1f", all[1].best, all[1].median);
		because("a 0 in the table would be the fastest of all");
	}
}

int main(void)
{
	test_arithmetic();
	test_turns();
	return done_testing();
}
