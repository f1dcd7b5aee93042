/*
 * moment.c - the options that say what a clock is to show, of run, trace and clock: --at,
 * --freeze, --rate.
 *
 * A moment in the form of ISO 8601, or close to it, is parsed here, as local time (tzset(3))
 * unless it names a zone. Words, as in "next friday", are left to date(1), which knows more of
 * them than we would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "kernel/base/wait.h"
#include "kernel/clock/wish.h"

#define SECOND_NS 1000000000ll

static const char out_of_range[] = "no clock can show that: the first moment is 1970-01-01, "
				   "the last 2262-04-11 23:47:15 UTC";

static const char *set_moment(struct clock_wish *wish, long long seconds, s64 fraction)
{
	if (seconds < 0 || seconds >= CLOCK_LATEST_NS / SECOND_NS)
		return out_of_range;
	wish->has_moment = true;
	wish->moment = (s64)seconds * SECOND_NS + fraction;
	return NULL;
}

/* Exactly so many digits; -1 if they are not there. */
static int digits(const char **text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++) {
		if (**text < '0' || **text > '9')
			return -1;
		number = number * 10 + *(*text)++ - '0';
	}
	return number;
}

/*
 * ".25", or nothing; digits below a nanosecond are dropped. False if no digit follows the
 * point.
 */
static bool read_fraction(const char **text, s64 *ns)
{
	s64 place = SECOND_NS / 10;

	*ns = 0;
	if (**text != '.')
		return true;
	if ((*text)[1] < '0' || (*text)[1] > '9')
		return false;
	while (*++*text >= '0' && **text <= '9') {
		*ns += (**text - '0') * place;
		place /= 10;
	}
	return true;
}

/* "@2145916800.5" */
static const char *read_seconds(const char *text, struct clock_wish *wish)
{
	long long seconds;
	s64 fraction;
	char *end;

	if ((*text < '0' || *text > '9') && *text != '-')
		return "after @ come the seconds since 1970, like @2145916800 or @0.5";
	errno = 0;
	seconds = strtoll(text, &end, 10);
	text = end;
	if (!read_fraction(&text, &fraction) || *text)
		return "after @ come the seconds since 1970, like @2145916800 or @0.5";
	return errno ? out_of_range : set_moment(wish, seconds, fraction);
}

/* "Z", " UTC", "+01:00", "-0330", or nothing: local time. False if it is something else. */
static bool read_zone(const char *text, bool *local, long *east)
{
	int sign, hours, minutes = 0;

	*local = !*text;
	*east = 0;
	if (!*text || !strcmp(text, "Z") || !strcmp(text, " UTC") || !strcmp(text, "UTC"))
		return true;
	text += *text == ' ';
	if (*text != '+' && *text != '-')
		return false;
	sign = *text++ == '-' ? -1 : 1;
	hours = digits(&text, 2);
	text += *text == ':';
	if (*text)
		minutes = digits(&text, 2);
	*east = sign * (hours * 3600L + minutes * 60L);
	return hours >= 0 && hours <= 24 && minutes >= 0 && minutes < 60 && !*text;
}

/* The date and the time; parts that are not given are 0. */
static bool read_date(const char **text, struct tm *tm, s64 *fraction)
{
	*tm = (struct tm){.tm_isdst = -1};
	*fraction = 0;
	tm->tm_year = digits(text, 4) - 1900;
	if (tm->tm_year < -1900 || *(*text)++ != '-')
		return false;
	tm->tm_mon = digits(text, 2) - 1;
	if (tm->tm_mon < -1 || *(*text)++ != '-')
		return false;
	tm->tm_mday = digits(text, 2);
	if (tm->tm_mday < 0)
		return false;
	if ((**text != ' ' && **text != 'T') || (*text)[1] < '0' || (*text)[1] > '9')
		return true;
	++*text;
	tm->tm_hour = digits(text, 2);
	if (tm->tm_hour < 0 || *(*text)++ != ':')
		return false;
	tm->tm_min = digits(text, 2);
	if (tm->tm_min < 0 || **text != ':')
		return tm->tm_min >= 0;
	++*text;
	tm->tm_sec = digits(text, 2);
	return tm->tm_sec >= 0 && read_fraction(text, fraction);
}

/* mktime(3) takes the 31st of February, and makes another day of it. */
static bool is_the_same(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* NULL and *ours, or a sentence; without *ours it is in another form. */
static const char *read_iso(const char *text, struct clock_wish *wish, bool *ours)
{
	struct tm given, tm;
	long long seconds;
	s64 fraction;
	bool local;
	long east;

	*ours = read_date(&text, &given, &fraction) && read_zone(text, &local, &east);
	if (!*ours)
		return NULL;
	tm = given;
	seconds = local ? mktime(&tm) : timegm(&tm);
	if (!is_the_same(&tm, &given))
		return local ? "there is no such day or time, or not in this time zone"
			     : "there is no such day or time";
	return set_moment(wish, seconds - east, fraction);
}

/*
 * "2145916800.500000000": the moment that date(1) makes of words, read from its output. Returns
 * its exit status, or -1.
 */
static int ask_date(const char *text, char answer[64])
{
	size_t length = 0;
	int out[2], status;
	ssize_t got = 1;
	pid_t child;

	if (pipe2(out, O_CLOEXEC))
		return -1;
	child = fork();
	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execlp("date", "date", "-d", text, "+%s.%N", (char *)NULL);
		_exit(STATUS_NOT_FOUND);
	}
	close(out[1]);
	while (child > 0 && length < 63 &&
	       (got = read(out[0], answer + length, 63 - length)) > 0)
		length += (size_t)got;
	close(out[0]);
	answer[length] = 0;
	answer[strcspn(answer, "\n")] = 0;
	if (child <= 0 || wait_for(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

const char *set_at(const char *text, void *to)
{
	static const char unknown[] =
		"no moment: one is like '2038-01-19 03:14:00', '2038-01-19T03:14:00Z', "
		"@2145916800, or words that date(1) knows";
	struct clock_wish *wish = to;
	char answer[64];
	const char *why;
	bool ours;
	int status;

	if (*text == '@')
		return read_seconds(text + 1, wish);
	why = read_iso(text, wish, &ours);
	if (ours)
		return why;
	/* An empty text is today's midnight to it. */
	if (!text[strspn(text, " \t\n")])
		return unknown;
	status = ask_date(text, answer);
	if (status == STATUS_NOT_FOUND)
		return "no moment in figures, and date(1), which knows words, is not in PATH";
	if (status)
		return unknown;
	why = read_seconds(answer, wish);
	return why && why != out_of_range ? unknown : why;
}

const char *set_rate(const char *text, void *to)
{
	static const char wrong[] = "a rate is a number from 0.001 to 1000, like 60 or 0.5; "
				    "for 0 there is --freeze";
	struct clock_wish *wish = to;
	s64 fraction, whole;
	char *end;

	if (*text < '0' || *text > '9')
		return wrong;
	errno = 0;
	whole = strtoll(text, &end, 10);
	text = end;
	if (errno || !read_fraction(&text, &fraction) || *text || whole > 1000)
		return wrong;
	whole = whole * (s64)CLOCK_RATE_ONE + fraction;
	if (whole < (s64)CLOCK_RATE_MIN || whole > (s64)CLOCK_RATE_MAX)
		return wrong;
	wish->has_rate = true;
	wish->rate = (u64)whole;
	return NULL;
}

const char *set_freeze(const char *text, void *to)
{
	struct clock_wish *wish = to;

	(void)text;
	wish->has_rate = true;
	wish->rate = 0;
	return NULL;
}

const char *set_rate_all(const char *text, void *to)
{
	struct clock_wish *wish = to;

	(void)text;
	wish->rate_all = true;
	return NULL;
}

int check_clocks(const struct command *command, const struct clock_wish *wish)
{
	if (wish->has_moment && wish->has_offset[TIMENS_REALTIME])
		return refuse(command, "--at",
			      "not together with --offset realtime: both say what it shows");
	if (wish->rate_all && !wish->has_rate)
		return refuse(command, "--rate-all", "needs a --rate, which may be 1");
	if (wish->rate_all && !wish->rate)
		return refuse(command, "--rate-all",
			      "not together with --freeze: no sleep would ever end");
	return 0;
}
