/*
 * timens.c - our time namespace beside the kernel's own: same offsets, same answers.
 *
 * The vDSO is booted with offsets in this process. Then a child enters a time namespace
 * of the kernel's (time_namespaces(7)) with the same offsets, and holds the vDSO's answers
 * between two system calls, which the kernel now shifts. The timekeeper stays outside.
 *
 * While the timekeeper has lost its CPU for long the vDSO asks the kernel and adds its offsets.
 * In this child, of which the timekeeper does not know, such an answer is shifted twice,
 * exactly.
 *
 * A process that has made the namespace for its children alone stays outside of it. Its
 * attendants are its children, and their clocks must still be its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/time/timeline.h"
#include "kernel/map/timens.h"
#include "libc/vdso_names.h"
#include "tap.h"
#include "uvdso.h"

#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x80
#endif

#define ROUNDS   rounds(300000)
#define MONO_SEC 172800
#define BOOT_SEC 259200

static int (*gettime)(clockid_t, struct timespec *);
static const char *no_counter; /* why there is none */

static int64_t ns(struct timespec ts)
{
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t kernel(clockid_t id)
{
	struct timespec ts = {0, 0};

	syscall(SYS_clock_gettime, id, &ts);
	return ns(ts);
}

static int64_t ours(clockid_t id)
{
	struct timespec ts = {0, 0};

	gettime(id, &ts);
	return ns(ts);
}

static void check(clockid_t id, int64_t ahead_sec, const char *name)
{
	int64_t before = kernel(id), worst = 0;
	int outside = 0, asked = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t here = ours(id), after = kernel(id), twice = ahead_sec * 1000000000;

		if (twice && here - twice >= before && here - twice <= after) {
			here -= twice;
			asked++;
		}
		outside += here < before || here > after;
		if (here < before || here > after)
			worst = here < before ? here - before : here - after;
		before = after;
	}
	if (!is(outside, 0, "%s is between two answers of the kernel's", name))
		diag("of %ld times, by %lld ns at worst", ROUNDS, (long long)worst);
	cmp_ok(asked, <, ROUNDS, "  read from the data page, not only asked of the kernel");
}

/* Ours ticks with our timekeeper, the kernel's with its tick: both lag behind the fine one. */
static void check_coarse(int64_t ahead_sec, const char *name)
{
	int ahead = 0, late = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t here = ours(CLOCK_MONOTONIC_COARSE), fine = kernel(CLOCK_MONOTONIC);

		if (here > fine)
			here -= ahead_sec * 1000000000ll;
		ahead += here > fine;
		late += fine - here > 10 * TIMELINE_PERIOD_NS;
	}
	/* A busy machine's timekeeper is late now and then; a wrong offset is wrong each time.
	 */
	if (!ok(!ahead && late <= ROUNDS / 10, "%s", name))
		diag("of %ld looks %d were ahead, and %d late", ROUNDS, ahead, late);
}

/* In the parent: the children's time namespace. Returns false with errno. */
static bool prepare_namespace(void)
{
	char text[96];
	int fd, length;
	bool written;

	if (unshare(CLONE_NEWTIME) && unshare(CLONE_NEWUSER | CLONE_NEWTIME))
		return false;
	length = snprintf(text, sizeof(text), "monotonic %d 0\nboottime %d 0\n", MONO_SEC,
			  BOOT_SEC);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, (size_t)length) == length;
	close(fd);
	return written;
}

/* Returns false if there can be no namespace. */
static bool beside_the_kernel(void)
{
	struct uvdso_options options = {
		.offset = {[UVDSO_MONOTONIC] = MONO_SEC, [UVDSO_BOOTTIME] = BOOT_SEC}};
	int64_t outside = kernel(CLOCK_MONOTONIC);
	struct uvdso *page;
	char why[256];
	pid_t child;
	int status;

	if (uvdso_boot(&page, &options, why, sizeof(why)))
		bail_out("%s", why);
	gettime = uvdso_symbol(page, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	no_counter = uvdso_why_no_counter(page);
	if (!prepare_namespace()) {
		skip(13 + 1, "no time namespace can be made here");
		uvdso_shutdown(page);
		return false;
	}
	if (no_counter) {
		skip(13,
		     "without a counter the vDSO asks the kernel, which shifts by itself here");
		uvdso_shutdown(page);
		return true;
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		cmp_ok(kernel(CLOCK_MONOTONIC) - outside, >, MONO_SEC * 1000000000ll,
		       "control: the kernel's own answers are shifted in this child");
		check(CLOCK_MONOTONIC, MONO_SEC, "MONOTONIC of our namespace");
		check(CLOCK_MONOTONIC_RAW, MONO_SEC, "MONOTONIC_RAW of our namespace");
		check_coarse(
			MONO_SEC,
			"MONOTONIC_COARSE of our namespace goes with the kernel's MONOTONIC");
		check(CLOCK_BOOTTIME, BOOT_SEC, "BOOTTIME of our namespace");
		check(CLOCK_REALTIME, 0, "REALTIME, which neither shifts,");
		check(CLOCK_TAI, 0, "TAI, which neither shifts,");
		fflush(stdout);
		_exit(tap_failed);
	}
	waitpid(child, &status, 0);
	tap_run += 12; /* the child's */
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child has passed all of them");
	uvdso_shutdown(page);
	return true;
}

static void after_unshare(void)
{
	struct uvdso *page;
	char why[256];
	int err = uvdso_boot(&page, NULL, why, sizeof(why));

	/* EUSERS: of a thread that is not alone, which an emulator has in each process. */
	if (err == -EPERM || err == -EUSERS) {
		ok(strstr(why, "time namespace: setns(2)"),
		   "without the rights to go back there is no vDSO, and the call is named");
		return;
	}
	if (err)
		bail_out("%s", why);
	gettime = uvdso_symbol(page, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	check(CLOCK_MONOTONIC, 0, "MONOTONIC of a process whose children are in a namespace");
	check(CLOCK_BOOTTIME, 0, "BOOTTIME of it");
	check_coarse(0, "MONOTONIC_COARSE of it goes with the kernel's MONOTONIC");
	is(uvdso_why_no_counter(page), no_counter, "it has a counter, if it had one before");
	uvdso_shutdown(page);
}

static bool parses(const char *text, enum timens_clock clock, double seconds)
{
	struct clock_wish wish = {.has_rate = false};

	return !clock_wish_offset(text, &wish) && wish.has_offset[clock] &&
	       wish.offset[clock] == (s64)(seconds * 1e9);
}

static void texts(void)
{
	static const char *const bad[] = {"",
					  "=",
					  "realtime",
					  "realtime=",
					  "realtime=5",
					  "realtime=3600",
					  "realtime=3600s",
					  "realtime=+",
					  "realtime=-",
					  "realtime=+-5",
					  "realtime=+ 5",
					  "realtime=+5x",
					  "realtime=+5dd",
					  "realtime=+5.",
					  "realtime=+.5",
					  "realtime=+5,5",
					  "realtime=+1.5.5",
					  "Realtime=+5",
					  "real=+5",
					  "realtime2=+5",
					  "=+5",
					  "boottime_alarm=+5",
					  "realtime=+99999999999999999999",
					  "realtime=+9999999999999d",
					  "realtime=-9223372036854775808",
					  "tai=+9223372036854775807d"};
	struct clock_wish wish = {.has_rate = false};
	struct clock_now now;
	int accepted = 0;

	ok(parses("realtime=+5", TIMENS_REALTIME, 5) &&
		   parses("monotonic=-5s", TIMENS_MONOTONIC, -5) &&
		   parses("boottime=+2m", TIMENS_BOOTTIME, 120) &&
		   parses("tai=-3h", TIMENS_TAI, -10800) &&
		   parses("realtime=+1000d", TIMENS_REALTIME, 86400000) &&
		   parses("realtime=-0", TIMENS_REALTIME, 0) &&
		   parses("tai=-1.5s", TIMENS_TAI, -1.5) &&
		   parses("boottime=+0.25m", TIMENS_BOOTTIME, 15),
	   "clock, sign, number and unit are read");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (clock_wish_offset(bad[i], &wish) == NULL && ++accepted)
			diag("accepted: '%s'", bad[i]);
	ok(!accepted, "%zu malformed offsets are refused", sizeof(bad) / sizeof(bad[0]));
	timens_now(&now);
	for (int i = 0; i < TIMENS_CLOCKS; i++) {
		struct clock_wish shift = {.has_rate = false};

		shift.offset[i] = -kernel(CLOCK_TAI) - 100000000000;
		ok(clock_wish_check(&shift, &now), "%s would be negative: refused",
		   timens_clock_name[i]);
		shift.offset[i] = INT64_MAX;
		ok(clock_wish_check(&shift, &now), "%s would overflow: refused",
		   timens_clock_name[i]);
		shift.offset[i] = 1000 * 86400 * 1000000000ll;
		ok(!clock_wish_check(&shift, &now), "%s in a thousand days: allowed",
		   timens_clock_name[i]);
	}
}

int main(void)
{
	texts();
	if (beside_the_kernel())
		after_unshare();
	return done_testing();
}
