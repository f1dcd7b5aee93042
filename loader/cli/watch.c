/*
 * watch.c - uvdso watch: the data page, live.
 *
 * It boots a page in this process and looks at its data as a function of the page does,
 * under the sequence counter, several times a second. On a terminal the picture stays in
 * its place; elsewhere one follows the other.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "cli.h"
#include "kernel/map/timens.h"
#include "uvdso.h"

#define LOOKS_A_SECOND 4

/* How often to try for a copy of one piece; an update takes far less than a microsecond. */
#define MAX_TRIES 100000

enum { OPT_OFFSET = 256, OPT_NO_COUNTER, OPT_HELP };

static const char *const clock_names[VDSO_BASES] = {
	[VDSO_CLOCK_REALTIME] = "REALTIME",
	[VDSO_CLOCK_MONOTONIC] = "MONOTONIC",
	[VDSO_CLOCK_MONOTONIC_RAW] = "MONOTONIC_RAW",
	[VDSO_CLOCK_REALTIME_COARSE] = "REALTIME_COARSE",
	[VDSO_CLOCK_MONOTONIC_COARSE] = "MONOTONIC_COARSE",
	[VDSO_CLOCK_BOOTTIME] = "BOOTTIME",
	[VDSO_CLOCK_TAI] = "TAI",
};

/* A copy of one piece, and how often it took a second try. */
static unsigned copy_base(const struct vdso_data *from, struct vdso_data *to)
{
	unsigned tries = 0;
	u32 seq;

	do {
		seq = vdso_read_begin(from);
		memcpy(to, from, sizeof(*to));
	} while (((seq & 1) || vdso_read_retry(from, seq)) && tries++ < MAX_TRIES);
	return tries;
}

static const char *mode_name(s32 mode)
{
	return mode == VDSO_CLOCKMODE_NONE      ? "NONE: fine clocks by system call"
	       : mode == VDSO_CLOCKMODE_COUNTER ? "COUNTER"
						: "ABANDONED: nobody keeps it";
}

static void show(const struct vdso_data *page, bool namespace, unsigned look)
{
	/* In a namespace the page of offsets comes first, and the data is behind it. */
	const struct vdso_data *data =
		namespace ? (const void *)((const char *)page + VDSO_PAGE_SIZE) : page;
	static u32 seq_before;
	struct vdso_data base[CS_BASES];
	unsigned again = copy_base(&data[CS_HRES_COARSE], &base[CS_HRES_COARSE]);

	again += copy_base(&data[CS_RAW], &base[CS_RAW]);
	printf("seq          %10" PRIu32 "   %s%" PRIu32
	       " updates since the last look, %u retries\n",
	       base[0].seq,
	       look ? "" : "first look: ", look ? (base[0].seq - seq_before) / 2 : 0, again);
	seq_before = base[0].seq;
	printf("clock_mode   %10" PRId32 "   %s\n", base[0].clock_mode,
	       mode_name(base[0].clock_mode));
	printf("cycle_last   %20" PRIu64 "\n", base[0].cycle_last);
	printf("max_cycles   %20" PRIu64 "\n", base[0].max_cycles);
	printf("mask         %#20" PRIx64 "\n", base[0].mask);
	for (int cs = 0; cs < CS_BASES; cs++)
		printf("mult, shift  %10" PRIu32 " %9" PRIu32 "   %s: %.6f ns a cycle\n",
		       base[cs].mult, base[cs].shift, cs == CS_RAW ? "raw" : "disciplined",
		       (double)base[cs].mult / (double)(1ull << base[cs].shift));
	printf("basetime     %20s   %s\n", "sec", "nsec");
	for (int clock = 0; clock < VDSO_BASES; clock++) {
		const struct vdso_data *from = &base[clock == VDSO_CLOCK_MONOTONIC_RAW];
		bool coarse = VDSO_BIT(clock) & VDSO_COARSE;

		if (!clock_names[clock])
			continue;
		printf("  %-17s %13" PRIu64 "   %09" PRIu64 "%s", clock_names[clock],
		       from->basetime[clock].sec,
		       coarse ? from->basetime[clock].nsec
			      : from->basetime[clock].nsec >> from->shift,
		       coarse ? "" : " and a fraction");
		if (namespace)
			printf(", offset %" PRId64 " s", page->offset[clock].sec);
		putchar('\n');
	}
	printf("tz_minuteswest %8" PRId32 "   tz_dsttime %" PRId32 "\n", base[0].tz_minuteswest,
	       base[0].tz_dsttime);
	printf("hrtimer_res    %8" PRIu32 "   coarse_res %" PRIu32 "\n", base[0].hrtimer_res,
	       base[0].coarse_res);
}

static int watch(const struct uvdso *page, bool namespace, unsigned long times)
{
	const struct vdso_data *data =
		(const void *)((const char *)uvdso_ehdr(page) -
			       (VDSO_NR_DATA_PAGES - VDSO_TIME_PAGE) * VDSO_PAGE_SIZE);
	struct timespec pause = {0, 1000000000 / LOOKS_A_SECOND};
	bool terminal = isatty(STDOUT_FILENO);

	for (unsigned long look = 0; !times || look < times; look++) {
		if (look)
			nanosleep(&pause, NULL);
		if (look && terminal)
			printf("\033[H\033[J");
		else if (terminal)
			printf("\033[2J\033[H");
		else if (look)
			putchar('\n');
		show(data, namespace, look > 0);
		if (fflush(stdout) || ferror(stdout)) {
			complain("standard output", "%s", strerror(errno));
			return STATUS_USAGE;
		}
	}
	return STATUS_OK;
}

static void help(void)
{
	fputs("uvdso watch [-n TIMES] [--offset CLOCK=+N[smhd]]... [--no-counter]\n\n"
	      "Boots a page and shows its data page, four times a second, until ^C.\n\n"
	      "  -n TIMES     so many looks, and then end\n"
	      "  --offset     as in `uvdso run`: the page of offsets is shown, too\n"
	      "  --no-counter as in `uvdso run`\n\n"
	      "Status: 0, 2 wrong usage, 125 there is no page.\n",
	      stdout);
}

int cmd_watch(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"offset", required_argument, NULL, OPT_OFFSET},
		{"no-counter", no_argument, NULL, OPT_NO_COUNTER},
		{"help", no_argument, NULL, OPT_HELP},
		{NULL, 0, NULL, 0},
	};
	struct uvdso_options options = {.no_counter = false};
	struct timens timens = {{0}};
	unsigned long times = 0;
	struct uvdso *page;
	char why[256], *end;
	const char *wrong;
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":n:", long_options, NULL)) != -1) {
		switch (option) {
		case 'n':
			errno = 0;
			times = strtoul(optarg, &end, 10);
			if (errno || *end || !times || *optarg == '-') {
				complain("-n", "'%s': not a number of times", optarg);
				return STATUS_USAGE;
			}
			break;
		case OPT_OFFSET:
			wrong = timens_parse(optarg, &timens);
			if (wrong) {
				complain("--offset", "'%s': %s", optarg, wrong);
				return STATUS_USAGE;
			}
			break;
		case OPT_NO_COUNTER:
			options.no_counter = true;
			break;
		case OPT_HELP:
			help();
			return STATUS_OK;
		default:
			complain("watch", "%s: %s; see `uvdso watch --help`", argv[optind - 1],
				 option == ':' ? "needs an argument" : "no such option");
			return STATUS_USAGE;
		}
	}
	if (optind < argc) {
		complain("watch", "%s: not expected; see `uvdso watch --help`", argv[optind]);
		return STATUS_USAGE;
	}
	for (int clock = 0; clock < TIMENS_CLOCKS; clock++)
		options.offset[clock] = timens.seconds[clock];
	if (uvdso_boot(&page, &options, why, sizeof(why))) {
		complain("watch", "%s", why);
		return STATUS_SELF;
	}
	status = watch(page, !timens_is_empty(&timens), times);
	uvdso_shutdown(page);
	return status;
}
