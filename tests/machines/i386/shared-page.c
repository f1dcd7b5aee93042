/*
 * shared-page.c - a 64-bit and a 32-bit program read the same data page at the same time.
 *
 *	shared-page READER64 READER32
 *
 * One writer, of 64 bits, publishes updates at full speed; two programs of different width
 * have the same data pages mapped, each with the image of its own width before them (reader.c).
 * Where registers have 32 bits, each field is two loads, so that there is twice as much to
 * tear: not only seconds and nanoseconds, but the halves of both. The sequence counter has to
 * cover it all. That there is something to see is shown first, by a writer that does not use
 * the counter.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "tap.h"
#include "kernel/map/vvar.h"
#include "shared-page.h"

#define READERS    2
#define ROUND_MS   "400"
#define MIN_ROUNDS 4
#define MAX_ROUNDS 40
#define ENOUGH     10000

/* Between two updates, so that readers get through: an update is a handful of stores. */
#define PAUSE 300

static struct vvar vvar;
static uint32_t update;

static void write_bases(struct vdso_data *vd)
{
	uint64_t sec = seconds_of(update), nsec = nanoseconds_of((uint32_t)sec);

	write_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC].sec, sec);
	write_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC].nsec, nsec << SHARED_SHIFT);
	write_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE].sec, sec);
	write_once64(&vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE].nsec, nsec);
}

/* The clocks of the first base, and then the second copy of the coarse one. */
static void publish(bool with_counter)
{
	if (++update >> 31)
		update = 1; /* seconds must not become negative */
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &vvar.writable[0].data[cs];

		if (with_counter) {
			union vdso_head begun = vdso_write_begin(vd);

			write_bases(vd);
			vdso_write_end(vd, begun, VDSO_CLOCKMODE_COUNTER);
		} else {
			write_bases(vd);
		}
	}
	for (int i = 0; i < (with_counter ? PAUSE : 0); i++)
		__asm__ volatile("" : : : "memory");
}

static void start(const char *program, int out)
{
	char fd[16];

	if (fork())
		return;
	snprintf(fd, sizeof(fd), "%d", dup(vvar.fd)); /* the copy survives execve(2) */
	dup2(out, 1);
	execl(program, program, fd, ROUND_MS, NULL);
	fprintf(stderr, "# %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Writes until both readers have ended. Returns what they printed. */
static const char *run(char **readers, bool with_counter)
{
	static char text[4096];
	size_t have = 0;
	ssize_t got;
	int out[2], left = READERS;

	if (pipe2(out, O_CLOEXEC))
		bail_out("pipe");
	for (int i = 0; i < READERS; i++)
		start(readers[i], out[1]);
	close(out[1]);
	while (left > 0) {
		for (int i = 0; i < 1000; i++)
			publish(with_counter);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
	}
	while ((got = read(out[0], text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)got;
	close(out[0]);
	text[have] = 0;
	return text;
}

/* What the readers have counted, all rounds together. */
static struct tally {
	const char *name;
	long reads, changes, torn, kernel;
} tallies[] = {
	{.name = "64-bit coarse"}, {.name = "64-bit fine"},       {.name = "32-bit coarse"},
	{.name = "32-bit fine"},   {.name = "32-bit old-coarse"}, {.name = "32-bit old-fine"},
};
#define TALLIES (sizeof(tallies) / sizeof(tallies[0]))

static void add(struct tally *tally, const char *text)
{
	const char *line = strstr(text, tally->name);
	long reads, changes, torn, kernel;

	if (!line || sscanf(line + strlen(tally->name), "%ld %ld %ld %ld", &reads, &changes,
			    &torn, &kernel) != 4)
		return;
	tally->reads += reads;
	tally->changes += changes;
	tally->torn += torn;
	tally->kernel += kernel;
}

static bool is_enough(const struct tally *tally, bool with_counter)
{
	return with_counter ? tally->changes > ENOUGH && tally->reads - tally->kernel > ENOUGH
			    : tally->torn > 0;
}

/* On a busy machine the three may take turns for a while: then there are more rounds. */
static void run_rounds(char **readers, bool with_counter)
{
	bool enough = false;

	for (size_t i = 0; i < TALLIES; i++)
		tallies[i] = (struct tally){.name = tallies[i].name};
	for (int round = 0; round < MAX_ROUNDS && !(enough && round >= MIN_ROUNDS); round++) {
		const char *text = run(readers, with_counter);

		enough = true;
		for (size_t i = 0; i < TALLIES; i++) {
			add(&tallies[i], text);
			enough &= is_enough(&tallies[i], with_counter);
		}
	}
}

int main(int argc, char **argv)
{
	struct vdso_data *vd;
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (CPU_COUNT(&cpus) < 2) {
		puts("1..0 # SKIP needs two CPUs");
		return 0;
	}
	if (argc != 1 + READERS)
		bail_out("usage: shared-page READER64 READER32");
	alarm(120);
	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data page");
	vd = vvar.writable[0].data;
	for (int cs = 0; cs < CS_BASES; cs++) {
		vd[cs].clock_mode = VDSO_CLOCKMODE_COUNTER;
		vd[cs].mask = vd[cs].max_cycles = ~0ull;
		vd[cs].shift = SHARED_SHIFT; /* mult 0: the base is the time */
	}
	publish(true);
	if (vvar_seal(&vvar))
		bail_out("the data page cannot be sealed");
	run_rounds(argv + 1, false);
	for (size_t i = 0; i < TALLIES; i++)
		if (!ok(is_enough(&tallies[i], false),
			"%s: without the sequence counter torn pairs are seen",
			tallies[i].name))
			diag("%ld reads, %ld updates seen: the test would find nothing",
			     tallies[i].reads, tallies[i].changes);
	run_rounds(argv + 1, true);
	for (size_t i = 0; i < TALLIES; i++) {
		const struct tally *t = &tallies[i];

		if (!ok(t->reads && !t->torn, "%s: no torn pair", t->name))
			diag("%ld of %ld reads are a mixture of two updates", t->torn,
			     t->reads);
		if (!ok(is_enough(t, true), "%s: thousands of updates went by meanwhile",
			t->name))
			diag("%ld updates seen in %ld reads; %ld reads were answered by the "
			     "kernel",
			     t->changes, t->reads, t->kernel);
		printf("# %s: %ld reads, %ld updates seen, %ld given up\n", t->name, t->reads,
		       t->changes, t->kernel);
	}
	return done_testing();
}
