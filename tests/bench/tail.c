/*
 * tail.c - how long the slowest calls take, while nobody writes, at the timekeeper's pace, and
 * beside a writer flat out.
 *
 * A median says nothing about the calls that met an update. So here each call is timed by
 * itself, between two looks at the counter, less what two looks take that nothing is between.
 * The vDSO is one whose data pages we write ourselves: the timekeeper's pace is 250 updates a
 * second, but a reader that met one of them in a million calls would be lucky. The kernel's
 * vDSO takes its turn in each round, and nobody disturbs its writer: what differs from row to
 * row there is the machine.
 *
 * The worst call of all is mostly one that an interrupt came into, or another program. That is
 * so for both.
 *
 * tail.csv has a line for each row and vDSO:
 *
 *	call,writer,vdso,p50_ns,p99_ns,p999_ns,worst_ns
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <machine.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "bench.h"
#include "kernel/map/place.h"

#define ROUNDS       100
#define QUICK_ROUNDS 3
#define BATCH        4000

enum pace { OFF, TIMEKEEPER, FLAT_OUT, PACES };
static const char *const pace_names[PACES] = {"writer off", "at 250 Hz", "flat out"};
#define PERIOD_NS 4000000

static const struct {
	const char *name;
	clockid_t clock;
} asked[] = {{"MONOTONIC", CLOCK_MONOTONIC}, {"MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE}};

/* Who answers, beside a function that does nothing. */
enum { OURS, KERNEL, WAYS, EMPTY = WAYS };
static const char *const way_names[WAYS] = {"ours", "kernel"};

/* How many calls took so many cycles: each up to 256, and from there on in steps of 1/128. */
#define FINE    256
#define STEPS   128
#define BUCKETS (FINE + 56 * STEPS)

struct times {
	uint64_t calls, worst;
	uint32_t in[BUCKETS];
};

static unsigned bucket_of(uint64_t cycles)
{
	unsigned power = cycles < FINE ? 0 : 63 - (unsigned)__builtin_clzll(cycles);

	if (cycles < FINE)
		return (unsigned)cycles;
	return FINE + (power - 8) * STEPS + (unsigned)(cycles >> (power - 7)) - STEPS;
}

/* The least that falls into it. */
static uint64_t cycles_of(unsigned bucket)
{
	unsigned power = bucket < FINE ? 0 : (bucket - FINE) / STEPS + 8;

	if (bucket < FINE)
		return bucket;
	return (uint64_t)((bucket - FINE) % STEPS + STEPS) << (power - 7);
}

static void add(struct times *times, uint64_t cycles)
{
	times->calls++;
	times->in[bucket_of(cycles)]++;
	if (cycles > times->worst)
		times->worst = cycles;
}

static uint64_t percentile(const struct times *times, double part)
{
	uint64_t below = (uint64_t)ceil((double)times->calls * part), seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		if ((seen += times->in[i]) >= below)
			return cycles_of(i);
	return times->worst;
}

/* ---- the writer -------------------------------------------------------------------------- */

static struct {
	struct vdso_data *data;
	_Atomic enum pace pace, kept; /* what it is told, and what it does */
	atomic_bool stop;
	cpu_set_t cpu;
} writer;

/* As much as an update of the timekeeper's writes. */
static void publish(uint64_t k)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &writer.data[cs];
		union vdso_head begun = vdso_write_begin(vd);

		write_once64(&vd->cycle_last, k);
		for (int clock = 0; clock < VDSO_BASES; clock++) {
			write_once64(&vd->basetime[clock].sec, k);
			write_once64(&vd->basetime[clock].nsec, 0);
		}
		vdso_write_end(vd, begun, VDSO_CLOCKMODE_COUNTER);
	}
}

static void *write_at_pace(void *unused)
{
	const struct timespec moment = {0, 100000}, period = {0, PERIOD_NS};

	(void)unused;
	pthread_setaffinity_np(pthread_self(), sizeof(writer.cpu), &writer.cpu);
	for (uint64_t k = 1; !atomic_load(&writer.stop); k++) {
		enum pace pace = atomic_load_explicit(&writer.pace, memory_order_relaxed);

		if (pace != OFF)
			publish(k);
		atomic_store_explicit(&writer.kept, pace, memory_order_relaxed);
		if (pace == OFF)
			nanosleep(&moment, NULL);
		else if (pace == TIMEKEEPER)
			nanosleep(&period, NULL);
	}
	return NULL;
}

/* And until it does so; not for ever, on a machine with other things to do. */
static void set_pace(enum pace pace)
{
	const struct timespec moment = {0, 1000000};

	atomic_store(&writer.pace, pace);
	for (int i = 0; i < 1000 && atomic_load(&writer.kept) != pace; i++)
		nanosleep(&moment, NULL);
}

/* ---- the reader -------------------------------------------------------------------------- */

static int nothing(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	(void)ts;
	return 0;
}

static void ask(gettime_fn *gettime, clockid_t clock, struct times *times)
{
	struct timespec ts;

	for (int i = 0; i < BATCH; i++) {
		u64 before = arch_counter();

		gettime(clock, &ts);
		add(times, arch_counter() - before);
	}
}

static struct times times[ARRAY_SIZE(asked)][PACES][WAYS + 1];

static void measure_all(const struct bench *bench, gettime_fn *const way[WAYS + 1])
{
	for (int round = 0; round < (bench->quick ? QUICK_ROUNDS : ROUNDS); round++)
		for (int pace = 0; pace < PACES; pace++) {
			set_pace((enum pace)pace);
			for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
				for (int w = 0; w <= WAYS; w++)
					if (way[w])
						ask(way[w], asked[i].clock, &times[i][pace][w]);
		}
}

/* ---- what is told ------------------------------------------------------------------------ */

static double ns_a_cycle(void)
{
	const struct timespec pause = {0, 20000000};
	uint64_t begin = now_ns(), count = arch_counter();

	nanosleep(&pause, NULL);
	return (double)(now_ns() - begin) / (double)(arch_counter() - count);
}

static const double parts[] = {0.5, 0.99, 0.999, 1};

/* The worst one may be a thousand times as long as the others, or a million. */
static void print_ns(int width, double ns)
{
	if (ns < 1e5)
		printf("%*.0f", width, ns);
	else if (ns < 1e8)
		printf("%*.0f us", width - 3, ns / 1e3);
	else
		printf("%*.0f ms", width - 3, ns / 1e6);
}

static void print_row(FILE *csv, size_t i, int pace, double scale)
{
	double looks = (double)percentile(&times[i][pace][EMPTY], 0.5);

	printf("    %-14s", pace_names[pace]);
	for (int w = 0; w < WAYS; w++) {
		const struct times *t = &times[i][pace][w];

		if (!t->calls) {
			printf(w ? "  %6s%6s%7s%9s" : "%6s%6s%7s%9s", "-", "-", "-", "-");
			continue;
		}
		fprintf(csv, "clock_gettime(%s),%s,%s", asked[i].name, pace_names[pace],
			way_names[w]);
		printf(w ? "  " : "");
		for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
			static const int width[] = {6, 6, 7, 9};
			double cycles =
				p == 3 ? (double)t->worst : (double)percentile(t, parts[p]);
			double ns = fmax(0, (cycles - looks) * scale);

			print_ns(width[p], ns);
			fprintf(csv, ",%.1f", ns);
		}
		fputc('\n', csv);
	}
	putchar('\n');
}

static int print_all(const struct bench *bench)
{
	double scale = ns_a_cycle();
	char name[sizeof(bench->csv) + 16];
	char *slash;
	FILE *csv;

	snprintf(name, sizeof(name), "%s", bench->csv);
	slash = strrchr(name, '/');
	snprintf(slash ? slash + 1 : name, 16, "tail.csv");
	csv = fopen(name, "we");
	if (!csv) {
		fprintf(stderr, "bench: %s: %s\n", name, strerror(errno));
		return 1;
	}
	fputs("call,writer,vdso,p50_ns,p99_ns,p999_ns,worst_ns\n", csv);
	printf("\n%sThe slowest of %llu calls%s (tail.csv)\n", bench->bold,
	       (unsigned long long)times[0][0][OURS].calls, bench->off);
	printf("  %-16s%28s%30s\n", "", "our vDSO", "kernel's vDSO");
	printf("  %-16s%6s%6s%7s%9s  %6s%6s%7s%9s\n", "ns a call", "p50", "p99", "p99.9",
	       "worst", "p50", "p99", "p99.9", "worst");
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		printf("  %s\n", asked[i].name);
		for (int pace = 0; pace < PACES; pace++)
			print_row(csv, i, pace, scale);
	}
	if (ferror(csv) | fclose(csv)) {
		fprintf(stderr, "bench: %s: %s\n", name, strerror(errno));
		return 1;
	}
	return 0;
}

/* ---- setting up -------------------------------------------------------------------------- */

/* Data pages of our own: a multiplier of 0, so that the base is the time. */
static const char *make_vdso(struct vvar *vvar, struct placement *page, gettime_fn **gettime)
{
	struct image image = image_builtin();
	static struct error error;
	struct vdso_elf elf;

	if (vvar_create(vvar) || vvar_map_writable(vvar))
		return "no data pages";
	writer.data = vvar->writable[VDSO_TIME_PAGE].data;
	for (int cs = 0; cs < CS_BASES; cs++) {
		writer.data[cs].clock_mode = VDSO_CLOCKMODE_COUNTER;
		writer.data[cs].mask = writer.data[cs].max_cycles = ~0ull;
	}
	publish(1);
	if (vvar_seal(vvar))
		return "the data pages cannot be sealed";
	if (vdso_place(&image, vvar, false, false, page, &error))
		return error.why;
	if (vdso_elf_open(&elf, (void *)page->ehdr, 0))
		return "the vDSO cannot be read";
	*gettime = vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	return *gettime ? NULL : "no clock_gettime()";
}

/* The writer gets the first of our CPUs, the reader the second. */
static void choose_cpu(const cpu_set_t *all, int which, cpu_set_t *one)
{
	int cpu = 0;

	while (!CPU_ISSET(cpu, all) || which-- > 0)
		cpu++;
	CPU_ZERO(one);
	CPU_SET(cpu, one);
}

static int measure_with_writer(const struct bench *bench, gettime_fn *gettime)
{
	gettime_fn *const way[WAYS + 1] = {
		[OURS] = gettime,
		[KERNEL] = vdso_elf_symbol(&bench->kernel, VDSO_NAME("clock_gettime"),
					   VDSO_VERSION),
		[EMPTY] = nothing,
	};
	cpu_set_t all, one;
	pthread_t thread;
	int err;

	sched_getaffinity(0, sizeof(all), &all);
	if (CPU_COUNT(&all) < 2) {
		puts("\n(The slowest calls beside a writer: this takes two CPUs.)");
		return 0;
	}
	choose_cpu(&all, 0, &writer.cpu);
	choose_cpu(&all, 1, &one);
	err = pthread_create(&thread, NULL, write_at_pace, NULL);
	if (err) {
		fprintf(stderr, "bench: a thread for the writer: %s\n", strerror(err));
		return 1;
	}
	sched_setaffinity(0, sizeof(one), &one);
	measure_all(bench, way);
	sched_setaffinity(0, sizeof(all), &all);
	atomic_store(&writer.stop, true);
	pthread_join(thread, NULL);
	return print_all(bench);
}

int tail_bench(const struct bench *bench)
{
	struct vvar vvar = VVAR_NONE;
	struct placement page = {0};
	gettime_fn *gettime = NULL;
	const char *why;
	int err = 0;

	if (uvdso_why_no_counter(bench->plain)) {
		printf("\n(The slowest calls: single ones are timed by the counter. %s)\n",
		       "None is usable here.");
		return 0;
	}
	why = make_vdso(&vvar, &page, &gettime);
	if (why) {
		fprintf(stderr, "bench: a vDSO for the slowest calls: %s\n", why);
		err = 1;
	} else {
		err = measure_with_writer(bench, gettime);
	}
	vdso_unplace(&process_self, &page);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return err;
}
