/*
 * counter.h - may clocks be read off this machine's counter?
 *
 * Only if it counts at one rate on all CPUs, whatever they do. We do not judge that
 * ourselves: the kernel has watched its counters since boot, knows more of their faults, and
 * changes to another clocksource when it has lost its trust in one. So a counter is usable
 * while the kernel itself keeps time with it.
 */
#ifndef KERNEL_TIME_COUNTER_H
#define KERNEL_TIME_COUNTER_H

#include <stdbool.h>

#define CLOCKSOURCE_PATH "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/*
 * Is it usable now? If not, *why becomes a constant sentence that says what is missing. May be
 * called in the child of a program with threads, and by several threads.
 */
bool counter_usable(const char **why);

#endif
