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

/* A rate this far from the known one is an accident and not a measurement, unless it
 * comes this many times in a row: then the machine has moved to other hardware. */
#define STRANGE_RATE  1000e-6
#define STRANGE_LIMIT 8

/* Enough for 0.001 ppm of resolution, and 64 bits hold (base << 30) for a second plus
 * what max_cycles adds. */
#define MAX_SHIFT 30

static double difference(double x)
{
	return x < 0 ? -x : x;
}

static u32 mult_of(const struct timeline *line, double slope)
{
	return (u32)(slope * (double)(1ull << line->shift) + 0.5);
}

bool timeline_start(struct timeline *line, u64 mask, struct timeline_sample first,
		    struct timeline_sample second)
{
	u64 cycles = vdso_delta(second.cycles, first.cycles, mask);
	double rate;

	if (cycles == 0 || vdso_delta_negative(cycles, mask) || second.ns <= first.ns)
		return false;
	rate = (double)(second.ns - first.ns) / (double)cycles;
	if (rate < 1.0 / 16 || rate > 1000.0)
		return false;

	*line = (struct timeline){
		.cycle_last = second.cycles,
		.ns = second.ns,
		.mask = mask,
		.rate = rate,
		.age = (double)(second.ns - first.ns),
		.best_width = second.width,
		.last = second,
		.shift = MAX_SHIFT,
	};
	/* The largest shift at which mult, even fully slewed, has 32 bits. */
	while (rate * (1 + TIMELINE_MAX_SLEW) * (double)(1ull << line->shift) >= 4294967295.0)
		line->shift--;
	line->mult = line->next_mult = mult_of(line, rate);
	line->max_cycles = (u64)(TIMELINE_MAX_AGE_NS / rate);
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
	double rate;

	if (cycles == 0 || vdso_delta_negative(cycles, line->mask) || elapsed <= 0)
		return;
	rate = elapsed / (double)cycles;
	if (difference(rate / line->rate - 1) > STRANGE_RATE) {
		if (++line->strange < STRANGE_LIMIT || rate < 1.0 / 16 || rate > 1000.0)
			return;
		line->rate = rate;
		line->age = elapsed;
	}
	line->strange = 0;
	/* While young: the plain mean of all there is. Later: a window of the constant. */
	line->age += elapsed;
	if (line->age > RATE_TIME_CONSTANT_NS)
		line->age = elapsed > RATE_TIME_CONSTANT_NS ? elapsed : RATE_TIME_CONSTANT_NS;
	line->rate += (rate - line->rate) * (elapsed / line->age);
	if (line->age > RATE_TIME_CONSTANT_NS)
		line->age = RATE_TIME_CONSTANT_NS;
	line->max_cycles = (u64)(TIMELINE_MAX_AGE_NS / line->rate);
}

double timeline_steer(struct timeline *line, struct timeline_sample sample)
{
	u64 delta = vdso_delta(sample.cycles, line->cycle_last, line->mask);
	double error, slew;

	line->restart = vdso_delta_negative(delta, line->mask) || delta > line->max_cycles;
	error = (double)(s64)(sample.ns - timeline_at(line, sample.cycles));
	line->error = error;

	/*
	 * Much wider than usual: we lost the CPU between the two counter reads, and the
	 * sample is worthless. What is usual may change, so the memory of it fades.
	 */
	line->best_width += line->best_width / 64 + 1;
	if (sample.width < line->best_width)
		line->best_width = sample.width;
	if (sample.width > 8 * line->best_width && !line->restart) {
		line->next_mult = mult_of(line, line->rate);
		return error;
	}
	learn_rate(line, sample);
	line->last = sample;

	if (error > TIMELINE_STEP_NS)
		line->restart = true;
	if (line->restart) {
		slew = 0;
	} else if (error < -TIMELINE_STEP_NS) {
		/*
		 * Far ahead, and clocks do not go back: slow down until the kernel's is here.
		 */
		slew = error / TIMELINE_PERIOD_NS;
		if (slew < -0.5)
			slew = -0.5;
	} else {
		slew = GAIN * error / TIMELINE_PERIOD_NS;
		if (slew > TIMELINE_MAX_SLEW)
			slew = TIMELINE_MAX_SLEW;
		if (slew < -TIMELINE_MAX_SLEW)
			slew = -TIMELINE_MAX_SLEW;
	}
	line->next_mult = mult_of(line, line->rate * (1 + slew));
	return error;
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
	if (line->restart && elapsed < (double)delta * line->rate)
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
