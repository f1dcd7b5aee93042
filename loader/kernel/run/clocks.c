/*
 * clocks.c - see clocks.h.
 */
#include <errno.h>
#include <stddef.h>

#include "kernel/map/timens.h"
#include "kernel/run/clocks.h"

bool clocks_are_rated(const struct run_request *request)
{
	return request->clocks.has_rate && request->clocks.rate != CLOCK_RATE_ONE;
}

const char *clocks_rate_option(const struct run_request *request)
{
	return request->clocks.rate ? "--rate" : "--freeze";
}

bool clocks_follow(const struct run_request *request)
{
	if (request->follow != RUN_FOLLOW_WITH_CLOCKS)
		return request->follow == RUN_FOLLOW;
	return !request->trace && request->exec != RUN_BY_HAND &&
	       !clock_wish_says_nothing(&request->clocks);
}

const char *clocks_why_followed(const struct run_request *request)
{
	if (request->follow == RUN_FOLLOW)
		return "--follow";
	return clocks_are_rated(request) ? clocks_rate_option(request) : "--shift-files";
}

const char *clocks_why_not_followed(const struct run_request *request)
{
	if (request->follow != RUN_FOLLOW_WITH_CLOCKS || clock_wish_is_none(&request->clocks))
		return NULL;
	if (request->trace)
		return "trace follows with --follow only, and converts no deadline";
	return request->exec == RUN_BY_HAND ? "what is started by hand (--exec=hand) is not "
					      "traced"
					    : NULL;
}

static const char *rate_refused(const struct run_request *request, bool follows)
{
	if (!clocks_are_rated(request) || (follows && !request->trace))
		return NULL;
	if (request->trace)
		return "trace";
	return request->exec == RUN_BY_HAND ? "--exec=hand" : "--no-follow";
}

static const char *files_refused(const struct run_request *request, bool follows)
{
	if (!request->shift_files)
		return NULL;
	if (clock_wish_says_nothing(&request->clocks))
		return "no clock is changed that they could go with";
	return follows ? NULL
		       : "only in a tree that is followed: not with --no-follow, --exec=hand "
			 "or "
			 "trace";
}

int clocks_check(const struct run_request *request, bool follows, struct error *error)
{
	struct clock_now now;
	const char *why;

	if (timens_is_rated())
		return error_self(error, -ENOTSUP, "run",
				  "not inside of a `uvdso run --rate` or --freeze: its clocks "
				  "cannot be followed; the outer one can change the clocks, "
				  "and so can `uvdso clock`");
	timens_now(&now);
	why = clock_wish_check(&request->clocks, &now);
	if (why)
		return error_self(error, -ERANGE,
				  request->clocks.has_moment ? "--at" : "--offset", "%s", why);
	why = rate_refused(request, follows);
	if (why)
		return error_self(
			error, -EINVAL, clocks_rate_option(request),
			"not together with %s: system calls would show the machine's time",
			why);
	/* Both take ptrace(2), from the kernel's exec on. */
	if (request->exec == RUN_BY_HAND && (request->follow == RUN_FOLLOW || request->trace))
		return error_self(error, -EINVAL, "--exec=hand",
				  "not together with %s: what is started by hand is not traced",
				  request->trace ? "trace" : "--follow");
	why = files_refused(request, follows);
	if (why)
		return error_self(error, -EINVAL, "--shift-files", "%s", why);
	return 0;
}
