/*
 * keeper.c - timekeeper and watchdog, from their start to their end, as keep/keeper.h has it.
 *
 * owner.t sees them beside programs. Here their owner looks at the data pages, so that what
 * each of the two does is seen at once.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "kernel/base/newer.h"
#include "kernel/base/wait.h"
#include "kernel/keep/keeper.h"
#include "tap.h"

/* What is due in milliseconds. */
#define TURNS 10000
#define TURN  1000000

static const union vdso_data_store *pages;

static bool is_abandoned(void)
{
	union vdso_head head = {
		.word = *(const volatile u64 *)&pages[VDSO_TIME_PAGE].data[CS_HRES_COARSE],
	};

	return head.seq & 1 && head.clock_mode == VDSO_CLOCKMODE_ABANDONED;
}

static bool is_random(void)
{
	return __atomic_load_n(&pages[VDSO_RNG_PAGE].rng.is_ready, __ATOMIC_RELAXED);
}

static bool is_kept(void)
{
	static u32 seen;
	u32 now = atomic_load(&pages[VDSO_TIME_PAGE].data[CS_HRES_COARSE].seq);
	bool goes_on = now != seen && !(now & 1);

	seen = now;
	return goes_on && !is_abandoned() && is_random();
}

static bool is_given_up(void)
{
	return is_abandoned() && !is_random();
}

static bool until(bool (*is_so)(void))
{
	for (int turn = 0; turn < TURNS; turn++) {
		if (is_so())
			return true;
		pause_ns(TURN);
	}
	return false;
}

static struct keeper start(void)
{
	struct keeper keeper = KEEPER_NONE;
	struct error error = {0};

	if (vvar_create(&keeper.vvar))
		bail_out("no data pages");
	pages = mmap(NULL, VDSO_NR_DATA_PAGES * sizeof(*pages), PROT_READ, MAP_SHARED,
		     keeper.vvar.fd, 0);
	if (pages == MAP_FAILED)
		bail_out("no data pages");
	if (keeper_start(&keeper, &error) || keeper_ready(&keeper, &error))
		bail_out("%s: %s", error.what, error.why);
	return keeper;
}

static bool lives(pid_t pid)
{
	return pid > 0 && !kill(pid, 0);
}

static void end(struct keeper *keeper)
{
	keeper_end(keeper);
	munmap((void *)pages, VDSO_NR_DATA_PAGES * sizeof(*pages));
}

static void stopped_and_ended(void)
{
	struct keeper keeper = start();
	pid_t timekeeper = keeper.timekeeper.pid, watchdog = keeper.watchdog.pid;
	struct rlimit cpu = {0, 0};

	ok(lives(timekeeper) && lives(watchdog), "there are a timekeeper and a watchdog");
	ok(until(is_kept), "the data page is written again and again");
	prlimit(timekeeper, RLIMIT_CPU, NULL, &cpu);
	is(cpu.rlim_cur, cpu.rlim_max, "the owner's limit of CPU time is not theirs");
	ok(fcntl(keeper.vvar.fd, F_GET_SEALS) & F_SEAL_FUTURE_WRITE,
	   "nobody can map the data pages writable");
	kill(timekeeper, SIGSTOP);
	ok(until(is_given_up), "when the timekeeper is stopped, the watchdog abandons it");
	kill(timekeeper, SIGCONT);
	ok(until(is_kept), "... until it goes on");
	end(&keeper);
	ok(!lives(timekeeper) && !lives(watchdog), "at the end both are gone");
}

static void killed(void)
{
	struct keeper keeper = start();
	pid_t watchdog = keeper.watchdog.pid;

	kill(keeper.timekeeper.pid, SIGKILL);
	ok(until(is_given_up), "when the timekeeper is killed, the data page is abandoned");
	attendant_wait(&keeper.watchdog, 10000);
	ok(keeper.watchdog.pid < 0 && !lives(watchdog),
	   "... and the watchdog ends, since there are readers still");
	end(&keeper);
}

/* Before Linux 5.3 it has no way to see the end of the owner. */
static bool has_pidfds(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* To become another program is all that makes readers few, while their owner lives. */
static void not_used(void)
{
	struct keeper keeper = start();

	if (!keeper.vvar.counted) {
		skip(4, "readers cannot be counted here");
		end(&keeper);
		return;
	}
	/* Longer than until the timekeeper looks for them. */
	pause_ns(400ul * TURN);
	ok(until(is_kept), "while there are readers the time is kept");
	vvar_close_readers(&keeper.vvar);
	ok(until(is_given_up), "when nobody has the data pages any more it is not");
	attendant_wait(&keeper.timekeeper, 100);
	attendant_wait(&keeper.watchdog, 100);
	ok(lives(keeper.timekeeper.pid) && lives(keeper.watchdog.pid),
	   "... and none of them ends, which the owner would see");
	kill(keeper.timekeeper.pid, SIGKILL);
	attendant_wait(&keeper.watchdog, 200);
	ok(!has_pidfds() || lives(keeper.watchdog.pid),
	   "... nor the watchdog of one that is killed then");
	end(&keeper);
}

int main(void)
{
	struct rlimit limit;

	alarm(120);
	if (!getrlimit(RLIMIT_CPU, &limit)) {
		limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? 100 : limit.rlim_max - 1;
		setrlimit(RLIMIT_CPU, &limit);
	}
	stopped_and_ended();
	killed();
	not_used();
	return done_testing();
}
