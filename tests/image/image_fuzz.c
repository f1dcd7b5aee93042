/*
 * image_fuzz.c - the image checker reads no byte outside of the image, whatever
 * the bytes are, always comes back, and agrees with the resolver.
 *
 * `uvdso check` and the loader are handed files that anybody may have written. A
 * checker that follows their numbers is the first thing to be attacked, so here
 * it gets our own image cut short at every length, with wrong fields, and with random
 * bytes in it, between two pages that nobody may touch: one byte too far ends the test,
 * with the numbers to do it again.
 *
 * The resolver (loader/libc) reads the same images with other code. What it refuses, the
 * checker must name, and in what the checker passes, it must find every function by
 * its name and version. The other clients, as loader/kernel/image/clients/ restates
 * them, read each image that no rule finds fault with, and must be content with it.
 *
 *	image_fuzz [SEED]              the test
 *	image_fuzz TIME[smh] [SEED]    random images alone, for so long (make fuzz TIME=10m)
 */
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel/image/check/check.h"
#include "kernel/image/clients/clients.h"
#include "libc/vdso_elf.h"
#include "tap.h"

#define PAGE     65536u /* the largest of all machines, and so whole pages of each */
#define NR_FLIPS 200000
#define SECONDS  60 /* of CPU time for the test, and for each round of a longer run */
/* One image of the largest size, however it is made up, takes less than this. */
#define SLOW 1.0

static unsigned char *room, *room_end; /* IMAGE_MAX bytes between two guard pages */
static const char *stage = "setting up";
static unsigned long step;
static uint64_t seed = 1;

static void on_signal(int sig)
{
	printf("Bail out! %s at %s %lu, seed %llu: the checker %s\n",
	       sig == SIGVTALRM ? "timeout" : "fault", stage, step, (unsigned long long)seed,
	       sig == SIGVTALRM ? "does not come back" : "read outside of the image");
	fflush(stdout);
	_exit(255);
}

/* A machine that is busy with something else is not a checker that does not come back. */
static void limit_time(void)
{
	const struct itimerval limit = {.it_value.tv_sec = SECONDS * (slow_machine() ? 10 : 1)};

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* splitmix64: small, and the same on every machine. */
static uint64_t random_state;
static uint64_t next_random(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15) + seed;

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

	told->reports += finding->rule->hurts != NULL; /* the others are not counted */
	for (unsigned i = 0; i < image_nr_rules; i++)
		known |= finding->rule == &image_rules[i];
	told->unknown += !known;
	for (const char *p = finding->message; *p; p++)
		told->unprintable += *p < ' ' || *p > '~';
}

/*
 * Where the two do not agree: how often, and the first time. The resolver needs an image at an
 * aligned address.
 */
static struct {
	unsigned long refused, lost, clients;
	char first[512]; /* of the resolver's, and of the clients' */
} quarrel;

__attribute__((format(printf, 2, 3))) static void differ(unsigned long *count, const char *fmt,
							 ...)
{
	size_t length;
	va_list ap;

	(*count)++;
	if (*quarrel.first)
		return;
	va_start(ap, fmt);
	vsnprintf(quarrel.first, sizeof(quarrel.first), fmt, ap);
	va_end(ap);
	length = strlen(quarrel.first);
	snprintf(quarrel.first + length, sizeof(quarrel.first) - length, " (%s %lu, seed %llu)",
		 stage, step, (unsigned long long)seed);
}

static bool is_for_us(const unsigned char *bytes)
{
	const ElfW(Ehdr) *ehdr = (const void *)bytes,
			 *ours = (const void *)image_builtin().bytes;

	return !memcmp(ehdr->e_ident, ours->e_ident, EI_VERSION) &&
	       ehdr->e_machine == ours->e_machine;
}

static void compare(const unsigned char *bytes, size_t size)
{
	struct vdso_elf elf;
	int error = vdso_elf_open(&elf, bytes, size);

	/* The checker knows more machines than the one that it runs on. */
	if (error == VDSO_ELF_MACHINE && !is_for_us(bytes))
		return;
	if (error) {
		differ(&quarrel.refused, "the resolver refuses what the checker passes: %s",
		       vdso_elf_error(error));
		return;
	}
	for (unsigned i = 0; i < vdso_elf_symbol_count(&elf); i++) {
		struct vdso_elf_entry entry;

		if (!vdso_elf_symbol_at(&elf, i, &entry))
			continue;
		if (vdso_elf_symbol(&elf, entry.name, entry.version) != entry.address)
			differ(&quarrel.lost, "the checker passes, and the resolver loses %s",
			       entry.name);
	}
}

/*
 * And the clients, as they are restated: what no rule names hurts none of them. An image need
 * not have every function; who does not find one makes a system call.
 */
static void ask_clients(const unsigned char *bytes, size_t size)
{
	const struct image image = {bytes, size};
	struct client_verdict verdict;

	for (unsigned i = 0; i < nr_clients; i++) {
		client_judge(i, &image, &verdict);
		if (verdict.outcome != CLIENT_OURS && !strstr(verdict.why, " is not in it"))
			differ(&quarrel.clients, "the checker passes, and %s %s: %s",
			       clients[i].name, client_outcomes[verdict.outcome], verdict.why);
	}
}

static unsigned check(const unsigned char *bytes, size_t size, struct told *told)
{
	struct image image = {bytes, size};
	unsigned nr;

	*told = (struct told){0, 0, 0};
	nr = image_check(&image, hear, told);
	if (nr == 0 && (uintptr_t)bytes % _Alignof(ElfW(Ehdr)) == 0)
		compare(bytes, size);
	if (nr == 0 && is_for_us(bytes))
		ask_clients(bytes, size);
	return nr;
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

/*
 * Bytes anywhere, or a whole field: one close to 2^64, so that sums wrap around, or another
 * field of the image, which means something where it came from.
 */
static void flip(unsigned char *bytes, size_t size)
{
	for (uint64_t n = 1 + next_random() % 8; n > 0; n--) {
		uint64_t huge = ~(next_random() % 64);

		uint64_t kind = next_random() % 8;
		size_t width = kind & 1 ? 4 : 8;

		if (kind < 5)
			bytes[next_random() % size] = bad_byte();
		else if (kind == 5)
			memcpy(bytes + next_random() % (size / 8) * 8, &huge, sizeof(huge));
		else
			memmove(bytes + next_random() % (size / width) * width,
				bytes + next_random() % (size / width) * width, width);
	}
}

/* What the images with wrong bytes in them came to. */
static struct {
	unsigned long images, refused, unequal, unknown, unprintable;
} flips;

static void one_flip(const struct image *good)
{
	/* By turns with the guard in front and behind. */
	unsigned char *bytes = step & 1 ? room : room_end - good->size;
	struct told told;
	unsigned nr;

	memcpy(bytes, good->bytes, good->size);
	flip(bytes, good->size);
	nr = check(bytes, good->size, &told);
	flips.images++;
	flips.refused += nr != 0;
	flips.unequal += (nr == 0) != (told.reports == 0) || nr > told.reports;
	flips.unknown += told.unknown;
	flips.unprintable += told.unprintable;
}

static void test_flips(const struct image *good)
{
	stage = "flip";
	for (step = 0; step < NR_FLIPS; step++)
		one_flip(good);
}

static time_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Rounds of the same, each with a seed of its own: that is what to give the test. */
static void run_long(const struct image *good, time_t seconds)
{
	time_t end = seconds_now() + seconds;

	stage = "flip";
	for (;; seed++) {
		limit_time();
		random_state = 0;
		for (step = 0; step < NR_FLIPS; step++) {
			one_flip(good);
			if (step % 1024 == 0 && seconds_now() >= end)
				return;
		}
	}
}

static void test_what_flips_said(void)
{
	ok(true, "%lu images with wrong bytes in them are read from end to end and no further",
	   flips.images);
	cmp_ok(flips.refused, >, flips.images / 2, "most of them are refused");
	if (!ok(flips.unequal == 0 && flips.unknown == 0,
		"what is counted is what is reported"))
		because("%lu counts differ, and %lu reports name no known rule: nobody could "
			"look them up",
			flips.unequal, flips.unknown);
	if (!is(flips.unprintable, 0, "no message carries a byte that a terminal would obey"))
		because("the names in a message are the image's");
}

/* Every field, whichever it is: each place, in each width, with numbers that hurt. */
static void test_fields(const struct image *good)
{
	static const uint64_t numbers[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		0x7f,
		0xff,
		0x7fff,
		0xfff1,
		0xffff,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x7fffffffffffffff,
		0x8000000000000000,
		~0ull,
	};
	static const int steps[] = {-8, -4, -2, -1, 1, 2, 3, 4, 8, 16};
	const size_t nr_numbers = sizeof(numbers) / sizeof(numbers[0]);
	const size_t nr_steps = sizeof(steps) / sizeof(steps[0]);
	unsigned char *bytes = room_end - good->size;
	unsigned long refused = 0;

	stage = "field";
	step = 0;
	memcpy(bytes, good->bytes, good->size);
	for (size_t width = 2; width <= 8; width *= 2)
		for (size_t at = 0; at + width <= good->size; at += width)
			for (size_t i = 0; i < nr_numbers + nr_steps; i++, step++) {
				uint64_t number = 0;
				struct told told;

				memcpy(&number, good->bytes + at, width);
				number = i < nr_numbers
						 ? numbers[i]
						 : number + (uint64_t)(int64_t)
								    steps[i - nr_numbers];
				memcpy(bytes + at, &number, width);
				refused += check(bytes, good->size, &told) != 0;
				memcpy(bytes + at, good->bytes + at, width);
			}
	ok(refused > 0, "%lu images with one wrong field are read to their end", step);
}

/* A table of .dynamic, or the program headers, at an address that is not a multiple of 8. */
static void test_skewed(const struct image *good)
{
	static const ElfW(Sxword)
		tags[] = {DT_HASH, DT_GNU_HASH, DT_SYMTAB, DT_VERSYM, DT_VERDEF, DT_STRTAB};
	size_t size = (good->size + 7) / 8 * 8 + good->size + 8;
	unsigned long passed = 0;

	stage = "skew";
	step = 0;
	for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]) + 2; t++)
		for (size_t skew = 0; skew < 8; skew++, step++) {
			/* The whole image once more, behind itself: each table is somewhere. */
			size_t distance = (good->size + 7) / 8 * 8 + skew;
			ElfW(Ehdr) *ehdr = (void *)room;
			struct told told;

			memset(room, 0, size);
			memcpy(room, good->bytes, good->size);
			memcpy(room + distance, good->bytes, good->size);
			for (unsigned i = 0; i < ehdr->e_phnum; i++) {
				ElfW(Phdr) *phdr = (ElfW(Phdr) *)(room + ehdr->e_phoff) + i;
				ElfW(Dyn) *dyn = (void *)(room + phdr->p_offset);

				if (phdr->p_type == PT_LOAD)
					phdr->p_filesz = phdr->p_memsz = size;
				if (phdr->p_type != PT_DYNAMIC)
					continue;
				for (; t < sizeof(tags) / sizeof(tags[0]) && dyn->d_tag; dyn++)
					if (dyn->d_tag == tags[t])
						dyn->d_un.d_ptr += distance;
				if (t == sizeof(tags) / sizeof(tags[0])) {
					phdr->p_offset += distance;
					phdr->p_vaddr += distance;
				}
			}
			if (t == sizeof(tags) / sizeof(tags[0]) + 1) {
				ehdr->e_phoff += distance;
				memcpy(room + ehdr->e_phoff, room + ehdr->e_phoff - distance,
				       sizeof(ElfW(Phdr)) * ehdr->e_phnum);
			}
			passed += check(room, size, &told) == 0;
		}
	/* The string table may lie anywhere; the others only where they do not lie askew. */
	cmp_ok(passed, >=, 8 + 1, "of %lu images with a table elsewhere some pass", step);
	cmp_ok(passed, <, step / 2, "and most do not: their words are not aligned");
}

static void test_agreement(void)
{
	if (!is(quarrel.refused, 0ul, "what the resolver refuses, the checker has named"))
		because("%s", quarrel.first);
	if (!is(quarrel.clients, 0ul, "what stops a client, the checker has named"))
		because("%s", quarrel.first);
	if (!is(quarrel.lost, 0ul,
		"in what the checker passes, the resolver finds every function"))
		because("%s", quarrel.first);
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

/* "10m" in seconds; 0 for what is no time, or not a short one. */
static time_t seconds_of(const char *text)
{
	char *unit;
	unsigned long number = strtoul(text, &unit, 10);

	if (unit == text || *unit == '\0' || unit[1] || number > 1000000)
		return 0;
	return (time_t)(number * (*unit == 's'   ? 1
				  : *unit == 'm' ? 60
				  : *unit == 'h' ? 3600
						 : 0));
}

int main(int argc, char **argv)
{
	const struct image good = image_builtin();
	time_t seconds = argc > 1 ? seconds_of(argv[1]) : 0;
	struct told told;

	if (seconds)
		seed = (uint64_t)time(NULL) * NR_FLIPS;
	if (argc > 1 + !!seconds)
		seed = strtoull(argv[1 + !!seconds], NULL, 0);
	make_room();
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	signal(SIGVTALRM, on_signal);
	limit_time();

	memcpy(room_end - good.size, good.bytes, good.size);
	is(check(room_end - good.size, good.size, &told), 0, "the built-in image is good");
	if (seconds) {
		diag("from seed %llu on", (unsigned long long)seed);
		run_long(&good, seconds);
		test_what_flips_said();
		test_agreement();
		return done_testing();
	}
	test_truncations(&good);
	test_fields(&good);
	test_skewed(&good);
	test_flips(&good);
	test_what_flips_said();
	test_agreement();
	test_large(&good);
	test_machine(&good);
	return done_testing();
}
