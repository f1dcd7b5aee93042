/*
 * clocks.h - which clocks a run may ask for, and with what.
 *
 * The data pages give every reader of them the clocks that were asked for. A system call still
 * shows the machine's time, and a deadline still means it, unless a tracer converts them; only
 * a tree that is followed has one. So a run with clocks of its own follows its tree, if nothing
 * is in the way. Without the tree an offset is still worth having, since most programs read
 * clocks through the vDSO alone. A rate is not: the two times would drift apart. Nor are the
 * times of files, which only system calls tell.
 *
 * All of this is decided by the request alone, before anything is done for it.
 */
#ifndef KERNEL_RUN_CLOCKS_H
#define KERNEL_RUN_CLOCKS_H

#include <stdbool.h>

#include "kernel/base/error.h"
#include "kernel/run/run.h"

/* Is a clock to run faster or slower than the machine's, or to stand still? */
bool clocks_are_rated(const struct run_request *request);

/* The option that asked for it. */
const char *clocks_rate_option(const struct run_request *request);

/* Is the tree to be followed: by --follow, or because of the clocks? */
bool clocks_follow(const struct run_request *request);

/* The option that cannot do without the tree, for messages. */
const char *clocks_why_followed(const struct run_request *request);

/*
 * Clocks are changed, but another option keeps the tree from having them: a sentence that says
 * so. Else NULL.
 */
const char *clocks_why_not_followed(const struct run_request *request);

/*
 * Can all that is asked for be had together? Follows: clocks_follow(), or false once following
 * has failed. Returns 0, or -errno with error filled.
 */
int clocks_check(const struct run_request *request, bool follows, struct error *error);

#endif
