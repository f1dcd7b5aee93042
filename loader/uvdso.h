/*
 * uvdso.h - boot a page of your own inside this very process.
 *
 * For tests, for experiments, for your own programs: what `uvdso run` does for another
 * program, without replacing this one. The page is placed beside the kernel's vDSO, a
 * process of its own keeps the time on it, and you look functions up and call them:
 *
 *	struct uvdso *page;
 *	char why[256];
 *
 *	if (uvdso_boot(&page, NULL, why, sizeof(why)))
 *		errx(1, "%s", why);
 *	int (*gettime)(clockid_t, struct timespec *) =
 *		uvdso_symbol(page, "__vdso_clock_gettime", "LINUX_2.6");
 *	gettime(CLOCK_MONOTONIC, &ts);
 *	uvdso_shutdown(page);
 *
 * Link with build/libuvdso.a. The C library of this process knows nothing of the page and
 * goes on using the kernel's.
 */
#ifndef UVDSO_H
#define UVDSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct uvdso;

enum uvdso_clock {
	UVDSO_REALTIME,
	UVDSO_MONOTONIC,
	UVDSO_BOOTTIME,
	UVDSO_TAI,
	UVDSO_CLOCKS,
};

/* All zero is the default for each. */
struct uvdso_options {
	const char *image;            /* a file instead of the built-in image */
	bool unchecked;               /* place it even if it breaks a rule */
	bool no_counter;              /* as if there were no usable counter */
	int64_t offset[UVDSO_CLOCKS]; /* seconds to shift each clock by */
};

/*
 * Checks and places the page and starts its timekeeper, a child process. It ends when
 * this process and all that were forked from it have ended, or with uvdso_shutdown();
 * wait(2) for any child can meet it. options may be NULL. Takes some milliseconds, for
 * calibration, unless options->no_counter.
 *
 * Returns 0, or -errno with a sentence in why (of size bytes; never more): then nothing
 * is left behind. Not for signal handlers. A process may boot several pages.
 */
int uvdso_boot(struct uvdso **page, const struct uvdso_options *options, char *why,
	       size_t size);

/*
 * Ends the timekeeper and unmaps the page. No thread may be in it or call it any more.
 * NULL is allowed.
 */
void uvdso_shutdown(struct uvdso *page);

/*
 * The address of a function of the page, as a C library would find it: by name, and by
 * version if that is not NULL. NULL if there is none. From any thread; the page's
 * functions themselves may be called from any thread and from signal handlers.
 */
void *uvdso_symbol(const struct uvdso *page, const char *name, const char *version);

/* The address of the image's ELF header: what AT_SYSINFO_EHDR would say. */
const void *uvdso_ehdr(const struct uvdso *page);

/* The process that keeps the time. Stop it, kill it, and see what the page does. */
pid_t uvdso_timekeeper(const struct uvdso *page);

/* Why the page runs without a counter (mode NONE), or NULL if it has one. */
const char *uvdso_why_no_counter(const struct uvdso *page);

#endif
