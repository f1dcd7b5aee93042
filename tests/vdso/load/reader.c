/*
 * reader.c - reads data pages that it has inherited, as fast as it can. For load.c.
 *
 *	reader NAME FD CONTROL THREADS HOW
 *
 * Built for x86-64 and for i386. Places the image of its own width in front of the pages in FD,
 * and calls its functions in THREADS threads, one a CPU in turn, until no batch is left in
 * CONTROL (load.h). HOW is "plain"; "namespace", by way of a page of offsets; or how a reader
 * would read that breaks a rule (enum spoil). Prints a line:
 *
 *	NAME READS UPDATES FEWEST TORN BACK STUCK KERNEL
 *
 * UPDATES are those that it saw, FEWEST of them by any of its threads. TORN and BACK are
 * answers that are of two updates, or of an earlier one than the answer before, by whatever
 * function. STUCK are threads that used up their patience, in CPU time, without a batch of
 * answers. KERNEL are answers of the system call, of readers that gave up.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "tap.h"
#include "kernel/map/place.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "load.h"

#define MOST_THREADS 64

/* CPU time that a thread may use without an answer. A coarse reader waits 40 ms, by design. */
#define PATIENCE_MS         2000
#define PATIENCE_SPOILED_MS 200

/* The writer must come first on its CPU: what is read when it does nothing proves little. */
#define NICE 4

struct wide {
	int64_t sec, nsec;
};
struct narrow {
	long sec, nsec;
};

/* What one rule less looks like. Read by code of ours, since the image keeps all of them. */
enum spoil {
	KEEPS_ALL,
	NO_COUNTER,     /* looks at no number */
	NO_SECOND_LOOK, /* ... not again after the copy */
	ODD_IS_FINE,    /* the same number twice is enough for it */
	ANY_COPY,       /* takes either copy of a coarse clock, as it likes */
	WAITS,          /* for an even number, however long that takes */
	SPOILS
};
static const char *const spoil_names[SPOILS] = {
	[NO_COUNTER] = "no-counter",
	[NO_SECOND_LOOK] = "no-second-look",
	[ODD_IS_FINE] = "odd-is-fine",
	[ANY_COPY] = "any-copy",
	[WAITS] = "waits",
};

static struct {
	int (*wide)(clockid_t, struct wide *);
	int (*narrow)(clockid_t, struct narrow *);
	long (*time)(long *);
	int (*timeofday)(struct timeval *, struct timezone *);
	const struct vdso_data *data;
	struct load_control *control;
	enum spoil spoil;
} with;

struct thread {
	_Alignas(64) pthread_t id;
	int cpu;
	uint64_t reads, updates, torn, back, kernel;
	uint32_t batches; /* done, for who watches */
	bool stuck, ended;
	uint32_t last, last_raw; /* the newest update that it has seen, of either base */
	const char *what;        /* the first wrong answer */
	uint64_t sec, nsec;
};

static void wrong(struct thread *t, uint64_t *kind, const char *what, uint64_t sec,
		  uint64_t nsec)
{
	if (!t->what) {
		t->what = what;
		t->sec = sec;
		t->nsec = nsec;
	}
	++*kind;
}

static void saw(struct thread *t, const char *what, uint32_t *last, uint32_t k, uint64_t sec,
		uint64_t nsec)
{
	if (k == *last)
		return;
	if (*last && is_before(k, *last))
		wrong(t, &t->back, what, sec, nsec);
	t->updates++;
	*last = k;
}

/* The writer's seconds have an upper half; the kernel's, of the system call, have none. */
static void count_wide(struct thread *t, const char *what, uint32_t *last, uint64_t sec,
		       uint64_t nsec, bool whole)
{
	t->reads++;
	if (!(sec >> 32))
		t->kernel++;
	else if (!whole)
		wrong(t, &t->torn, what, sec, nsec);
	else
		saw(t, what, last, (uint32_t)(sec >> 32), sec, nsec);
}

/* Half of the seconds has to do. What looks wrong may be the system call's, of just now. */
static void count_narrow(struct thread *t, const char *what, uint32_t low, uint64_t nsec,
			 bool whole)
{
	uint32_t k = update_of(low) & 0x7fffffff;
	struct timespec now;
	int32_t off;

	t->reads++;
	if (whole && !is_before(k, t->last) && is_before(k, t->last + (1u << 24))) {
		saw(t, what, &t->last, k, low, nsec);
		return;
	}
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	off = (int32_t)(low - (uint32_t)now.tv_sec);
	if (off >= -60 && off <= 0)
		t->kernel++;
	else if (!whole)
		wrong(t, &t->torn, what, low, nsec);
	else
		saw(t, what, &t->last, k, low, nsec);
}

static void read_wide(struct thread *t, clockid_t id, const char *what)
{
	struct wide got;

	if (with.wide(id, &got))
		return;
	count_wide(t, what, id == CLOCK_MONOTONIC_RAW ? &t->last_raw : &t->last,
		   (uint64_t)got.sec, (uint64_t)got.nsec,
		   is_whole((uint64_t)got.sec, (uint64_t)got.nsec));
}

static void read_narrow(struct thread *t, clockid_t id, const char *what)
{
	struct narrow got;

	if (!with.narrow(id, &got))
		count_narrow(t, what, (uint32_t)got.sec, (uint64_t)got.nsec,
			     is_whole_low((uint32_t)got.sec, (uint64_t)got.nsec));
}

static void read_timeofday(struct thread *t)
{
	struct timeval got;
	bool whole;

	if (with.timeofday(&got, NULL))
		return;
	whole = (uint64_t)got.tv_usec == nanoseconds_of((uint32_t)got.tv_sec) / 1000;
	if (sizeof(got.tv_sec) == 8)
		count_wide(t, "gettimeofday()", &t->last, (uint64_t)got.tv_sec,
			   (uint64_t)got.tv_usec,
			   whole && (uint64_t)got.tv_sec ==
					    seconds_of((uint32_t)((uint64_t)got.tv_sec >> 32)));
	else
		count_narrow(t, "gettimeofday()", (uint32_t)got.tv_sec, (uint64_t)got.tv_usec,
			     whole);
}

static void read_time(struct thread *t)
{
	long got = with.time(NULL);

	if (sizeof(got) == 8)
		count_wide(t, "time()", &t->last, (uint64_t)got, 0,
			   (uint64_t)got == seconds_of((uint32_t)((uint64_t)got >> 32)));
	else
		count_narrow(t, "time()", (uint32_t)got, 0, true);
}

/* A copy by a reader that breaks a rule. */
static void read_spoiled(struct thread *t)
{
	const struct vdso_data *vd = with.data;
	const struct vdso_timestamp *base = &vd->basetime[VDSO_CLOCK_MONOTONIC];
	uint64_t sec, nsec;
	uint32_t seq = 0;

	if (with.spoil == ANY_COPY) {
		vd += t->reads % CS_BASES;
		base = &vd->basetime[VDSO_CLOCK_MONOTONIC_COARSE];
	}
	do {
		if (with.spoil != NO_COUNTER)
			seq = vdso_read_begin(vd);
		while (seq & 1 && with.spoil != ODD_IS_FINE) {
			arch_relax();
			seq = vdso_read_begin(vd);
		}
		if (with.spoil != ANY_COPY)
			arch_counter(); /* as the real ones, and no faster than these */
		nsec = read_once64(&base->nsec) >> (with.spoil != ANY_COPY ? LOAD_SHIFT : 0);
		sec = read_once64(&base->sec);
	} while (with.spoil != NO_COUNTER && with.spoil != NO_SECOND_LOOK &&
		 vdso_read_retry(vd, seq));
	count_wide(t, spoil_names[with.spoil], &t->last, sec, nsec, is_whole(sec, nsec));
}

static void read_all(struct thread *t)
{
	if (with.spoil) {
		read_spoiled(t);
		return;
	}
	read_wide(t, CLOCK_MONOTONIC_COARSE, "MONOTONIC_COARSE");
	read_wide(t, CLOCK_MONOTONIC, "MONOTONIC");
	if (with.time)
		read_time(t);
	read_wide(t, CLOCK_REALTIME_COARSE, "REALTIME_COARSE");
	if (with.timeofday)
		read_timeofday(t);
	read_wide(t, CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW");
	if (with.narrow) {
		read_narrow(t, CLOCK_REALTIME_COARSE, "the old REALTIME_COARSE");
		read_narrow(t, CLOCK_REALTIME, "the old REALTIME");
	}
}

/* One of the CPUs that we may have. */
static void pin(int which)
{
	cpu_set_t all, one;
	int cpu = 0;

	sched_getaffinity(0, sizeof(all), &all);
	which %= CPU_COUNT(&all);
	while (!CPU_ISSET(cpu, &all) || which-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static bool is_over(void)
{
	return __atomic_load_n(&with.control->stop, __ATOMIC_RELAXED);
}

static bool take_batch(void)
{
	uint32_t left = __atomic_load_n(&with.control->batches, __ATOMIC_RELAXED);

	while (left && !is_over())
		if (__atomic_compare_exchange_n(&with.control->batches, &left, left - 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* A spoiled one has proved what it is about with its first wrong answer. */
static void read_batch(struct thread *t)
{
	uint64_t end = t->reads + LOAD_BATCH;

	while (t->reads < end)
		read_all(t);
	__atomic_fetch_add(&t->batches, 1, __ATOMIC_RELAXED);
	if (with.spoil && (t->torn || t->back))
		__atomic_store_n(&with.control->stop, 1, __ATOMIC_RELAXED);
}

static void *read_batches(void *arg)
{
	static const struct timespec moment = {0, 100000};
	struct thread *t = arg;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid),
		    getpriority(PRIO_PROCESS, 0) + NICE);
	pin(t->cpu);
	__atomic_fetch_add(&with.control->ready, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&with.control->go, __ATOMIC_ACQUIRE))
		nanosleep(&moment, NULL);
	while (take_batch())
		read_batch(t);
	/* Where there is much else to do, one may have had its share while the writer slept. */
	for (uint64_t more = 10 * t->reads;
	     t->reads < more && t->updates < with.control->enough && !is_over();)
		read_batch(t);
	__atomic_store_n(&t->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static uint64_t cpu_ms(const struct thread *t)
{
	struct timespec ts = {0, 0};
	clockid_t clock;

	if (!pthread_getcpuclockid(t->id, &clock))
		syscall(SYS_clock_gettime, clock, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/*
 * Until each thread has ended or is stuck. A thread that does not run is not stuck, so what
 * counts is the CPU time since its last batch.
 */
static void watch(struct thread *threads, int nr)
{
	const struct timespec pause = {0, 2000000};
	uint64_t patience = with.spoil ? PATIENCE_SPOILED_MS : PATIENCE_MS;
	uint64_t since[MOST_THREADS] = {0};
	uint32_t done[MOST_THREADS] = {0};
	int left;

	do {
		nanosleep(&pause, NULL);
		left = 0;
		for (int i = 0; i < nr; i++) {
			struct thread *t = &threads[i];
			uint32_t batches = __atomic_load_n(&t->batches, __ATOMIC_RELAXED);

			if (__atomic_load_n(&t->ended, __ATOMIC_ACQUIRE) || t->stuck)
				continue;
			left++;
			if (batches != done[i] || !since[i])
				since[i] = cpu_ms(t);
			t->stuck = cpu_ms(t) - since[i] > patience;
			done[i] = batches;
		}
	} while (left);
}

/* Of one process that is stuck the others must not wait. */
static void print(const char *name, const struct thread *threads, int nr)
{
	struct thread all = {.updates = 0};
	uint64_t fewest = ~0ull;
	int stuck = 0;

	for (int i = 0; i < nr; i++) {
		const struct thread *t = &threads[i];

		all.reads += t->reads;
		all.torn += t->torn;
		all.back += t->back;
		all.kernel += t->kernel;
		all.updates += t->updates;
		fewest = t->updates < fewest ? t->updates : fewest;
		stuck += t->stuck;
		if (t->what && !with.spoil)
			diag("%s: %s: %llu.%09llu, of which the seconds are update %u; the "
			     "newest is %u",
			     name, t->what, (unsigned long long)t->sec,
			     (unsigned long long)t->nsec, update_of((uint32_t)t->sec), t->last);
	}
	printf("%s %llu %llu %llu %llu %llu %d %llu\n", name, (unsigned long long)all.reads,
	       (unsigned long long)all.updates, (unsigned long long)fewest,
	       (unsigned long long)all.torn, (unsigned long long)all.back, stuck,
	       (unsigned long long)all.kernel);
}

static void find_functions(const struct vdso_elf *elf)
{
	with.wide = vdso_elf_symbol(elf, VDSO_NAME("clock_gettime64"), VDSO_VERSION);
	with.narrow = vdso_elf_symbol(elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	with.time = vdso_elf_symbol(elf, VDSO_NAME("time"), VDSO_VERSION);
	with.timeofday = vdso_elf_symbol(elf, VDSO_NAME("gettimeofday"), VDSO_VERSION);
	if (!with.wide) {
		with.wide = (int (*)(clockid_t, struct wide *))with.narrow;
		with.narrow = NULL;
	}
}

int main(int argc, char **argv)
{
	static struct thread threads[MOST_THREADS];
	int nr = argc == 6 ? atoi(argv[4]) : 0, fd = argc == 6 ? atoi(argv[2]) : -1;
	struct vvar vvar = {.fd = fd, .readers = fd};
	struct image image = image_builtin();
	struct placement page;
	struct error error;
	struct vdso_elf elf;
	bool namespace;

	if (nr < 1 || nr > MOST_THREADS)
		bail_out("usage: reader NAME FD CONTROL THREADS HOW");
	with.control = mmap(NULL, sizeof(*with.control), PROT_READ | PROT_WRITE, MAP_SHARED,
			    atoi(argv[3]), 0);
	if (with.control == MAP_FAILED)
		bail_out("no control page");
	for (int i = 1; i < SPOILS; i++)
		if (!strcmp(argv[5], spoil_names[i]))
			with.spoil = (enum spoil)i;
	namespace = !strcmp(argv[5], "namespace");
	if (vdso_place(&image, &vvar, namespace, false, &page, &error))
		bail_out("no vDSO: %s", error.why);
	if (vdso_elf_open(&elf, (void *)page.ehdr, 0))
		bail_out("the vDSO cannot be read");
	find_functions(&elf);
	with.data = (const void *)page.start;
	for (int i = 0; i < nr; i++) {
		/* The writer has the first one. */
		threads[i].cpu = i + 1;
		if (pthread_create(&threads[i].id, NULL, read_batches, &threads[i]))
			bail_out("no thread");
	}
	watch(threads, nr);
	print(argv[1], threads, nr);
	return 0;
}
