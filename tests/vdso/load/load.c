/*
 * load.c - one writer flat out, and readers on every core, in threads and processes and both
 * word sizes: nothing torn, no clock back, nobody stuck.
 *
 *	load [--reads N] [--limit SECONDS] READER64 [READER32]
 *
 * The readers (reader.c) call the functions of the built image, each process the image of its
 * own width, before the same data pages. Where registers have 32 bits, each field is two loads,
 * so that there is twice as much to tear: not only seconds and nanoseconds, but the halves of
 * both. One process of each width has a thread a core; another one has a single thread, and
 * goes by a page of offsets, as in a time namespace.
 *
 * What this could have caught is shown first: readers that break one rule each, by code of
 * theirs, are found out within as many reads. What it cannot catch on x86 is a fence that only
 * the processor would miss, since x86 keeps loads and stores in order by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "tap.h"
#include "kernel/map/vvar.h"
#include "load.h"

#define MOST_READERS 4

/* Of each thread: that it saw the writer at work. */
#define ENOUGH 100

/* Between two looks whether the readers are still there. */
#define UPDATES_A_LOOK 10000

static struct vvar vvar;
static struct load_control *control;
static int control_fd;
static uint32_t update;
static uint64_t updates;
static time_t deadline;
static cpu_set_t cpus; /* that we may have */
static bool verbose;

static void write_bases(struct vdso_data *vd, uint64_t sec, uint64_t nsec)
{
	for (int clock = 0; clock < VDSO_BASES; clock++) {
		bool fine = !(VDSO_BIT(clock) & VDSO_COARSE);

		write_once64(&vd->basetime[clock].sec, sec);
		write_once64(&vd->basetime[clock].nsec, fine ? nsec << LOAD_SHIFT : nsec);
	}
}

static void publish(void)
{
	uint64_t sec, nsec;

	update = update % 0x7fffffff + 1;
	sec = seconds_of(update);
	nsec = nanoseconds_of((uint32_t)sec);
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &vvar.writable[VDSO_TIME_PAGE].data[cs];
		union vdso_head begun = vdso_write_begin(vd);

		write_bases(vd, sec, nsec);
		vdso_write_end(vd, begun, VDSO_CLOCKMODE_COUNTER);
	}
	updates++;
}

/* ---- the readers ------------------------------------------------------------------------- */

static struct reader {
	const char *name, *program, *how;
	int threads;
	pid_t pid;
	unsigned long long reads, updates, fewest, torn, back, stuck, kernel;
	bool counted;
} readers[MOST_READERS];
static int nr_readers;

static void start(struct reader *reader, int out)
{
	char fd[16], ctl[16], threads[16];
	pid_t parent = getpid();

	reader->counted = false;
	fflush(stdout);
	reader->pid = fork();
	if (reader->pid < 0)
		bail_out("fork: %s", strerror(errno));
	if (reader->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (getppid() != parent)
		_exit(1);
	/* The copies survive execve(2). */
	snprintf(fd, sizeof(fd), "%d", dup(vvar.fd));
	snprintf(ctl, sizeof(ctl), "%d", dup(control_fd));
	snprintf(threads, sizeof(threads), "%d", reader->threads);
	dup2(out, 1);
	execl(reader->program, reader->program, reader->name, fd, ctl, threads, reader->how,
	      NULL);
	fprintf(stderr, "# %s: %s\n", reader->program, strerror(errno));
	_exit(127);
}

static void count_line(char *line)
{
	for (int i = 0; i < nr_readers; i++) {
		struct reader *r = &readers[i];
		size_t length = strlen(r->name);

		if (strncmp(line, r->name, length) || line[length] != ' ')
			continue;
		r->counted = sscanf(line + length, "%llu %llu %llu %llu %llu %llu %llu",
				    &r->reads, &r->updates, &r->fewest, &r->torn, &r->back,
				    &r->stuck, &r->kernel) == 7;
	}
}

static void read_lines(int in)
{
	FILE *file = fdopen(in, "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		count_line(line);
	if (file)
		fclose(file);
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void progress(uint32_t batches)
{
	static time_t told;
	uint32_t left = __atomic_load_n(&control->batches, __ATOMIC_RELAXED);

	if (!verbose || now() < told + 60)
		return;
	if (told)
		printf("# %.3g reads, %.3g updates\n", (double)(batches - left) * LOAD_BATCH,
		       (double)updates);
	fflush(stdout);
	told = now();
}

/* How many have ended since. Those that take too long are told to, and then made to. */
static int reap(void)
{
	int ended = 0;

	if (now() > deadline)
		__atomic_store_n(&control->stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < nr_readers; i++) {
		if (readers[i].pid > 0 && now() > deadline + 20)
			kill(readers[i].pid, SIGKILL);
		if (readers[i].pid > 0 && waitpid(readers[i].pid, NULL, WNOHANG) != 0) {
			readers[i].pid = 0;
			ended++;
		}
	}
	return ended;
}

/* Lets all readers read so much, and writes until they have ended; or stands still meanwhile.
 */
static void run(uint64_t reads, bool writes, uint32_t enough)
{
	const struct timespec moment = {0, 1000000};
	uint32_t batches = (uint32_t)((reads + LOAD_BATCH - 1) / LOAD_BATCH), threads = 0;
	int out[2], left = nr_readers;

	*control = (struct load_control){.batches = batches, .enough = enough};
	if (pipe2(out, O_CLOEXEC))
		bail_out("pipe: %s", strerror(errno));
	for (int i = 0; i < nr_readers; i++) {
		start(&readers[i], out[1]);
		threads += (uint32_t)readers[i].threads;
	}
	close(out[1]);
	/* Together, so that none has read everything before another one is there. */
	while (left > 0 && __atomic_load_n(&control->ready, __ATOMIC_RELAXED) < threads) {
		left -= reap();
		nanosleep(&moment, NULL);
	}
	__atomic_store_n(&control->go, 1, __ATOMIC_RELEASE);
	while (left > 0) {
		for (int i = 0; writes && i < UPDATES_A_LOOK; i++)
			publish();
		if (!writes)
			nanosleep(&moment, NULL);
		progress(batches);
		left -= reap();
	}
	read_lines(out[0]);
}

/* ---- what is asked ----------------------------------------------------------------------- */

/* Each rule that a reader may break, and what it is found out by. */
static const struct rule {
	const char *how, *what;
	enum { TORN, BACK, STUCK } by;
} rules[] = {
	{"no-counter", "one that looks at no number is torn", TORN},
	{"no-second-look", "one that does not look again is torn", TORN},
	{"odd-is-fine", "one that takes an odd number for an even one is torn", TORN},
	{"any-copy", "one that takes either copy goes back", BACK},
	{"waits", "one that waits for ever is stuck when the writer stops halfway", STUCK},
};

static void test_spoiled(const struct reader *plain, const struct rule *rule, uint64_t reads)
{
	struct vdso_data *vd = vvar.writable[VDSO_TIME_PAGE].data;
	union vdso_head begun = {.word = 0};
	unsigned long long found;

	readers[0] = *plain;
	readers[0].how = rule->how;
	nr_readers = 1;
	if (rule->by == STUCK)
		begun = vdso_write_begin(vd);
	run(reads, rule->by != STUCK, 0);
	if (rule->by == STUCK)
		vdso_write_end(vd, begun, VDSO_CLOCKMODE_COUNTER);
	found = rule->by == TORN   ? readers[0].torn
		: rule->by == BACK ? readers[0].back
				   : readers[0].stuck;
	if (!ok(found > 0, "a spoiled reader: %s", rule->what))
		diag("%llu reads, and all was well: this run would find nothing, on a machine "
		     "that is so slow or busy",
		     readers[0].reads);
	if (rule->by != STUCK)
		printf("# %s, %s: %llu of %llu reads\n", plain->name, rule->how, found,
		       readers[0].reads);
}

static void say_rates(const struct reader *r)
{
	printf("# %-17s %2d thread%s %14llu reads %12llu updates seen %10llu by the kernel\n",
	       r->name, r->threads, r->threads > 1 ? "s" : " ", r->reads, r->updates,
	       r->kernel);
}

static void test_all(const struct reader *all, int nr, uint64_t reads)
{
	unsigned long long done = 0, torn = 0, back = 0, stuck = 0, fewest = ~0ull;
	uint64_t before = updates;
	bool counted = true;

	memcpy(readers, all, (size_t)nr * sizeof(all[0]));
	nr_readers = nr;
	run(reads, true, ENOUGH);
	for (int i = 0; i < nr; i++) {
		const struct reader *r = &readers[i];

		counted &= r->counted;
		done += r->reads;
		torn += r->torn;
		back += r->back;
		stuck += r->stuck;
		fewest = r->fewest < fewest ? r->fewest : fewest;
		say_rates(r);
	}
	printf("# %llu reads in all, beside %llu updates\n", done,
	       (unsigned long long)(updates - before));
	if (!ok(counted && done >= reads, "there were %llu reads", (unsigned long long)reads))
		diag("%llu only, when the time was over, or a reader died", done);
	is(torn, 0ull, "none of them is torn");
	is(back, 0ull, "none goes back, by whatever function");
	is(stuck, 0ull, "nobody is stuck");
	if (!cmp_ok(fewest, >=, ENOUGH, "each thread saw the writer at work"))
		diag("it proves little: the machine is too busy, or the writer was stopped");
}

/* The writer is gone, halfway: nobody waits for it. */
static void test_halfway(const struct reader *all, int nr)
{
	struct vdso_data *vd = vvar.writable[VDSO_TIME_PAGE].data;
	unsigned long long wrong = 0, stuck = 0, reads = 0;
	union vdso_head begun;

	memcpy(readers, all, (size_t)nr * sizeof(all[0]));
	nr_readers = nr;
	begun = vdso_write_begin(vd);
	write_bases(vd, 1, 2);
	run(100000, false, 0);
	for (int i = 0; i < nr; i++) {
		wrong += readers[i].torn + readers[i].back;
		stuck += readers[i].stuck;
		reads += readers[i].reads;
	}
	if (!ok(reads >= 100000 && !wrong && !stuck,
		"a writer that has stopped halfway: none is torn, none goes back, nobody is "
		"stuck"))
		diag("%llu reads, %llu torn or back, %llu stuck", reads, wrong, stuck);
	write_bases(vd, seconds_of(update), nanoseconds_of((uint32_t)seconds_of(update)));
	vdso_write_end(vd, begun, VDSO_CLOCKMODE_COUNTER);
}

static void make_pages(void)
{
	static const struct timens_offset none[VDSO_BASES];
	struct vdso_data *vd;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data page");
	vd = vvar.writable[VDSO_TIME_PAGE].data;
	for (int cs = 0; cs < CS_BASES; cs++) {
		vd[cs].clock_mode = VDSO_CLOCKMODE_COUNTER;
		vd[cs].mask = vd[cs].max_cycles = ~0ull;
		vd[cs].shift = LOAD_SHIFT; /* mult 0: the base is the time */
	}
	vvar_set_offsets(&vvar, none, none, 0);
	publish();
	if (vvar_seal(&vvar))
		bail_out("the data page cannot be sealed");
	control_fd = memfd_create("uvdso-test-load", MFD_CLOEXEC);
	if (control_fd < 0 || ftruncate(control_fd, sizeof(*control)))
		bail_out("no control page: %s", strerror(errno));
	control =
		mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, control_fd, 0);
	if (control == MAP_FAILED)
		bail_out("no control page: %s", strerror(errno));
}

/* The first of the CPUs that we may have: reader.c counts them in the same order. */
static void pin(void)
{
	cpu_set_t one;
	int cpu = 0;

	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"reads", required_argument, NULL, 'r'},
		{"limit", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct reader all[MOST_READERS];
	double reads = (double)rounds(100000000);
	int option, nr = 0;

	deadline = now() + 120;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			reads = strtod(optarg, NULL);
		else if (option == 'l')
			deadline = now() + atol(optarg);
		else
			reads = 0;
		verbose = true;
	}
	if (argc - optind < 1 || argc - optind > 2 || !(reads >= 1) || reads > 4e13) {
		fprintf(stderr,
			"usage: load [--reads N] [--limit SECONDS] READER64 [READER32]\n");
		return 2;
	}
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (CPU_COUNT(&cpus) < 2) {
		puts("1..0 # SKIP needs two CPUs");
		return 0;
	}
	make_pages();
	pin();
	for (int i = optind; i < argc; i++) {
		bool other = i > optind;

		all[nr++] = (struct reader){
			.name = other               ? "32-bit"
				: sizeof(long) == 8 ? "64-bit"
						    : "32-bit",
			.program = argv[i],
			.how = "plain",
			.threads = CPU_COUNT(&cpus) < 64 ? CPU_COUNT(&cpus) : 64,
		};
		all[nr] = all[nr - 1];
		all[nr].name = other ? "32-bit-namespace" : "64-bit-namespace";
		all[nr].how = "namespace";
		all[nr++].threads = 1;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		for (int j = 0; j < nr; j += 2)
			test_spoiled(&all[j], &rules[i], (uint64_t)reads);
	test_all(all, nr, (uint64_t)reads);
	deadline = now() + 60; /* of its own */
	test_halfway(all, nr);
	return done_testing();
}
