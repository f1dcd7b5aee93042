/*
 * counter.c - see counter.h. What a machine's counter is called is in arch/ARCH/cpu.c.
 */
#include <fcntl.h>
#include <machine.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/cpu.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/wait.h"
#include "kernel/time/counter.h"
#include "kernel/time/warp.h"

static int open_clocksource(void)
{
	unsigned interrupts = 0;
	int fd;

	do
		fd = open(CLOCKSOURCE_PATH, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && interrupted(&interrupts));
	return fd < 0 ? error_from("open") : fd;
}

/* The kernel's present clocksource. Returns its length, or -errno. */
static ssize_t read_clocksource(char name[32])
{
	unsigned interrupts = 0;
	int fd = open_clocksource();
	ssize_t got;

	name[0] = 0;
	if (fd < 0)
		return fd;
	do
		got = read(fd, name, 31);
	while (got < 0 && interrupted(&interrupts));
	if (got < 0)
		got = error_from("read");
	descriptor_close(fd);
	name[got > 0 ? got : 0] = 0;
	name[strcspn(name, "\n")] = 0;
	return got;
}

static bool is_one_of(const char *name, const char *const names[])
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

enum counter_trust counter_trust(const char *clocksource, const char *doubt, const char **why)
{
	*why = NULL;
	if (is_one_of(clocksource, cpu_clocksources))
		return COUNTER_BELIEVED;
	if (is_one_of(clocksource, cpu_clocksources_above)) {
		*why = doubt;
		return doubt ? COUNTER_REFUSED : COUNTER_TO_BE_TESTED;
	}
	*why = *clocksource ? "the kernel does not keep time with this counter"
			    : "/sys does not tell what the kernel keeps time with";
	return COUNTER_REFUSED;
}

bool counter_usable(struct counter *counter, const char **why)
{
	char now[sizeof(counter->clocksource)];
	enum counter_trust trust;
	ssize_t got = read_clocksource(now);

	counter->err = 0;
	if (*now)
		memcpy(counter->clocksource, now, sizeof(now));
	*why = counter->choice == COUNTER_NEVER ? "switched off" : cpu_counter_fault();
	if (*why || counter->choice == COUNTER_ALWAYS)
		return !*why;
	if (!*counter->clocksource && got < 0) {
		counter->err = (int)got;
		counter->call = error_name(counter->err);
	}
	trust = counter_trust(counter->clocksource, cpu_counter_doubt(), why);
	if (trust == COUNTER_TO_BE_TESTED)
		*why = warp_test(arch_counter);
	return !*why;
}

bool counter_changed(const struct counter *counter)
{
	char now[sizeof(counter->clocksource)];

	if (counter->choice != COUNTER_AUTO)
		return false;
	read_clocksource(now);
	return *now && strcmp(now, counter->clocksource) != 0;
}
