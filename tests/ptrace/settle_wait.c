/*
 * settle_wait.c - a process that has set the clock is held until the data page says so, but not
 * for ever.
 *
 * The clock of this machine is not touched: the data page is one of the test's own, which says
 * another time, until a thread puts it right.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <vdso/once.h>

#include "kernel/base/memfd.h"
#include "kernel/map/vvar.h"
#include "kernel/ptrace/settle.h"
#include "tap.h"

/* On a busy machine the thread may come later than anybody waits. */
#define TRIES 20

static int file;
static struct vdso_data *page;
static _Atomic(bool) published;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void set(int clock, int64_t ns)
{
	write_once64(&page->basetime[clock].sec, (u64)(ns / 1000000000));
	write_once64(&page->basetime[clock].nsec, (u64)(ns % 1000000000));
}

/* What the kernel says, but for so many seconds of REALTIME and minutes of the zone. */
static void say(int64_t seconds, s32 minutes)
{
	struct timezone zone = {0, 0};

	syscall(SYS_gettimeofday, NULL, &zone);
	set(VDSO_CLOCK_MONOTONIC_COARSE, clock_ns(CLOCK_MONOTONIC));
	set(VDSO_CLOCK_REALTIME_COARSE, clock_ns(CLOCK_REALTIME) + seconds * 1000000000);
	write_once_s32(&page->tz_minuteswest, zone.tz_minuteswest + minutes);
	write_once_s32(&page->tz_dsttime, zone.tz_dsttime);
}

static void *publish(void *unused)
{
	const struct timespec late = {0, 3000000};

	nanosleep(&late, NULL);
	atomic_store(&published, true);
	say(0, 0);
	return unused;
}

static int64_t wait_ns(void)
{
	int64_t begin = clock_ns(CLOCK_MONOTONIC);

	settle_wait(file);
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static void until_it_is_said(int64_t seconds, s32 minutes, const char *what)
{
	int held = 0;

	for (int i = 0; i < TRIES && !held; i++) {
		pthread_t thread;

		say(seconds, minutes);
		atomic_store(&published, false);
		if (pthread_create(&thread, NULL, publish, NULL))
			bail_out("no thread");
		settle_wait(file);
		held += atomic_load(&published);
		pthread_join(thread, NULL);
	}
	ok(held, "%s: held until it is published", what);
}

static int64_t least(bool abandoned)
{
	int64_t shortest = INT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		int64_t ns;

		say(abandoned ? 10 : 0, 0);
		if (abandoned) {
			page->clock_mode = VDSO_CLOCKMODE_ABANDONED;
			atomic_store(&page->seq, 1);
		}
		ns = wait_ns();
		shortest = ns < shortest ? ns : shortest;
	}
	return shortest;
}

int main(void)
{
	size_t size = VDSO_NR_DATA_PAGES * VDSO_STRIDE;
	union vdso_data_store *store;
	int64_t never;

	file = memfd_sealable("vvar", (off_t)size, MEMFD_DATA);
	if (file < 0)
		bail_out("no data page");
	store = mmap(NULL, sizeof(*store), PROT_READ | PROT_WRITE, MAP_SHARED, file,
		     VVAR_FILE_TIME);
	if (store == MAP_FAILED)
		bail_out("no data page");
	page = store->data;
	alarm(60);

	until_it_is_said(10, 0, "a step of REALTIME");
	until_it_is_said(-10, 0, "one back");
	until_it_is_said(0, 60, "another time zone");

	say(10, 0);
	never = wait_ns();
	ok(true, "a page that never says it is not waited for for ever");
	cmp_ok(least(false), <, never / 2, "and one that says it already is hardly waited for");
	cmp_ok(least(true), <, never / 2, "nor one that nobody keeps");
	return done_testing();
}
