/*
 * 06-seqlock.c - a writer comes between any two steps of a reader: what a naive one makes of
 * it, and what the reader of vdso-src/gettime.c does.
 *
 * Both run on the machine made for tests, where the steps can be counted (tests/lib/fake.h).
 */
#include <stdlib.h>

#include "fake.h"

#define CLOCK VDSO_CLOCK_MONOTONIC

static struct vdso_data old_state[CS_BASES], new_state[CS_BASES];
static unsigned moment;

/* An update as a whole, just before the reader's step of that number. */
static void update(unsigned step)
{
	union vdso_head heads[CS_BASES];

	if (step != moment)
		return;
	for (int cs = 0; cs < CS_BASES; cs++)
		heads[cs] = vdso_write_begin(&fake.data[cs]);
	set_state(fake.data, 1);
	for (int cs = 0; cs < CS_BASES; cs++)
		vdso_write_end(&fake.data[cs], heads[cs], heads[cs].clock_mode);
}

/* A second hand and its fraction, copied one after the other, and no look at any number. */
static struct answer ask_naive(void)
{
	const struct vdso_data *vd = &fake.data[CS_HRES_COARSE];
	u64 delta, ns, sec;

	ns = read_once64(&vd->basetime[CLOCK].nsec);
	delta = fake_counter() - read_once64(&vd->cycle_last);
	ns = (ns + delta * read_once32(&vd->mult)) >> read_once32(&vd->shift);
	sec = read_once64(&vd->basetime[CLOCK].sec);
	return (struct answer){0, (s64)(sec + ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC)};
}

static void begin(void)
{
	reset(false);
	watch();
	fake.step = update;
}

/* What an answer is. TORN is a time that never was. */
static const char *judge(struct answer got)
{
	struct answer before = {0, -1, -1}, after = {0, -1, -1};

	page_knows(old_state, CLOCK, &before);
	page_knows(new_state, CLOCK, &after);
	if (fake.syscalls && same(got, kernel_says(CLOCK)))
		return "the kernel's";
	if (same(got, before))
		return "old";
	return same(got, after) ? "new" : "TORN";
}

static void show(struct answer got)
{
	printf("  %10ld.%09ld  %-12s", got.sec, got.nsec, judge(got));
}

int main(void)
{
	unsigned torn = 0, wrong = 0;

	set_state(old_state, 0);
	set_state(new_state, 1);
	printf("the writer comes   a naive reader                      yours\n");
	for (moment = 0; moment < 64; moment++) {
		struct answer naive, yours;
		bool has_step;

		begin();
		naive = ask_naive();
		has_step = fake.events > moment;
		torn += has_step && judge(naive)[0] == 'T';
		printf("before step %-2u   ", moment + 1);
		if (has_step)
			show(naive);
		else
			printf("%36s", "");
		begin();
		yours = ask(CLOCK);
		wrong += judge(yours)[0] == 'T';
		show(yours);
		putchar('\n');
		if (fake.events <= moment)
			break;
	}
	printf("\nA time that never was: %u times for the naive one, %u times for yours.\n",
	       torn, wrong);
	return wrong != 0;
}
