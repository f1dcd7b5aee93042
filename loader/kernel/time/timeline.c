/*
 * timeline.c - see timeline.h for the idea.
 *
 * Slopes are floating point: they are estimates. Positions are integers, exact to
 * 2^-shift ns: they are promises.
 */
#include <vdso/cycles.h>

#include "kernel/time/timeline.h"

/* Over how much time the rate is averaged. Long against the noise of one sample (some
 * nanoseconds in one period), short against the corrections that NTP makes. */
#define RATE_TIME_CONSTANT_NS 100e6

/* The part of the error that one period slews away. All of it would pass the noise of
 * every sample on to the clock; half of it halves the noise and converges as surely. */
#define GAIN 0.5

/* A rate this far from the known one, beyond the doubt of the two samples, is an accident and
 * not a measurement, unless it comes this many times in a row: then the machine has moved to
 * other hardware. */
#define STRANGE_RATE  1000e-6
#define STRANGE_LIMIT 8

/* Enough for 0.001 ppm of resolution, and 64 bits hold (base << 30) for a second plus
 * what max_cycles adds. */
#define MAX_SHIFT 30

/* A known rate is not constant: temperature and NTP bend it. */
#define WANDER 1e-6

/* How stale the last look may be where a line begins at the kernel's clock. */
#define FRESH_NS 1000000.0

static double difference(double x)
{
	return x < 0 ? -x : x;
}

static bool credible(double rate)
{
	return rate >= 1.0 / 16 && rate <= 1000.0;
}

static u32 mult_of(const struct timeline *line, double slope)
{
	return (u32)(slope * (double)(1ull << line->next_shift) + 0.5);
}

/* The largest shift at which mult has 32 bits, fully slewed and with room for the rate to
 * drift. */
static u32 shift_of(double rate)
{
	u32 shift = MAX_SHIFT;

	while (rate * 1.01 * (double)(1ull << shift) >= 4294967295.0)
		shift--;
	return shift;
}

/* By what fraction the rate may be wrong: the doubt of two samples over the time between them.
 */
static double doubt_of(const struct timeline *line)
{
	return (double)line->best_width * line->rate / line->age + WANDER;
}

/* By how much the line may be ahead of the kernel's clock where readers leave it. */
static double most_ahead(const struct timeline *line)
{
	return TIMELINE_AHEAD_NS + (double)line->best_width * line->rate / 2;
}

static u64 period_of(double age)
{
	if (age < TIMELINE_FIRST_PERIOD_NS)
		return TIMELINE_FIRST_PERIOD_NS;
	return age < TIMELINE_PERIOD_NS ? (u64)age : TIMELINE_PERIOD_NS;
}

/*
 * How far the line that begins now may be followed. A reader beyond that is sent to the kernel,
 * and must not be sent back in time. So not further than until the line, if it is as fast as it
 * can be, is too far ahead. A line that is already further ahead must be followed until the
 * kernel's clock has come near. Two periods are for a timekeeper that is a little late.
 */
static u64 trusted_cycles(const struct timeline *line, double ahead)
{
	double slope = (double)line->mult / (double)(1ull << line->shift);
	double faster = slope / line->rate - 1 + doubt_of(line);
	double room = most_ahead(line) - ahead, ns = TIMELINE_MAX_AGE_NS;
	u64 cycles;

	if (room > 0 && faster * ns > room)
		ns = room / faster;
	/* A line that waits: until it is as far behind as it was ahead. */
	if (faster < -2 * TIMELINE_MAX_SLEW && 2 * ahead < ns * -faster)
		ns = 2 * ahead / -faster;
	if (ns < 2 * (double)line->period)
		ns = 2 * (double)line->period;
	cycles = (u64)(ns / line->rate);
	return cycles < line->mask >> 1 ? cycles : line->mask >> 1;
}

bool timeline_start(struct timeline *line, u64 mask, struct timeline_sample first,
		    struct timeline_sample second)
{
	u64 cycles = vdso_delta(second.cycles, first.cycles, mask);
	double rate;

	if (cycles == 0 || vdso_delta_negative(cycles, mask) || second.ns <= first.ns)
		return false;
	rate = (double)(second.ns - first.ns) / (double)cycles;
	if (!credible(rate))
		return false;

	*line = (struct timeline){
		.cycle_last = second.cycles,
		.ns = second.ns,
		.mask = mask,
		.rate = rate,
		.age = (double)(second.ns - first.ns),
		.best_width = second.width,
		.last = second,
		.shift = shift_of(rate),
		.next_shift = shift_of(rate),
	};
	line->mult = line->next_mult = mult_of(line, rate);
	line->period = period_of(line->age);
	line->max_cycles = trusted_cycles(line, 0);
	return true;
}

u64 timeline_at(const struct timeline *line, u64 cycles)
{
	u64 delta = vdso_delta(cycles, line->cycle_last, line->mask);
	u64 frac = line->frac;

	if (vdso_delta_negative(delta, line->mask))
		return line->ns;
	return line->ns + vdso_cycles_to_ns_exact(delta, line->mult, line->shift, &frac);
}

/* Averages into the rate what the kernel's clock did since the last sample. */
static void learn_rate(struct timeline *line, struct timeline_sample sample)
{
	u64 cycles = vdso_delta(sample.cycles, line->last.cycles, line->mask);
	double elapsed = (double)(s64)(sample.ns - line->last.ns);
	double rate, doubt;

	if (cycles == 0 || vdso_delta_negative(cycles, line->mask) || elapsed <= 0)
		return;
	rate = elapsed / (double)cycles;
	doubt = (double)(sample.width + line->last.width) / (double)cycles;
	if (difference(rate / line->rate - 1) > STRANGE_RATE + doubt) {
		if (++line->strange < STRANGE_LIMIT || !credible(rate))
			return;
		/* Another counter: begin anew, with a line that has room for its mult. */
		line->rate = rate;
		line->age = 0;
		line->next_shift = shift_of(rate);
		line->restart = true;
	}
	line->strange = 0;
	/* While young: the plain mean of all there is. Later: a window of the constant. */
	line->age += elapsed;
	if (line->age > RATE_TIME_CONSTANT_NS)
		line->age = elapsed > RATE_TIME_CONSTANT_NS ? elapsed : RATE_TIME_CONSTANT_NS;
	line->rate += (rate - line->rate) * (elapsed / line->age);
	if (line->age > RATE_TIME_CONSTANT_NS)
		line->age = RATE_TIME_CONSTANT_NS;
	/* A rate that has crept up until its mult is too long. */
	if (shift_of(line->rate / 1.005) < line->next_shift) {
		line->next_shift = shift_of(line->rate);
		line->restart = true;
	}
}

/* May readers of the line have been sent to the kernel by now? Only what they have counts. */
static bool beyond(const struct timeline *line, u64 now)
{
	u64 delta = vdso_delta(now, line->cycle_last, line->mask);

	return vdso_delta_negative(delta, line->mask) || delta > line->max_cycles;
}

static bool far_ahead(const struct timeline *line, double error)
{
	return error < -TIMELINE_CATCH_NS - (double)line->last.width * line->rate;
}

static double slew_for(const struct timeline *line, double error)
{
	double slew;

	/* Far ahead, and clocks do not go back: slow down until the kernel's is here. */
	if (far_ahead(line, error)) {
		slew = error / (double)line->period;
		return slew < -0.5 ? -0.5 : slew;
	}
	slew = GAIN * error /
	       (double)(line->followed_ns > line->period ? line->followed_ns : line->period);
	if (slew > TIMELINE_MAX_SLEW)
		return TIMELINE_MAX_SLEW;
	return slew < -TIMELINE_MAX_SLEW ? -TIMELINE_MAX_SLEW : slew;
}

double timeline_steer(struct timeline *line, struct timeline_sample sample)
{
	double error;

	line->restart |= beyond(line, sample.cycles);
	error = (double)(s64)(sample.ns - timeline_at(line, sample.cycles));
	line->error = error;

	/*
	 * Much wider than usual: we lost the CPU between the two counter reads, and the
	 * sample is worthless. What is usual may change, so the memory of it fades.
	 */
	line->best_width += line->best_width / 64 + 1;
	if (sample.width < line->best_width)
		line->best_width = sample.width;
	if (sample.width > 8 * line->best_width) {
		line->next_mult = mult_of(line, line->rate);
		return error;
	}
	learn_rate(line, sample);
	line->last = sample;
	line->period = line->strange ? TIMELINE_FIRST_PERIOD_NS : period_of(line->age);

	/* Beyond the doubt of the sample. */
	if (error > TIMELINE_STEP_NS + (double)sample.width * line->rate)
		line->restart = true;
	/* Ahead, the line must be kept whatever its rate: the kernel's clock would be a step
	 * back. A rate is strange, too, when the kernel has changed its clocksource. */
	line->lost = line->strange && error >= -TIMELINE_STEP_NS;
	if (line->lost)
		line->restart = true;
	line->next_mult =
		mult_of(line, line->rate * (line->restart ? 1 : 1 + slew_for(line, error)));
	return error;
}

void timeline_restart(struct timeline *line)
{
	line->restart = true;
	line->next_mult = mult_of(line, line->rate);
}

bool timeline_ready(struct timeline *line, u64 now)
{
	u64 since = vdso_delta(now, line->last.cycles, line->mask);
	double ns = (double)since * line->rate;

	if (!line->restart && beyond(line, now))
		timeline_restart(line);
	if (!line->restart)
		return true;
	return !vdso_delta_negative(since, line->mask) && ns <= FRESH_NS &&
	       ns * doubt_of(line) <= most_ahead(line) / 2;
}

/*
 * How far readers can have followed the line up to now: not beyond max_cycles, and not for
 * longer than the kernel's clock says it has been. A counter that has jumped far ahead took
 * no reader with it; those that have looked since were sent to the kernel.
 */
static u64 followed(const struct timeline *line, u64 now, u64 kernel)
{
	u64 delta = vdso_delta(now, line->cycle_last, line->mask);
	double elapsed = (double)(s64)(kernel - line->ns) - line->error_at_start;

	if (vdso_delta_negative(delta, line->mask))
		return 0;
	if (delta > line->max_cycles)
		delta = line->max_cycles;
	if (line->restart && elapsed + TIMELINE_WAIT_NS < (double)delta * line->rate)
		delta = elapsed > 0 ? (u64)(elapsed / line->rate) : 0;
	return delta;
}

void timeline_advance(struct timeline *line, u64 now)
{
	/* course: begin 08-timekeeper */
	u64 since = vdso_delta(now, line->last.cycles, line->mask);
	u64 kernel = line->last.ns + (u64)((double)since * line->rate);
	u64 delta = followed(line, now, kernel);

	line->ns += vdso_cycles_to_ns_exact(delta, line->mult, line->shift, &line->frac);
	line->cycle_last = now & line->mask;
	line->mult = line->next_mult;
	line->error_at_start = line->error;

	if (line->restart) {
		/* Forward to the kernel's clock. Never back: a reader has seen line->ns. */
		line->error_at_start = (double)(s64)(kernel - line->ns);
		if (kernel > line->ns) {
			line->ns = kernel;
			line->frac = 0;
			line->error_at_start = 0;
		}
		line->restart = false;
	}
	/* course: end 08-timekeeper */
	/* The rest of a nanosecond is a whole one where parts of it have another size. */
	if (line->shift != line->next_shift) {
		line->ns += line->frac != 0;
		line->frac = 0;
		line->shift = line->next_shift;
	}
	line->max_cycles = trusted_cycles(line, (double)(s64)(line->ns - kernel));
}

s64 timeline_offset(s64 held, s64 low, s64 high)
{
	if (held < low && low - held <= TIMELINE_RETOUCH_NS)
		return low;
	if (held > high && held - high <= TIMELINE_RETOUCH_NS)
		return high;
	if (held >= low && held <= high)
		return held;
	return low + (high - low) / 2;
}
