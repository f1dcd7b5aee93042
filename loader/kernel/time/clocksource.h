/*
 * clocksource.h - what the kernel keeps its own time with.
 *
 * It has watched its counters since boot, and changes to another one when it has lost its
 * trust. What it does not use we do not use, either.
 */
#ifndef KERNEL_TIME_CLOCKSOURCE
#define KERNEL_TIME_CLOCKSOURCE

#include <stdbool.h>

#define CLOCKSOURCE_PATH "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* Is this the name of the kernel's present clocksource? Where nobody tells: no. */
bool clocksource_is(const char *name);

#endif
