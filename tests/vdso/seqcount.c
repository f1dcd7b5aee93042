/*
 * seqcount.c - a reader of the built vDSO never gets a mix of two updates.
 *
 * A writer at full speed publishes pairs that belong together (sec k, nsec k) while a
 * reader calls the vDSO's own clock_gettime() some million times on another CPU. A pair that
 * does not belong together is torn. load.t does so with readers of all kinds, and for as long
 * as you like; this one needs nothing but itself, and another machine runs it, too.
 *
 * What this can catch: a reader that does not look again, or ignores the odd number; a
 * writer that steps once; a compiler that moves an access across a fence. That it can is
 * shown first: the same loop without the sequence counter does find torn pairs. What it
 * cannot catch on x86 is a missing fence that only the processor would miss, since x86
 * keeps loads and stores in order by itself.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/map/place.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#define READS       ((unsigned long)rounds(rounds(8000000)))
#define HRES_READS  ((unsigned long)rounds(rounds(2000000)))
#define PLAIN_READS ((unsigned long)rounds(20000000))
#define SHIFT       20

static struct vdso_data *writable;
static atomic_bool stop;
static unsigned long updates;

static void publish(struct vdso_data *vd, u64 k)
{
	for (int cs = 0; cs < CS_BASES; cs++) {
		union vdso_head head = vdso_write_begin(&vd[cs]);

		for (int clock = 0; clock < VDSO_BASES; clock++) {
			bool fine = !(VDSO_BIT(clock) & VDSO_COARSE);

			write_once64(&vd[cs].basetime[clock].sec, k);
			write_once64(&vd[cs].basetime[clock].nsec, fine ? k << SHIFT : k);
		}
		vdso_write_end(&vd[cs], head, VDSO_CLOCKMODE_COUNTER);
	}
}

/* Reader and writer on CPUs of their own: on one they would take turns. */
static void pin(int which)
{
	cpu_set_t all, one;
	int cpu = -1;

	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE && which >= 0; i++)
		if (CPU_ISSET(i, &all) && which-- == 0)
			cpu = i;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void *writer(void *unused)
{
	(void)unused;
	pin(0);
	/* Small numbers: a reader that gave up has the real time, which is far larger. */
	for (u64 k = 1; !atomic_load_explicit(&stop, memory_order_relaxed); k++) {
		publish(writable, k % 1000000000);
		updates++;
	}
	return NULL;
}

struct tally {
	unsigned long torn, gave_up, changes;
	unsigned long sec, nsec; /* the first torn pair */
};

static void count(struct tally *tally, u64 *last, u64 sec, u64 nsec)
{
	if (sec != nsec) {
		if (sec > 1000000000) {
			tally->gave_up++;
			return;
		}
		if (!tally->torn++) {
			tally->sec = sec;
			tally->nsec = nsec;
		}
	}
	tally->changes += sec != *last;
	*last = sec;
}

int main(void)
{
	struct tally plain = {0}, coarse = {0}, fine = {0};
	int (*gettime)(clockid_t, struct timespec *);
	struct image image = image_builtin();
	struct placement page;
	struct error error;
	struct vdso_elf elf;
	struct timespec ts;
	struct vvar vvar;
	pthread_t thread;
	unsigned long reads;
	u64 last = 0;

	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (CPU_COUNT(&cpus) < 2) {
		puts("1..0 # SKIP needs two CPUs");
		return 0;
	}
	if (vvar_create(&vvar) || vvar_map_writable(&vvar))
		bail_out("no data page");
	writable = vvar.writable[0].data;
	for (int cs = 0; cs < CS_BASES; cs++) {
		writable[cs].clock_mode = VDSO_CLOCKMODE_COUNTER;
		writable[cs].mask = writable[cs].max_cycles = ~0ull;
		writable[cs].shift = SHIFT; /* mult 0: the base is the time */
	}
	publish(writable, 1);
	if (vvar_seal(&vvar) || vdso_place(&image, &vvar, false, false, &page, &error))
		bail_out("no vDSO: %s", error.why);
	if (vdso_elf_open(&elf, (void *)page.ehdr, 0))
		bail_out("the vDSO cannot be read");
	gettime = vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (!gettime)
		bail_out("no clock_gettime in the vDSO");
	if (pthread_create(&thread, NULL, writer, NULL))
		bail_out("no thread");

	pin(1);
	for (u64 i = 0; i < PLAIN_READS && plain.torn < 100; i++) {
		const struct vdso_data *vd = (const void *)page.start;
		u64 sec = read_once64(&vd->basetime[VDSO_CLOCK_REALTIME_COARSE].sec);
		u64 nsec = read_once64(&vd->basetime[VDSO_CLOCK_REALTIME_COARSE].nsec);

		count(&plain, &last, sec, nsec);
	}
	if (!cmp_ok(plain.torn, >, 0,
		    "without the sequence counter pairs are torn: this test can fail"))
		diag("%lu reads saw %lu updates and not one torn pair: the machine is too slow "
		     "or "
		     "too busy for this test to prove anything",
		     PLAIN_READS, plain.changes);

	/* On a busy machine the writer may sleep through them all: then as many again. */
	for (reads = 0; reads < READS || (coarse.changes < 1000 && reads < 100 * READS);
	     reads++) {
		gettime(CLOCK_REALTIME_COARSE, &ts);
		count(&coarse, &last, (u64)ts.tv_sec, (u64)ts.tv_nsec);
	}
	if (!is(coarse.torn, 0, "no torn pair in %lu reads of a coarse clock", READS))
		diag("the first one: sec of update %lu with nsec of update %lu", coarse.sec,
		     coarse.nsec);
	if (!cmp_ok(coarse.changes, >=, 1000, "the reader saw the writer at work"))
		diag("in %lu reads", reads);

	for (u64 i = 0; i < HRES_READS; i++) {
		gettime(CLOCK_REALTIME, &ts);
		count(&fine, &last, (u64)ts.tv_sec, (u64)ts.tv_nsec);
	}
	if (!is(fine.torn, 0, "no torn pair in %lu reads of a fine clock", HRES_READS))
		diag("the first one: sec of update %lu with nsec of update %lu", fine.sec,
		     fine.nsec);

	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	printf("# %lu updates; gave up: %lu coarse, %lu fine\n", updates, coarse.gave_up,
	       fine.gave_up);

	/* The writer is gone, in the middle of its work: nobody may wait for it. */
	vdso_write_begin(writable);
	memset(&ts, 0, sizeof(ts));
	ok(gettime(CLOCK_REALTIME, &ts) == 0 && ts.tv_sec > 1000000000,
	   "a number that stays odd hangs nobody: the reader of a fine clock asks the kernel");
	ok(gettime(CLOCK_REALTIME_COARSE, &ts) == 0 && ts.tv_sec <= 1000000000 &&
		   ts.tv_sec == ts.tv_nsec,
	   "... and that of a coarse clock takes the other copy");
	vdso_write_begin(writable + CS_RAW);
	ok(gettime(CLOCK_REALTIME_COARSE, &ts) == 0 && ts.tv_sec > 1000000000,
	   "two numbers that stay odd hang nobody either: he asks the kernel");
	publish(writable, 7);
	ok(!(atomic_load(&writable->seq) & 1) && gettime(CLOCK_REALTIME, &ts) == 0 &&
		   ts.tv_sec == ts.tv_nsec && gettime(CLOCK_REALTIME_COARSE, &ts) == 0 &&
		   ts.tv_sec == 7,
	   "the next writer repairs the numbers, and the vDSO answers again");

	vdso_unplace(&process_self, &page);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
