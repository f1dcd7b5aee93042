/*
 * error.h - why a program could not be started, as a value.
 *
 * Everything that starts a program reports through this: the exit status that a
 * shell or env(1) would give, and the two halves of one line of message.
 */
#ifndef KERNEL_BASE_ERROR
#define KERNEL_BASE_ERROR

#define RUN_NOT_FOUND  127 /* there is no such program */
#define RUN_CANNOT_RUN 126 /* it is there but cannot be run */
#define RUN_SELF       125 /* our own failure */

struct run_error {
	int status;     /* one of the above; 0 while all is well */
	char what[128]; /* the file or the step */
	char why[192];
};

/* Fills error and returns status, so that a failing function can return the call. */
__attribute__((format(printf, 4, 5))) int run_fail(struct run_error *error, int status,
						   const char *what, const char *why, ...);

#endif
