/*
 * error.h - why something failed, as a value.
 *
 * Nothing in loader/kernel/ prints, and only processes of its own making exit. What can fail
 * for more than one reason fills a struct error, and the command or uvdso_boot() makes a
 * message of it: "what: why". All functions return a negative error number (errno(3)), so
 * that a failing one can return the call:
 *
 *	if (mprotect(area, size, PROT_READ))
 *		return error_system(error, -errno, "run");
 *
 * A command that becomes another program also needs an exit status, of which shells, env(1)
 * and timeout(1) have three. Which of them it is follows from the function that filled the
 * error.
 */
#ifndef KERNEL_BASE_ERROR_H
#define KERNEL_BASE_ERROR_H

#include <stdbool.h>

#define ERROR_NOT_FOUND  127 /* there is no such program */
#define ERROR_CANNOT_RUN 126 /* it is there but cannot be run */
#define ERROR_SELF       125 /* our own failure */

struct error {
	int status;      /* one of the above; 0 while all is well */
	char what[4096]; /* the file or the step; may be empty */
	char why[400];
};

/* Our own failure; why is a format. Returns err, which is below zero. */
__attribute__((format(printf, 4, 5))) int error_self(struct error *error, int err,
						     const char *what, const char *why, ...);

/*
 * errno(3) says why a system call failed, and not which one. error_from() notes its name, for
 * this thread, and returns -errno; error_by() does it with a result that is -errno already.
 * What is noted holds as long as that number is on its way up: error_words() of it is "mmap(2):
 * Operation not permitted", and for another number only what strerror(3) says. name is a
 * literal.
 */
int error_from(const char *name);
int error_by(const char *name, int err);
const char *error_words(int err);

/* The name that error_words() would use, or NULL: to hand both to another process. */
const char *error_name(int err);

/* Is that what filters and old kernels say of a call that is not to be had? */
bool error_is_denial(int err);

/* What to say of a call that was given a file: the call is named if it is not the file's fault.
 */
const char *error_of_file(const char *name, int err);

/* The same for a system call that failed: why is error_words(). */
int error_system(struct error *error, int err, const char *what);

/* Says what the error is about, where the function that filled it could not know. */
void error_about(struct error *error, const char *what);

/* More to be said, at the end of why, as far as there is room. */
__attribute__((format(printf, 2, 3))) void error_add(struct error *error, const char *more,
						     ...);

/* An image or a program that is there but cannot be run. Returns -ENOEXEC. */
__attribute__((format(printf, 3, 4))) int
error_cannot_run(struct error *error, const char *what, const char *why, ...);

/* A program that is not there. Returns -ENOENT. */
__attribute__((format(printf, 3, 4))) int error_not_found(struct error *error, const char *what,
							  const char *why, ...);

#endif
