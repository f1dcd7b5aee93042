/*
 * watch.c - uvdso watch: the data page, live.
 *
 * It boots a vDSO in this process, and reads its data page several times a second under
 * the sequence counter, as the vDSO's functions do. On a terminal each look replaces the
 * one before; elsewhere they follow each other.
 *
 * With --kernel it is the data page of the running kernel, which every process has, by the
 * table of layouts (kernel/foreign/layout.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vdso/seqcount.h>

#include "cli.h"
#include "kernel/base/page.h"
#include "kernel/base/wait.h"
#include "kernel/foreign/probe.h"
#include "kernel/foreign/mirror.h"
#include "kernel/image/identity.h"
#include "kernel/clock/wish.h"
#include "uvdso.h"

#define LOOKS_A_SECOND 4

/* How often to try for a consistent copy; an update takes far less than a microsecond. */
#define MAX_TRIES 100000

static const char *const clock_names[VDSO_BASES] = {
	[VDSO_CLOCK_REALTIME] = "REALTIME",
	[VDSO_CLOCK_MONOTONIC] = "MONOTONIC",
	[VDSO_CLOCK_MONOTONIC_RAW] = "MONOTONIC_RAW",
	[VDSO_CLOCK_REALTIME_COARSE] = "REALTIME_COARSE",
	[VDSO_CLOCK_MONOTONIC_COARSE] = "MONOTONIC_COARSE",
	[VDSO_CLOCK_BOOTTIME] = "BOOTTIME",
	[VDSO_CLOCK_TAI] = "TAI",
};

/* Copies one base; returns how often that took another try. */
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

static const char *mode_name(s32 mode, bool kernels)
{
	switch (mode) {
	case VDSO_CLOCKMODE_NONE:
		return "NONE: fine clocks by system call";
	case VDSO_CLOCKMODE_COUNTER:
		return kernels ? "the machine's counter" : "COUNTER";
	default:
		return kernels ? "another clock of the kernel's"
			       : "ABANDONED: its timekeeper has ended";
	}
}

/* What is looked at, and how. */
struct watched {
	const struct vdso_data *data;        /* ours, */
	const struct foreign_layout *layout; /* or the kernel's, */
	const void *page;                    /* in this page */
	const struct timens_offset *offset;  /* in a namespace, by clock id; or NULL */
};

static unsigned copy_page(const struct watched *watched, struct vdso_data base[CS_BASES])
{
	if (watched->layout)
		return mirror_read(watched->layout, watched->page, base);
	return copy_base(&watched->data[CS_HRES_COARSE], &base[CS_HRES_COARSE]) +
	       copy_base(&watched->data[CS_RAW], &base[CS_RAW]);
}

static void show(const struct watched *watched, unsigned look)
{
	static u32 seq_before;
	struct vdso_data base[CS_BASES];
	unsigned again = copy_page(watched, base);

	printf("seq          %10" PRIu32 "   %s%" PRIu32
	       " updates since the last look, %u retries\n",
	       base[0].seq,
	       look ? "" : "first look: ", look ? (base[0].seq - seq_before) / 2 : 0, again);
	seq_before = base[0].seq;
	printf("clock_mode   %10" PRId32 "   %s\n", base[0].clock_mode,
	       mode_name(base[0].clock_mode, watched->layout));
	printf("cycle_last   %20" PRIu64 "\n", base[0].cycle_last);
	if (!watched->layout || watched->layout->max_cycles)
		printf("max_cycles   %20" PRIu64 "\n", base[0].max_cycles);
	printf("mask         %#20" PRIx64 "\n", base[0].mask);
	for (int cs = 0; cs < CS_BASES; cs++)
		printf("mult, shift  %10" PRIu32 " %9" PRIu32 "   %s: %.6f ns a cycle\n",
		       base[cs].mult, base[cs].shift, cs == CS_RAW ? "raw" : "disciplined",
		       (double)base[cs].mult / (double)(1ull << (base[cs].shift & 63)));
	printf("basetime     %20s   %s\n", "sec", "nsec");
	for (int clock = 0; clock < VDSO_BASES; clock++) {
		const struct vdso_data *from = &base[clock == VDSO_CLOCK_MONOTONIC_RAW];
		bool coarse = VDSO_BIT(clock) & VDSO_COARSE;

		if (!clock_names[clock])
			continue;
		printf("  %-17s %13" PRIu64 "   %09" PRIu64 "%s", clock_names[clock],
		       from->basetime[clock].sec,
		       coarse ? from->basetime[clock].nsec
			      : from->basetime[clock].nsec >> (from->shift & 63),
		       coarse ? "" : " and a fraction");
		if (watched->offset)
			printf(", offset %" PRId64 " s", watched->offset[clock].sec);
		putchar('\n');
	}
	printf("tz_minuteswest %8" PRId32 "   tz_dsttime %" PRId32 "\n", base[0].tz_minuteswest,
	       base[0].tz_dsttime);
	printf("hrtimer_res    %8" PRIu32, base[0].hrtimer_res);
	if (!watched->layout)
		printf("   coarse_res %" PRIu32, base[0].coarse_res);
	putchar('\n');
}

static unsigned long times;

static void look(const struct watched *watched)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (unsigned long looks = 0; !times || looks < times; looks++) {
		if (looks)
			pause_ns(1000000000 / LOOKS_A_SECOND);
		if (looks && terminal)
			printf("\033[H\033[J");
		else if (terminal)
			printf("\033[2J\033[H");
		else if (looks)
			putchar('\n');
		show(watched, looks > 0);
		if (!flush_output())
			break; /* finish_output() will say why */
	}
}

static const char *set_times(const char *text, void *to)
{
	unsigned long *times = to;
	char *end;

	errno = 0;
	*times = strtoul(text, &end, 10);
	return errno || *end || !*times || *text == '-' ? "not a number of times" : NULL;
}

static struct clock_wish clocks;
static struct uvdso_options boot;
static bool kernels;

static const struct option_row options[] = {
	{'n', "times", "N", set_times, &times, "look N times and exit; else until ^C"},
	OPTION_OFFSET(&clocks),
	OPTION_COUNTER(&boot.counter),
	OPTION_NO_COUNTER(&boot.counter),
	{0, "kernel", NULL, set_flag, &kernels, "show the data page of the running kernel"},
	{0},
};

static int watch(int argc, char **argv);

const struct command command_watch = {
	.name = "watch",
	.summary = "show the data page of a vDSO, live",
	.operands = "",
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Boots a vDSO in this process, and shows its data page four times a second.\n"
		 "With --offset the offset of each clock is shown, too. With --kernel it is\n"
		 "the data page of the running kernel's vDSO, as far as its layout is known.\n",
	.ends = "  0    shown\n"
		"  2    wrong usage, or the vDSO cannot be booted\n",
	.run = watch,
};

static int look_at_ours(void)
{
	struct watched watched = {.data = NULL};
	const struct vdso_data *first;
	struct uvdso *vdso;
	char why[256];

	for (int clock = 0; clock < TIMENS_CLOCKS; clock++) {
		boot.offset[clock] = clocks.offset[clock] / NSEC_PER_SEC;
		if (clocks.offset[clock] % NSEC_PER_SEC) {
			complain("watch", "--offset: whole seconds only");
			return STATUS_USAGE;
		}
	}
	if (uvdso_boot(&vdso, &boot, why, sizeof(why))) {
		complain("watch", "%s", why);
		return STATUS_USAGE;
	}
	first = (const void *)((const char *)uvdso_ehdr(vdso) -
			       (VDSO_NR_DATA_PAGES - VDSO_TIME_PAGE) * VDSO_STRIDE);
	watched.data = first;
	/*
	 * In a namespace the page of the offsets comes first, then the data. Not by our
	 * options: this process may be shifted itself.
	 */
	if (read_once_s32(&first->clock_mode) == VDSO_CLOCKMODE_TIMENS) {
		watched.offset = first->offset;
		watched.data = (const void *)((const char *)first + VDSO_STRIDE);
	}
	look(&watched);
	uvdso_shutdown(vdso);
	return STATUS_OK;
}

static int look_at_kernels(void)
{
	static struct vdso_data offsets[CS_BASES];
	struct watched watched = {.data = NULL};
	struct error error = {0};
	struct image image;
	struct image_identity identity;
	const unsigned char *pages;

	image.bytes = kernel_image(&image.size);
	if (!image.bytes)
		return STATUS_USAGE;
	identity = image_identity(&image);
	if (identity.has_layout) {
		complain("watch",
			 "this process is not on the kernel's vDSO, but on one of uvdso");
		return STATUS_USAGE;
	}
	if (foreign_probe(&image, &watched.layout, &error)) {
		complain("watch", "%s", error.why);
		return STATUS_USAGE;
	}
	pages = image.bytes - (size_t)watched.layout->pages * page_size();
	watched.page = pages + (size_t)watched.layout->time * page_size();
	mirror_read(watched.layout, watched.page, offsets);
	if (offsets[CS_HRES_COARSE].clock_mode == VDSO_CLOCKMODE_TIMENS) {
		watched.offset = offsets[CS_HRES_COARSE].offset;
		watched.page = pages + (size_t)watched.layout->timens * page_size();
	}
	look(&watched);
	return STATUS_OK;
}

static int watch(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (!kernels)
		return look_at_ours();
	if (!clock_wish_is_none(&clocks) || boot.counter == UVDSO_COUNTER_NEVER) {
		complain("watch", "--kernel: the kernel's data page takes no --offset, and no "
				  "--counter=never");
		return STATUS_USAGE;
	}
	return look_at_kernels();
}
