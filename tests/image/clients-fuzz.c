/*
 * clients-fuzz.c - the restated clients read no byte outside of an image, whatever it is,
 * always come back, and always have a verdict of the right form.
 *
 * They follow the pointers of an image as the clients do, which trust it. What would be a crash
 * there must be a verdict here. The image lies between two pages that nobody may touch:
 * cut short at every length, with random bytes in its tables, and as nothing but random bytes
 * (`build/tests/image/clients-fuzz SEED` for others, `... SEED COUNT` for more of them).
 */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "image_copy.h"
#include "kernel/image/check/check.h"
#include "kernel/image/clients/clients.h"
#include "tap.h"

#define NR_IMAGES 6000
#define SECONDS   60 /* of CPU time */

static uint64_t seed = 1;
static const char *stage;
static unsigned long step;
static unsigned client;

static void on_signal(int sig)
{
	printf("Bail out! %s at %s %lu, seed %llu: %s %s\n",
	       sig == SIGVTALRM ? "timeout" : "fault", stage, step, (unsigned long long)seed,
	       clients[client].name,
	       sig == SIGVTALRM ? "does not come back" : "read outside of the image");
	fflush(stdout);
	_exit(255);
}

/* splitmix64: small, and the same on every machine. */
static uint64_t next_random(void)
{
	static uint64_t state;
	uint64_t z = (state += 0x9e3779b97f4a7c15) + seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned long malformed, unequal, seen[NR_CLIENT_OUTCOMES];

static bool well_formed(const struct client_verdict *v)
{
	if (v->outcome >= NR_CLIENT_OUTCOMES || !memchr(v->why, '\0', sizeof(v->why)))
		return false;
	for (const char *p = v->why; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	/* Whoever does not take all must say why; for the rest there is nothing to say. */
	if (!v->rule)
		return (v->outcome == CLIENT_OURS || v->outcome == CLIENT_ABSENT) && !v->why[0];
	for (unsigned i = 0; i < image_nr_rules; i++)
		if (!strcmp(v->rule, image_rules[i].name))
			return v->why[0];
	return false;
}

static void judge(const struct copy *copy)
{
	struct image image = {copy->image, copy->size};

	for (client = 0; client < nr_clients; client++) {
		struct client_verdict first, again;

		memset(&first, 0x5a, sizeof(first));
		memset(&again, 0xa5, sizeof(again));
		client_judge(client, &image, &first);
		client_judge(client, &image, &again);
		malformed += !well_formed(&first);
		unequal += first.outcome != again.outcome || strcmp(first.why, again.why);
		seen[first.outcome]++;
	}
}

static void flip(struct copy *copy)
{
	static const uint64_t numbers[] = {0, 1, 2, 0x7f, 0xff, 0x7fffffff, 0xffffffff, ~0ull};

	for (uint64_t n = 1 + next_random() % 6; n > 0; n--) {
		uint64_t number = numbers[next_random() % 8] - next_random() % 2;
		size_t size = 1u << next_random() % 4, at;

		/* Mostly in the first quarter, where the tables are. */
		at = next_random() % (next_random() % 4 ? copy->size / 3 : copy->size - 8);
		memcpy(copy->image + at / size * size, &number, size);
	}
}

static void report(const char *what, unsigned long count)
{
	if (!ok(malformed == 0 && unequal == 0, "%s: %lu images, a verdict for each client",
		what, count))
		diag("%lu verdicts are malformed, %lu are not the same the second time",
		     malformed, unequal);
	malformed = unequal = 0;
}

int main(int argc, char **argv)
{
	struct image good = image_builtin();
	struct copy before = copy_image(good, GUARD_BEFORE),
		    behind = copy_image(good, GUARD_BEHIND);
	const struct itimerval limit = {.it_value.tv_sec = SECONDS * (slow_machine() ? 10 : 1)};
	static const uint16_t machines[] = {EM_X86_64, EM_386};
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : NR_IMAGES;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	signal(SIGFPE, on_signal);
	signal(SIGVTALRM, on_signal);
	if (argc <= 2)
		setitimer(ITIMER_VIRTUAL, &limit, NULL);

	stage = "length";
	for (step = 0; step < good.size; step += 3) {
		copy_fill(&behind, GUARD_BEHIND, good.bytes, step);
		behind.image = behind.map + behind.map_size - COPY_PAGE - step;
		memcpy(behind.image, good.bytes, step);
		judge(&behind);
	}
	report("cut short", good.size / 3);

	stage = "flip";
	for (step = 0; step < count; step++) {
		struct copy *copy = step & 1 ? &before : &behind;

		copy_fill(copy, step & 1 ? GUARD_BEFORE : GUARD_BEHIND, good.bytes, good.size);
		flip(copy);
		judge(copy);
	}
	report("with other numbers in them", count);

	stage = "noise";
	for (step = 0; step < count / 10; step++) {
		copy_fill(&before, GUARD_BEFORE, good.bytes, good.size);
		for (size_t i = 64; i < before.size; i++)
			before.image[i] = (unsigned char)next_random();
		/* A 32-bit one by turns, of a machine that has both. */
		before.image[EI_CLASS] = step & 1 ? ELFCLASS32 : ELFCLASS64;
		memcpy(before.image + EI_NIDENT + 2, &machines[step & 1], 2);
		judge(&before);
	}
	report("noise", count / 10);

	/* Who hangs is rare, and depends on how the linker has filled the hash tables. */
	for (unsigned i = 0; i < CLIENT_HANGS; i++)
		cmp_ok((long)seen[i], >, 0L, "some client %s", client_outcomes[i]);
	return done_testing();
}
