/*
 * counter.h - may clocks be read off this machine's counter?
 *
 * Only if it counts at one rate on all CPUs, whatever they do. The kernel has watched its
 * counters since boot, knows more of their faults than we do, and changes to another
 * clocksource when it has lost its trust in one. So what it keeps time with decides:
 *
 *  - the counter itself: believed, whatever the CPU promises of it;
 *  - a hypervisor's clock, kvm-clock and the like: the kernel reads the same counter there, and
 *    corrects it by what the hypervisor says. Used if the CPU promises one rate, and if the
 * CPUs are found to agree (warp.h);
 *  - anything else: refused, for hpet and the like mean that the counter was not good enough.
 *
 * The user may decide otherwise. Whether the rate is what it was is watched later, against the
 * kernel's clocks (timeline.h).
 */
#ifndef KERNEL_TIME_COUNTER_H
#define KERNEL_TIME_COUNTER_H

#include <stdbool.h>

#define CLOCKSOURCE_PATH "/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum counter_choice {
	COUNTER_AUTO,
	COUNTER_ALWAYS, /* whatever the kernel keeps time with */
	COUNTER_NEVER,
};

struct counter {
	enum counter_choice choice;
	char clocksource[32]; /* the kernel's, as it was last seen; empty where /sys does not
				 tell */
	int err;              /* why it does not: -errno of this call, or 0 */
	const char *call;
};

enum counter_trust { COUNTER_BELIEVED, COUNTER_TO_BE_TESTED, COUNTER_REFUSED };

/*
 * What the name of the kernel's clocksource says, on a CPU of which doubt is what speaks
 * against its counter (cpu_counter_doubt()), or NULL. Purely: no such machine needs to be
 * there. *why is a constant sentence where it is refused, else NULL.
 */
enum counter_trust counter_trust(const char *clocksource, const char *doubt, const char **why);

/*
 * Is it usable now? If not, *why becomes a constant sentence that says what is missing. May
 * take some milliseconds, where it is to be tested. For a process without threads that blocks
 * signals.
 */
bool counter_usable(struct counter *counter, const char **why);

/*
 * Has the kernel changed to another clocksource since that was asked? Where /sys does not tell
 * any more, what was last seen holds: that a file cannot be read says nothing of the counter.
 */
bool counter_changed(const struct counter *counter);

#endif
