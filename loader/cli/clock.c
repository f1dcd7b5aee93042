/*
 * clock.c - uvdso clock: the clocks of a tree of processes that `uvdso run` follows, shown or
 * changed while it runs.
 *
 * The tracer of the tree keeps them. The kernel says who that is, and its command line says
 * where it takes requests (kernel/clock/desk.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "kernel/base/maps.h"
#include "kernel/base/proc.h"
#include "kernel/clock/desk.h"
#include "kernel/clock/request.h"

#define SECOND_NS 1000000000ll

static struct clock_request request = {.version = CLOCK_REQUEST_VERSION};

static const struct option_row options[] = {
	OPTIONS_CLOCK(&request.wish),
	{0},
};

static int run(int argc, char **argv);

const struct command command_clock = {
	.name = "clock",
	.summary = "show or change the clocks of programs that run",
	.operands = "PID",
	.first = "PID",
	.min = 1,
	.max = 1,
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Shows the clocks of process PID, which `uvdso run` has started with changed\n"
		 "clocks. All processes of its tree have the same ones, and an option changes\n"
		 "them for all at once. A wait until some time then ends when the new clock\n"
		 "shows it. A wait or a timer for a length of time that is already under way\n"
		 "keeps its pace. Words of --at, like '+1 day', count from the clock of this\n"
		 "command, not from that of the tree.\n",
	.notes =
		"An offset counts from the machine's clock. --rate and --freeze begin where\n"
		"the clock is now: it jumps only by --at and --offset. Without --rate-all "
		"they\n"
		"are about REALTIME and TAI alone: in a tree that was started with --rate-all\n"
		"the other clocks, sleeps and timeouts keep the rate that they have.\n",
	.ends = "  0    shown, or changed\n"
		"  2    not done, or wrong usage\n",
	.run = run,
};

/* "uvdso-follow of 123 @00a3f": the name of its desk, or NULL. */
static const char *desk_of(pid_t tracer)
{
	static char text[256];
	ssize_t got = proc_text(tracer, "cmdline", text, sizeof(text));
	const char *at =
		got > 0 && !strncmp(text, "uvdso-follow ", 13) ? strchr(text, '@') : NULL;

	return at && strlen(at) < DESK_NAME_MAX ? at : NULL;
}

static int fail(pid_t pid, const char *why, const char *more)
{
	char what[32];

	snprintf(what, sizeof(what), "process %d", pid);
	complain("clock", "%s: %s%s", what, why, more);
	return STATUS_USAGE;
}

/* No tracer has its clocks. */
static int not_followed(pid_t pid)
{
	uintptr_t image;

	if (!maps_image(pid, &image) && image)
		return fail(pid, "nothing follows its clocks",
			    ", so they can be neither shown nor changed: `uvdso run` started "
			    "it with --no-follow or --exec=hand, or changed no clock");
	return fail(pid, "its clocks are not uvdso's to change",
		    ": `uvdso run` follows programs that it starts with --at, --rate, "
		    "--freeze or --offset");
}

static int ask(pid_t pid, struct clock_reply *reply)
{
	pid_t tracer = proc_tracer(pid);
	const char *desk;
	int err;

	if (tracer < 0)
		return fail(pid, tracer == -ENOENT ? "there is none" : strerror(-tracer), "");
	desk = tracer ? desk_of(tracer) : NULL;
	if (!desk)
		return not_followed(pid);
	err = desk_ask(tracer, desk, &request, sizeof(request), reply, sizeof(*reply));
	if (err == -ECONNREFUSED)
		return fail(pid, "uvdso-follow does not listen",
			    "; it does so in its own network namespace");
	if (err)
		return fail(pid, "uvdso-follow does not answer: ", strerror(-err));
	/* The tracer may be any program that gives itself this name. */
	reply->why[sizeof(reply->why) - 1] = 0;
	for (int i = 0; i < TIMENS_CLOCKS; i++)
		if (reply->clocks.map[i].rate > CLOCK_RATE_MAX)
			return fail(pid, "uvdso-follow does not answer: ", strerror(EPROTO));
	if (reply->version != CLOCK_REQUEST_VERSION)
		return fail(pid, "it was started by another release of uvdso", "");
	return reply->err ? fail(pid, reply->why, "") : STATUS_OK;
}

/* "+1.500000000", always with nine digits. */
static void print_seconds(s64 ns, bool sign)
{
	u64 size = ns < 0 ? -(u64)ns : (u64)ns;

	printf("%s%llu.%09llu",
	       ns < 0 ? "-"
	       : sign ? "+"
		      : "",
	       (unsigned long long)(size / SECOND_NS), (unsigned long long)(size % SECOND_NS));
}

/* As date(1) writes it, in the local time of the user who reads it. */
static void print_date(s64 ns)
{
	time_t seconds = (time_t)(ns / SECOND_NS);
	struct tm tm;
	char text[64];

	if (localtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		printf("%s.%03d", text, (int)(ns % SECOND_NS / 1000000));
	if (strftime(text, sizeof(text), " %Z", &tm))
		fputs(text, stdout);
}

static void show(const struct clock_reply *reply)
{
	for (int i = 0; i < TIMENS_CLOCKS; i++) {
		const struct clock_map *map = &reply->clocks.map[i];
		s64 shown = clock_map_shown(map, reply->now.ns[i]);

		printf("%-10s ", timens_clock_name[i]);
		print_seconds(shown, false);
		fputs("  ", stdout);
		print_seconds(shown - reply->now.ns[i], true);
		if (map->rate)
			printf("  rate %.9g", (double)map->rate / (double)CLOCK_RATE_ONE);
		else
			fputs("  stands still", stdout);
		if (i == TIMENS_REALTIME) {
			fputs("  ", stdout);
			print_date(shown);
		}
		putchar('\n');
	}
}

static int run(int argc, char **argv)
{
	static struct clock_reply reply;
	char *end;
	long pid = strtol(argv[0], &end, 10);
	int status;

	(void)argc;
	if (*end || pid <= 0 || pid > INT32_MAX)
		return refuse(&command_clock, argv[0], "no process id");
	status = check_clocks(&command_clock, &request.wish);
	if (status)
		return status;
	status = ask((pid_t)pid, &reply);
	if (status == STATUS_OK && clock_wish_says_nothing(&request.wish))
		show(&reply);
	return status;
}
