/*
 * uvdso.h - libuvdso: boot a vDSO of your own inside this process.
 *
 * For tests, for experiments, for your own programs. It does what `uvdso run` does for
 * another program, without replacing this one: image and data pages are mapped beside the
 * kernel's vDSO, a process of its own keeps the time on the data pages, and you look functions
 * up and call them.
 *
 *	struct uvdso *vdso;
 *	char why[256];
 *
 *	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
 *		errx(1, "%s", why);
 *	int (*gettime)(clockid_t, struct timespec *) =
 *		uvdso_symbol(vdso, "__vdso_clock_gettime", "LINUX_2.6");
 *	gettime(CLOCK_MONOTONIC, &ts);
 *	uvdso_shutdown(vdso);
 *
 * Build with `cc clock.c $(pkg-config --cflags --libs libuvdso)`. The C library of this
 * process is not told: it goes on using the kernel's vDSO.
 *
 * The names and versions are those that the kernel's vDSO has on the same machine; vdso(7)
 * lists them. All names of the library begin with uvdso_ or UVDSO_.
 */
#ifndef UVDSO_H
#define UVDSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library is built with -fvisibility=hidden: only what is marked can be linked with. */
#define UVDSO_API __attribute__((visibility("default")))

/* One booted vDSO. Belongs to the caller from uvdso_boot() to uvdso_shutdown(). */
struct uvdso;

enum uvdso_clock {
	UVDSO_REALTIME,
	UVDSO_MONOTONIC,
	UVDSO_BOOTTIME,
	UVDSO_TAI,
	UVDSO_CLOCKS /* how many there are */
};

/* What the fine clocks are read off. */
enum uvdso_counter {
	UVDSO_COUNTER_AUTO,   /* the counter, if the kernel relies on it and the CPUs agree */
	UVDSO_COUNTER_ALWAYS, /* the counter, whatever the kernel keeps time with */
	UVDSO_COUNTER_NEVER   /* system calls: as if this machine had no usable counter */
};

/* Zero is the default for each field, so that `= {0}` and NULL mean the same. */
struct uvdso_options {
	const char *image; /* a file to use instead of the built-in image */
	bool unchecked;    /* map the image whatever `uvdso check` says, and its data pages */
	bool no_counter;   /* the same as UVDSO_COUNTER_NEVER */
	int64_t offset[UVDSO_CLOCKS]; /* seconds to shift each clock by, either way */
	enum uvdso_counter counter;
};

/*
 * Checks the image, maps it with its data pages at a random address, and starts the
 * timekeeper and its watchdog, two processes. They end with uvdso_shutdown(), or when this
 * process and all that were forked from it have ended or called execve(2). They are children
 * of this process, but wait(2) does not meet them unless it is told to (__WALL, __WCLONE),
 * and their end sends no signal, unless this process has called execve(2) meanwhile. They
 * hold no descriptor of this process, and it holds none for them. But each is a copy of it,
 * as fork(2) makes one: memory that is written to or freed later stays allocated once more,
 * what it held can be read there by root, and a file system of which files were mapped stays
 * busy. So boot early.
 *
 * An offset of MONOTONIC also shifts MONOTONIC_RAW, one of REALTIME or BOOTTIME the coarse
 * clock and the alarm that belong to it.
 *
 * options may be NULL, and is not needed after the call. Takes less than a millisecond, of
 * which a tenth is for the counter, unless it is not to be used.
 *
 * Returns 0 and *vdso, or -errno with *vdso NULL and a sentence in why: at most size bytes
 * with the terminating null byte, nothing if size is 0. Nothing is left behind then. Among
 * others:
 *
 *	-ENOENT, -EACCES ...    options->image cannot be read, as open(2) says
 *	-ENOEXEC                the image breaks a rule, reads other data pages, or is for
 *	                        another machine
 *	-ERANGE                 an offset would take a clock out of its range
 *	-ENOTSUP                this process is inside of a `uvdso run --rate` or --freeze
 *	-EPERM                  this process has called unshare(2) with CLONE_NEWTIME, so that
 *	                        its children are in another time namespace, and the timekeeper
 *	                        may not come back: boot before that, or in a child
 *	-ENOMEM, -EMFILE, -EAGAIN ...   the system call that failed
 *
 * May be called from any thread, and more than once: each vDSO has processes and pages of its
 * own. Not for signal handlers.
 */
UVDSO_API int uvdso_boot(struct uvdso **vdso, const struct uvdso_options *options, char *why,
			 size_t size);

/*
 * Ends timekeeper and watchdog and reaps them, unmaps everything and frees vdso. No thread may
 * be inside one of its functions, or call one afterwards. NULL is allowed. Not for signal
 * handlers.
 *
 * A forked child may call it, too: it gives up its own mapping, and the timekeeper goes on.
 * After the parent has called it, the functions make system calls in its forked children; but
 * in a kernel's image their coarse clocks and time() stand still then.
 */
UVDSO_API void uvdso_shutdown(struct uvdso *vdso);

/*
 * The address of a function, found as a C library finds it (gABI, "Hash Table" and "Symbol
 * Versioning"): by name, and by version unless that is NULL. NULL if there is none. Valid until
 * uvdso_shutdown().
 *
 * From any thread; allocates and locks nothing, so that signal handlers may call it too. The
 * same holds for the functions it returns.
 */
UVDSO_API void *uvdso_symbol(const struct uvdso *vdso, const char *name, const char *version);

/* The address of the image's ELF header: what AT_SYSINFO_EHDR would say. */
UVDSO_API const void *uvdso_ehdr(const struct uvdso *vdso);

/* The process id of the timekeeper. Stop it or kill it, and see what the clocks do. */
UVDSO_API pid_t uvdso_timekeeper(const struct uvdso *vdso);

/*
 * Why the fine clocks made system calls (VDSO_CLOCKMODE_NONE) when the vDSO was booted, as a
 * sentence in static storage; NULL if they read the counter. It may change later, both ways.
 */
UVDSO_API const char *uvdso_why_no_counter(const struct uvdso *vdso);

#ifdef __cplusplus
}
#endif

#endif
