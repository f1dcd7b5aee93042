/*
 * image_fuzz.c - the image checker reads no byte outside of the image, whatever
 * the bytes are, and always comes back.
 *
 * `uvdso check` and the loader are handed files that anybody may have written. A
 * checker that follows their numbers is the first thing to be attacked, so here
 * it gets our own image cut short at every length, and with random bytes in it,
 * between two pages that nobody may touch: one byte too far ends the test, with
 * the numbers to do it again (`build/tests/image/image_fuzz SEED`).
 */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kernel/image/check/check.h"
#include "tap.h"

#define PAGE     4096u
#define NR_FLIPS 200000
#define SECONDS  60
/* One image of the largest size, however it is made up, takes less than this. */
#define SLOW 1.0

static unsigned char *room, *room_end; /* IMAGE_MAX bytes between two guard pages */
static const char *stage = "setting up";
static unsigned long step;
static uint64_t seed = 1;

static void on_signal(int sig)
{
	printf("Bail out! %s at %s %lu, seed %llu: the checker %s\n",
	       sig == SIGALRM ? "timeout" : "fault", stage, step, (unsigned long long)seed,
	       sig == SIGALRM ? "does not come back" : "read outside of the image");
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

static void make_room(void)
{
	unsigned char *map =
		mmap(NULL, IMAGE_MAX + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + PAGE, IMAGE_MAX, PROT_READ | PROT_WRITE))
		bail_out("no memory for the image");
	room = map + PAGE;
	room_end = room + IMAGE_MAX;
}

/* What one call of the checker said. */
struct told {
	unsigned reports, unknown, unprintable;
};

static void hear(void *arg, const struct image_finding *finding)
{
	struct told *told = arg;
	bool known = false;

	told->reports++;
	for (unsigned i = 0; i < image_nr_rules; i++)
		known |= finding->rule == &image_rules[i];
	told->unknown += !known;
	for (const char *p = finding->message; *p; p++)
		told->unprintable += *p < ' ' || *p > '~';
}

static unsigned check(const unsigned char *bytes, size_t size, struct told *told)
{
	struct image image = {bytes, size};

	*told = (struct told){0, 0, 0};
	return image_check(&image, hear, told);
}

static void test_truncations(const struct image *good)
{
	unsigned long passed = 0, silent = 0;

	stage = "length";
	for (step = 0; step < good->size; step++) {
		unsigned char *bytes = room_end - step;
		struct told told;

		memcpy(bytes, good->bytes, step);
		passed += check(bytes, step, &told) == 0;
		silent += told.reports == 0;
	}
	if (!ok(passed == 0 && silent == 0,
		"an image cut short at any of %zu lengths is refused", good->size))
		diag("%lu of them passed, %lu without a report: the loader would map what is "
		     "not "
		     "there",
		     passed, silent);
}

/* A byte that breaks things: random, or one of the ends. */
static unsigned char bad_byte(void)
{
	static const unsigned char ends[] = {0, 1, 0x7f, 0x80, 0xff};
	uint64_t r = next_random();

	return r & 1 ? (unsigned char)(r >> 8) : ends[(r >> 8) % sizeof(ends)];
}

/* Bytes anywhere, or a whole field that is close to 2^64, so that sums wrap around. */
static void flip(unsigned char *bytes, size_t size)
{
	for (uint64_t n = 1 + next_random() % 8; n > 0; n--) {
		uint64_t huge = ~(next_random() % 64);

		if (next_random() % 8)
			bytes[next_random() % size] = bad_byte();
		else
			memcpy(bytes + next_random() % (size / 8) * 8, &huge, sizeof(huge));
	}
}

static void test_flips(const struct image *good)
{
	unsigned long unequal = 0, unknown = 0, unprintable = 0, refused = 0;

	stage = "flip";
	for (step = 0; step < NR_FLIPS; step++) {
		/* By turns with the guard in front and behind. */
		unsigned char *bytes = step & 1 ? room : room_end - good->size;
		struct told told;
		unsigned nr;

		memcpy(bytes, good->bytes, good->size);
		flip(bytes, good->size);
		nr = check(bytes, good->size, &told);
		refused += nr != 0;
		unequal += (nr == 0) != (told.reports == 0) || nr > told.reports;
		unknown += told.unknown;
		unprintable += told.unprintable;
	}
	ok(true, "%d images with wrong bytes in them are read from end to end and no further",
	   NR_FLIPS);
	cmp_ok(refused, >, NR_FLIPS / 2, "most of them are refused");
	if (!ok(unequal == 0 && unknown == 0, "what is counted is what is reported"))
		because("%lu counts differ, and %lu reports name no known rule: nobody could "
			"look them up",
			unequal, unknown);
	if (!is(unprintable, 0, "no message carries a byte that a terminal would obey"))
		because("the names in a message are the image's");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Our image in front of as much as a file may have, so that large numbers can be true. */
static void test_large(const struct image *good)
{
	double slowest = 0;

	stage = "large image";
	for (step = 0; step < 60; step++) {
		struct told told;
		double start;

		memset(room, step % 3 == 0 ? 0 : step % 3 == 1 ? 0xff : 0x01, IMAGE_MAX);
		memcpy(room, good->bytes, good->size);
		/* Large, but inside: the third byte of some little-endian number. */
		for (int i = 0; i < 24; i++)
			room[next_random() % (good->size / 4) * 4 + 2] =
				(unsigned char)(i % 12);
		/* p_filesz and p_memsz of the first program header: all of it. */
		memcpy(room + 64 + 32, &(uint64_t){IMAGE_MAX}, 8);
		memcpy(room + 64 + 40, &(uint64_t){IMAGE_MAX}, 8);
		start = now();
		check(room, IMAGE_MAX, &told);
		if (now() - start > slowest)
			slowest = now() - start;
	}
	if (!cmp_ok(slowest, <, SLOW,
		    "an image of the largest size takes no longer than a moment"))
		because("a file could keep the loader busy");
}

static void test_machine(const struct image *good)
{
	struct image none = {room_end, 0}, some = {room_end - 17, 17};

	memcpy(room_end - 17, good->bytes, 17);
	ok(image_machine(good) != 0, "the machine of our image is known");
	ok(image_machine(&none) == 0 && image_machine(&some) == 0,
	   "what is too short to name a machine has none");
	memcpy(room_end - 64, good->bytes, 64);
	room_end[-64] = 0;
	is(image_machine(&(struct image){room_end - 64, 64}), 0,
	   "what is no ELF file is for no machine");
}

int main(int argc, char **argv)
{
	const struct image good = image_builtin();
	struct told told;

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	make_room();
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	signal(SIGALRM, on_signal);
	alarm(SECONDS);

	memcpy(room_end - good.size, good.bytes, good.size);
	is(check(room_end - good.size, good.size, &told), 0, "the built-in image is good");
	test_truncations(&good);
	test_flips(&good);
	test_large(&good);
	test_machine(&good);
	return done_testing();
}
