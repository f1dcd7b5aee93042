/*
 * timeline.h - the arithmetic of keeping time, as pure functions.
 *
 * A clock on the data page is a straight line: at counter value cycle_last it showed
 * ns, and since then it has grown by mult / 2^shift for every cycle. The kernel's
 * clock is another line, whose slope we must estimate and which bends a little all
 * the time (NTP). Several hundred times a second we compare the two and choose a new
 * line, under two conditions:
 *
 *  - it starts exactly where the old one ends, to the fraction of a nanosecond:
 *    a clock that readers look at does not jump, least of all backwards;
 *  - it is a little steeper or flatter than the kernel's, so that the distance
 *    between the two is gone, or halved, when the next line begins. By how much is
 *    bounded: TIMELINE_MAX_SLEW.
 *
 *       ns                                       ___ the kernel's clock
 *        |                              ___....=*
 *        |                   ___....-=*
 *        |        ___...-==*               * = update: our line starts a new
 *        |  _.-=*                               piece, aiming at the kernel's
 *        +--------------------------------- cycles
 *
 * No function here reads a clock, sleeps or knows of any process: samples go in, a
 * line comes out. So all of it can be tested with clocks that do not exist.
 *
 * Not thread-safe; a timeline belongs to the timekeeper.
 */
#ifndef KERNEL_TIME_TIMELINE_H
#define KERNEL_TIME_TIMELINE_H

#include <vdso/types.h>

/* How often the timekeeper updates, and so how old a coarse clock can be. */
#define TIMELINE_PERIOD_NS 4000000

/*
 * ... but more often at first. A rate that was measured over a hundred microseconds is good for
 * a few hundred more, so each period may be as long as all the time before it.
 */
#define TIMELINE_FIRST_PERIOD_NS 100000

/* How long readers may go on with one line, at most. */
#define TIMELINE_MAX_AGE_NS 50000000

/*
 * By how much it may be ahead of the kernel's clock then, beyond the doubt of a sample. That
 * bounds how wrong the line can get, which is slewing away an error and overshoots once the
 * error is gone. And the system call that a reader makes next takes longer than this.
 */
#define TIMELINE_AHEAD_NS 50.0

/* By how much a line may differ from the estimated rate: 500 parts in a million. */
#define TIMELINE_MAX_SLEW 500e-6

/*
 * An error above this is not drift: the machine was stopped, or one of its clocks has jumped.
 * Forward we jump after it. That is also the longest step back for a reader that was told the
 * kernel's time while the number was odd, and the line's after it; a system call takes longer.
 */
#define TIMELINE_STEP_NS 250.0

/*
 * Further ahead than this, beyond the doubt of a sample, we slow down so much that the kernel's
 * clock has caught up by the next update, at most to half speed. A kernel that changes its
 * clocksource loses some microseconds on the way.
 */
#define TIMELINE_CATCH_NS 1000.0

/* A counter that has come so much further than the kernel's clock has jumped, with no reader.
 */
#define TIMELINE_WAIT_NS 20000.0

/* "When the counter stood at cycles, the kernel's clock showed ns." */
struct timeline_sample {
	u64 cycles;
	u64 ns;
	u64 width; /* cycles between the two counter reads around it: the uncertainty */
};

struct timeline {
	/* The line that readers have. */
	u64 cycle_last; /* where it begins */
	u64 ns;         /* what it shows there, in whole nanoseconds ... */
	u64 frac;       /* ... and the rest of one, << shift */
	u64 mask;       /* the bits of the counter */
	u64 max_cycles; /* how far it may be followed; readers beyond it ask the kernel */
	u32 mult;
	u32 shift;

	/* What we think of the counter. */
	double rate; /* nanoseconds per cycle, by the kernel's clock */
	double age;  /* ns of observation in rate, up to the time constant */
	u64 best_width;
	unsigned strange; /* rates in a row that are not credible */
	struct timeline_sample last;

	/* By how much the kernel's clock was ahead of us: where the line begins, and now. */
	double error_at_start, error;

	/* What timeline_steer() decided and timeline_advance() does. */
	u32 next_mult, next_shift;
	bool restart;    /* no reader follows the old line any more, or none should */
	bool lost;       /* the rate is not known, and there is no next line until it is */
	u64 period;      /* when to look again, in ns */
	u64 followed_ns; /* readers may follow the line for so long, if that is longer
			    (mirror.h) */
};

/*
 * Starts a line through the second of two samples, a hundred microseconds apart, with the
 * slope between them. Returns false if they cannot be right: no cycles or no time
 * between them, or a rate outside 1 MHz to 16 GHz.
 */
bool timeline_start(struct timeline *line, u64 mask, struct timeline_sample first,
		    struct timeline_sample second);

/*
 * Compares the line with a new sample and decides on the next slope. Returns the error
 * in ns, positive when the kernel's clock is ahead.
 */
double timeline_steer(struct timeline *line, struct timeline_sample sample);

/*
 * The rule for a line that readers have left. Some are past max_cycles by now, or the data page
 * was abandoned: they have been told the kernel's time, up to this moment. So the next line
 * begins at the kernel's clock, not where the old one would have come to. Unless that is ahead.
 *
 * timeline_restart() says that readers were sent to the kernel for a reason of the caller's.
 * timeline_ready() is asked with the counter as it is when no reader can follow the old line
 * any more (its number is odd). It finds out by itself whether they are past max_cycles, by the
 * one that they have. False: the line must begin at the kernel's clock, and the last sample is
 * too old to say what that shows. Steer with a new one, and ask again with a new count.
 */
void timeline_restart(struct timeline *line);
bool timeline_ready(struct timeline *line, u64 now);

/* Ends the old line at counter value now, and begins the next one there. */
void timeline_advance(struct timeline *line, u64 now);

/* What the line shows at a counter value, in ns; before its beginning, its first value. */
u64 timeline_at(const struct timeline *line, u64 cycles);

/*
 * The distance between two of the kernel's clocks does not drift, it is set. So it is held
 * until a measurement, [low, high], rules it out. If it is out by a few nanoseconds, the
 * estimate was off by these, and moves to the nearer end. If by more than
 * TIMELINE_RETOUCH_NS, a clock was set, and the middle of the measurement is taken at once.
 */
#define TIMELINE_RETOUCH_NS 100
s64 timeline_offset(s64 held, s64 low, s64 high);

#endif
